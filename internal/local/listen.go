package local

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/admin"
	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/console"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// listeners are the addresses that a local ESA serves at; apiTLS is nil unless it
// was asked for.
type listeners struct {
	api, apiTLS, edge, edgeTLS net.Listener
}

// openListeners opens all addresses or none.
func openListeners(ctx context.Context, o Options) (l listeners, err error) {
	for _, one := range []struct {
		what, address string
		into          *net.Listener
	}{
		{"API", o.Listen, &l.api},
		{"API's HTTPS", o.TLSListen, &l.apiTLS},
		{"edge", o.EdgeListen, &l.edge},
		{"edge's HTTPS", o.EdgeTLSListen, &l.edgeTLS},
	} {
		if one.address == "" {
			continue
		}
		if *one.into, err = listen(ctx, one.address); err != nil {
			return l, errors.Join(fmt.Errorf("listen for the local ESA's %s: %w", one.what, err), l.close())
		}
	}
	return l, nil
}

func (l listeners) close() error {
	var failed []error
	for _, one := range []net.Listener{l.api, l.apiTLS, l.edge, l.edgeTLS} {
		if one != nil {
			failed = append(failed, one.Close())
		}
	}
	return errors.Join(failed...)
}

// info says where things are, and with which key.
func (l listeners) info(account state.Account) Info {
	endpoint := "http://" + l.api.Addr().String()
	info := Info{
		Endpoint:        endpoint,
		Admin:           endpoint + admin.Path,
		Console:         endpoint + console.Path,
		Edge:            "http://" + l.edge.Addr().String(),
		AccessKeyID:     account.AccessKeyID,
		AccessKeySecret: account.AccessKeySecret,
		EdgeTLS:         "https://" + l.edgeTLS.Addr().String(),
	}
	if l.apiTLS != nil {
		info.EndpointTLS = "https://" + l.apiTLS.Addr().String()
	}
	return info
}

// listen opens a loopback address.
func listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w: write it as 127.0.0.1:PORT", address, err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("address %q is not loopback: the local ESA is for this machine only, use 127.0.0.1:PORT", address)
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address)
}

// apiTLS is how the API speaks TLS: with a certificate of the state's authority
// for the name that the client asks for, which is this machine's or one that the
// service has. A client with the service's address built in reaches the local
// ESA if its resolver leads there and it trusts the authority.
func apiTLS(certificates *certificate.Service) *tls.Config {
	var mu sync.Mutex
	issued := map[string]*tls.Certificate{}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := strings.ToLower(hello.ServerName)
		if name == "" {
			host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
			if err != nil {
				return nil, err
			}
			name = host
		}
		if _, err := netip.ParseAddr(name); err != nil && !apiName(name) {
			return nil, fmt.Errorf("the local ESA's API is not called %s", name)
		}
		mu.Lock()
		defer mu.Unlock()
		if c := issued[name]; c != nil && time.Now().Before(c.Leaf.NotAfter) {
			return c, nil
		}
		c, err := certificates.IssueFor(hello.Context(), name)
		if err == nil {
			issued[name] = c
		}
		return c, err
	}}
}

func apiName(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasSuffix(name, ".aliyuncs.com")
}

// serve answers the requests of a listener until the server is shut down.
func (s *Server) serve(base context.Context, logger *slog.Logger, l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		// A listener is closed by Close alone, which may come before the server knows.
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			logger.Error("the local ESA stopped serving", "address", l.Addr().String(), "error", err)
		}
	})
}
