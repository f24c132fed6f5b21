package routine

import (
	"net"
	"strings"
)

// Env is an environment that versions are deployed to.
type Env string

// The two environments.
const (
	Staging    Env = "staging"
	Production Env = "production"
)

// DefaultDomain is the host name, without port, of a routine's default domain:
// NAME.HASH.er.localhost for production and NAME.HASH.staging.er.localhost for
// staging. The service itself shows staging at the same name through other
// addresses, which one machine cannot do.
func (s *Service) DefaultDomain(name string, env Env) string {
	return name + s.domainTail(env)
}

func (s *Service) domainTail(env Env) string {
	tail := "." + s.store.Account().Hash + "."
	if env == Staging {
		tail += "staging."
	}
	return tail + s.cfg.DefaultDomainSuffix
}

// ParseHost tells which routine and environment a Host header means; false if it
// is no default domain of this account. The port does not matter.
func (s *Service) ParseHost(host string) (name string, env Env, ok bool) {
	if strings.Contains(host, ":") {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.HasSuffix(host, s.cfg.DefaultDomainSuffix) {
		return "", "", false // most hosts are of sites
	}
	for _, env := range []Env{Production, Staging} {
		name, ok := strings.CutSuffix(host, s.domainTail(env))
		if ok && validName.MatchString(name) {
			return name, env, true
		}
	}
	return "", "", false
}
