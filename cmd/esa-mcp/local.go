package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/local"
	described "github.com/esa-mcp/esa-mcp/internal/local/account"
)

func newLocal(s *settings, std streams) *cobra.Command {
	var o local.Options
	var seed, export string
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run the local ESA alone, for any ESA client",
		Long: `local runs the local ESA: an API endpoint that ESA clients accept, and an edge
that serves what they deploy. It prints one line of JSON with endpoint, edge,
access_key_id and access_key_secret, then serves until it is interrupted.
Routines are served under http://NAME.HASH.er.localhost:PORT/ on the edge, and
sites under their own hosts, whose origins are on this machine: a CNAME record
to a name that ends in .localhost, with the port in HttpPorts or an origin rule.
  curl --connect-to ::127.0.0.1:PORT http://www.example.com/
HTTPS is at "edge_tls", for hosts that a certificate covers. Free certificates
and those of default domains are signed by an authority of this state's own:
  curl --cacert CA_FILE --connect-to ::127.0.0.1:PORT https://www.example.com/
Answers name what applied in X-Esa-Rules. Requests may say where their visitor
is: X-Esa-Client-Ip, -Country (DE), -Province (CN-ZJ), -Isp and -Asn.

--fault makes it fail on demand. The words of a fault are NAME=VALUE:
  which calls    action=NAME,NAME (* for any letters; Upload for file uploads)
                 site=ID routine=NAME namespace=NAME
  what happens   code=CODE [status=429] [message="..."] [when=after]
                 latency=2s [when=after]      when=after: carried out first
                 drop=before|after|half       the connection is cut
                 stale=30s                    reads of KV lag behind
                 build=fail|hang              of a routine's version
  how often      rate=0.2 seed=7 skip=N count=N
More are switched on and off while it runs, at the address "admin":
  curl -u ID:SECRET ADMIN/faults -d 'action=Upload code=AccessDenied count=1'
  curl -u ID:SECRET ADMIN/faults [-X DELETE]`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Dir == "" {
				o.Dir = s.localDir
			}
			outliveReaders()
			faults, err := s.injected()
			if err != nil {
				return err
			}
			o.Faults = faults
			if o.Quotas, err = s.limits(); err != nil {
				return err
			}
			if o.Seed, err = readAccount(seed); err != nil {
				return err
			}
			o.Logger = s.logger
			o.Now = time.Now
			heavy := ballast()
			defer runtime.KeepAlive(heavy)
			srv, err := local.Start(cmd.Context(), o)
			if err != nil {
				return failed("start the local ESA: %w", err)
			}
			defer srv.Close()
			if export != "" {
				return writeAccount(cmd.Context(), srv, export, std.out)
			}
			if err := json.NewEncoder(std.out).Encode(srv.Info()); err != nil {
				return failed("print the local ESA's addresses: %w", err)
			}
			tellTrust(std.err, srv.Info())
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.AddCommand(newLocalStatus(s, std))
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "loopback address of the API")
	f.StringVar(&o.TLSListen, "tls-listen", "", `loopback address of the API's HTTPS, "endpoint_tls", for clients that speak nothing else (default: none)`)
	f.StringVar(&o.EdgeListen, "edge-listen", "127.0.0.1:0", "loopback address of the edge")
	f.StringVar(&o.Dir, "dir", "", `folder that keeps the state; ":memory:" keeps nothing (default: --local-dir)`)
	f.StringVar(&seed, "seed", "", "file that describes what the account is to have (docs/local-esa.md)")
	f.StringVar(&export, "export", "", "write the account to such a file, - for standard output, instead of serving")
	f.StringVar(&o.EdgeTLSListen, "edge-tls-listen", "127.0.0.1:0", "loopback address of the edge's HTTPS")
	f.StringSliceVar(&o.AllowOrigins, "allow-origin", nil, "origin that the edge may go to besides this machine: HOST, HOST:PORT or all (default: loopback only)")
	f.BoolVar(&o.OpenDefaultDomain, "open-default-domain", false, "serve default domains without an access token, which ESA itself demands")
	cmd.AddCommand(newLocalTraffic(s, std))
	return cmd
}

// ballast is memory that the garbage collector counts and nobody touches, so that
// it takes no room but has the collector wait until the heap has grown by as much
// as is in use and this. A local ESA has some 8 MB in use, which would be marked
// again for each 2,000 requests: a tenth of its time under load. A higher GOGC would
// do the same, but costs a multiple of what the cache or the request log hold.
func ballast() []byte { return make([]byte, 32<<20) }

// readAccount reads an account file; nil if there is none to read.
func readAccount(path string) (*described.Account, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--seed: %w", err)
	}
	defer file.Close()
	a, err := described.Read(file)
	if err != nil {
		return nil, fmt.Errorf("--seed %s: %w", path, err)
	}
	return &a, nil
}

// writeAccount writes the account of a local ESA into a file.
func writeAccount(ctx context.Context, srv *local.Server, path string, stdout io.Writer) error {
	a, err := srv.Export(ctx)
	if err != nil {
		return failed("%w", err)
	}
	var text bytes.Buffer
	if err := a.Write(&text); err != nil {
		return failed("write the account: %w", err)
	}
	if path == "-" {
		_, err = stdout.Write(text.Bytes())
	} else {
		err = os.WriteFile(path, text.Bytes(), 0o600) // it may have private keys
	}
	if err != nil {
		return failed("write the account: %w", err)
	}
	return nil
}

// tellTrust says how clients come to trust the certificates that the local ESA
// issues.
func tellTrust(w io.Writer, info local.Info) {
	fmt.Fprintf(w, `HTTPS on the edge is signed by a local authority, whose certificate is in
  %[1]s
To trust it: curl --cacert that file; NODE_EXTRA_CA_CERTS or SSL_CERT_FILE for programs; in a browser, import it as an authority for web sites.
In Chromium on Linux: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n esa-mcp-local -i that file
`, info.CAFile)
}
