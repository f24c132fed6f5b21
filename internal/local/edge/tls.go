package edge

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/ciphers"
	"github.com/esa-mcp/esa-mcp/internal/local/edge/plan"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/rule"
)

// Certificates finds what the edge shows to visitors.
type Certificates interface {
	// CertificateFor is the certificate of a site's host; nil if none covers it.
	CertificateFor(ctx context.Context, host string) (*tls.Certificate, error)
	// IssueFor makes one for names that belong to no site.
	IssueFor(ctx context.Context, domain string) (*tls.Certificate, error)
	// OriginCertificateFor is what the edge shows to the origin of a host; nil if
	// it shows nothing.
	OriginCertificateFor(ctx context.Context, siteID int64, host string) (*tls.Certificate, error)
}

// NewTLS returns how the edge speaks TLS: with the certificate of the name that
// the visitor asks for. A name that none covers gets none, so the handshake
// fails, as on the service.
func NewTLS(svc *routine.Service, plans *plan.Source, certificates Certificates) *tls.Config {
	t := &tlsSource{svc: svc, plans: plans, certificates: certificates, issued: map[string]*tls.Certificate{}}
	return &tls.Config{MinVersion: tls.VersionTLS10, GetConfigForClient: t.config}
}

type tlsSource struct {
	svc          *routine.Service
	plans        *plan.Source
	certificates Certificates

	mu      sync.Mutex
	issued  map[string]*tls.Certificate // of default domains, by wildcard
	version int64                       // of the configuration that the next are of
	found   map[string]*tls.Certificate // by host
}

// config is the configuration for one visitor.
func (t *tlsSource) config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	ctx := hello.Context()
	name := plan.HostName(hello.ServerName)
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if name == "" || net.ParseIP(name) != nil {
		return c, nil
	}
	var certificate *tls.Certificate
	var err error
	if _, _, ours := t.svc.ParseHost(name); ours {
		certificate, err = t.ofDefaultDomain(ctx, name)
	} else {
		certificate, err = t.ofSite(ctx, name, c)
	}
	if err != nil {
		return nil, err
	}
	if !canHTTP2(hello, c) {
		c.NextProtos = []string{"http/1.1"}
	}
	if certificate != nil {
		c.Certificates = []tls.Certificate{*certificate}
	}
	return c, nil
}

// canHTTP2 reports whether the handshake can end as HTTP/2 wants it: with TLS 1.3,
// or with TLS 1.2 and one of its better cipher suites (RFC 9113, 9.2.2).
func canHTTP2(hello *tls.ClientHelloInfo, c *tls.Config) bool {
	can := func(version uint16) bool {
		return (c.MaxVersion == 0 || version <= c.MaxVersion) && version >= c.MinVersion && slices.Contains(hello.SupportedVersions, version)
	}
	return can(tls.VersionTLS13) || can(tls.VersionTLS12) && slices.ContainsFunc(ciphers.Group("strict", ""), func(id uint16) bool {
		return slices.Contains(hello.CipherSuites, id) && (c.CipherSuites == nil || slices.Contains(c.CipherSuites, id))
	})
}

// ofDefaultDomain issues one certificate for all names of an environment.
func (t *tlsSource) ofDefaultDomain(ctx context.Context, name string) (*tls.Certificate, error) {
	_, parent, _ := strings.Cut(name, ".")
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.issued[parent]; c != nil && time.Now().Before(c.Leaf.NotAfter) {
		return c, nil
	}
	c, err := t.certificates.IssueFor(ctx, "*."+parent)
	if err == nil {
		t.issued[parent] = c
	}
	return c, err
}

// ofSite finds the certificate of a site's host, and sets up what the site's
// HTTPS configuration says; nil if the host has no HTTPS.
func (t *tlsSource) ofSite(ctx context.Context, name string, c *tls.Config) (*tls.Certificate, error) {
	host, err := t.plans.Host(ctx, name)
	if err != nil || host.Site == nil || host.Site.Status != "active" {
		return nil, err
	}
	var s plan.Settings
	for _, one := range host.Site.Configs(plan.HTTPSBasic) {
		if one.When.Match(func() *rule.Request { return &rule.Request{URL: "https://" + name + "/", TLS: true} }) {
			s = append(s, one)
		}
	}
	if s.Text("Https") == "off" {
		return nil, nil
	}
	if s.Text("Http2") == "off" {
		c.NextProtos = []string{"http/1.1"}
	}
	c.CipherSuites = ciphers.Group(s.Text("CiphersuiteGroup"), s.Text("Ciphersuite"))
	c.MinVersion, c.MaxVersion = versions(s)
	if c.MinVersion == 0 {
		return nil, nil
	}
	return t.certificate(ctx, name)
}

// versions are the oldest and the newest version of TLS that are on. By default
// those before 1.2 are off. TLS has no gaps: what is off in between stays on.
func versions(s plan.Settings) (oldest, newest uint16) {
	for _, v := range []struct {
		name    string
		version uint16
		usual   bool
	}{{"Tls10", tls.VersionTLS10, false}, {"Tls11", tls.VersionTLS11, false}, {"Tls12", tls.VersionTLS12, true}, {"Tls13", tls.VersionTLS13, true}} {
		text := s.Text(v.name)
		if text == "on" || text == "" && v.usual {
			if oldest == 0 {
				oldest = v.version
			}
			newest = v.version
		}
	}
	return oldest, newest
}

// certificate finds the certificate of a host, once for each version of the
// configuration. That there is none is asked anew: one may be on its way.
func (t *tlsSource) certificate(ctx context.Context, name string) (*tls.Certificate, error) {
	version, err := t.plans.Version(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	if version != t.version || len(t.found) > 1000 {
		t.version, t.found = version, map[string]*tls.Certificate{}
	}
	c := t.found[name]
	t.mu.Unlock()
	if c != nil && time.Now().Before(c.Leaf.NotAfter) {
		return c, nil
	}
	if c, err = t.certificates.CertificateFor(ctx, name); err != nil || c == nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if version == t.version {
		t.found[name] = c
	}
	return c, nil
}
