package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/esa-mcp/esa-mcp/internal/mcpserver"
)

// minToken is the least length of a token: shorter ones can be guessed.
const minToken = 16

// httpSettings are the flags of the HTTP server.
type httpSettings struct {
	listen, token, tokenFile string
	origins, hosts           []string
	sessionTimeout           time.Duration
}

func newHTTP(s *settings, std streams) *cobra.Command {
	var h httpSettings
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Serve MCP over Streamable HTTP",
		Long: `http serves MCP over Streamable HTTP at /mcp, for clients that do not start the
server themselves. It prints one line of JSON with the url, then serves until it
is interrupted; calls that run then get ten seconds to end.

A loopback address can be called by every program of this machine. Any other
address needs a token of at least 16 characters, which clients send with each
request as "Authorization: Bearer TOKEN". Give it as ESA_MCP_TOKEN or in a file:
a flag shows in the list of processes. The server speaks plain HTTP: put a proxy
with TLS before it when the network is not yours.

Whoever can call the server acts with its credentials, and paths in arguments,
such as that of deploy_pages, are paths of the server's machine. --toolsets and
--read-only say what it offers.`,
		Example: `  esa-mcp http --local
  esa-mcp http --listen 127.0.0.1:8080 --read-only
  ESA_MCP_TOKEN=$(openssl rand -hex 16) esa-mcp http --listen 0.0.0.0:8080`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			outliveReaders()
			return h.serve(cmd, s, std)
		},
	}
	f := cmd.Flags()
	f.StringVar(&h.listen, "listen", "127.0.0.1:8080", "address to serve on; port 0 takes a free one")
	f.StringVar(&h.token, "token", "", "token that clients have to send; better as ESA_MCP_TOKEN")
	f.StringVar(&h.tokenFile, "token-file", "", "file with the token")
	f.StringSliceVar(&h.origins, "allow-origin", nil, "web origin whose pages may call, such as https://app.example.com; those of this machine may")
	f.StringSliceVar(&h.hosts, "allow-host", nil, "Host name to accept over loopback beside localhost, for a proxy on this machine")
	f.DurationVar(&h.sessionTimeout, "session-timeout", time.Hour, "end sessions that are not used for so long")
	return cmd
}

func (h httpSettings) serve(cmd *cobra.Command, s *settings, std streams) error {
	token, err := h.readToken()
	if err != nil {
		return err
	}
	if err := h.check(token); err != nil {
		return err
	}
	a, err := newApp(cmd.Context(), s, appOptions{})
	if err != nil {
		return err
	}
	defer a.close()
	l, err := net.Listen("tcp", h.listen)
	if err != nil {
		return failed("listen on %s: %w", h.listen, err)
	}
	line := struct {
		URL string `json:"url"`
	}{"http://" + l.Addr().String() + mcpserver.HTTPPath}
	if err := json.NewEncoder(std.out).Encode(line); err != nil {
		l.Close()
		return failed("print the address: %w", err)
	}
	err = mcpserver.ServeHTTP(cmd.Context(), a.server, l, mcpserver.HTTPOptions{
		Token: token, AllowOrigins: h.origins, AllowHosts: h.hosts, SessionTimeout: h.sessionTimeout, Logger: s.logger,
	})
	if err != nil {
		return failed("%w", err)
	}
	return nil
}

// readToken takes the token of the flag, its variable or the file.
func (h httpSettings) readToken() (string, error) {
	if h.tokenFile == "" {
		return h.token, nil
	}
	if h.token != "" {
		return "", fmt.Errorf("the token is given twice: by --token or ESA_MCP_TOKEN, and by --token-file")
	}
	text, err := os.ReadFile(h.tokenFile)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("--token-file %s is empty", h.tokenFile)
	}
	return token, nil
}

func (h httpSettings) check(token string) error {
	host, _, err := net.SplitHostPort(h.listen)
	if err != nil {
		return fmt.Errorf("--listen %q is no address: give host:port, such as 127.0.0.1:8080", h.listen)
	}
	switch {
	case token == "" && !mcpserver.IsLoopbackHost(host):
		return fmt.Errorf("--listen %s can be reached from other machines: set a token with ESA_MCP_TOKEN or --token-file, or listen on 127.0.0.1", h.listen)
	case token != "" && (len(token) < minToken || strings.ContainsAny(token, " \t\r\n")):
		return fmt.Errorf("the token has to have at least %d characters and no blanks", minToken)
	case h.sessionTimeout < time.Second:
		return fmt.Errorf("--session-timeout has to be at least 1s, not %s", h.sessionTimeout)
	}
	for _, origin := range h.origins {
		if !strings.HasPrefix(origin, "https://") && !strings.HasPrefix(origin, "http://") || strings.Count(origin, "/") != 2 {
			return fmt.Errorf("--allow-origin %q is no origin: give scheme and host, such as https://app.example.com", origin)
		}
	}
	return nil
}
