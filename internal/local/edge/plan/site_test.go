package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPlain: whatever could have a say in a file makes a site one that is not plain,
// also a family that nobody has heard of.
func TestPlain(t *testing.T) {
	plain := Site{Status: "active", configs: map[string]Settings{Cache: {{}}, Origin: {{}}}}
	require.True(t, plain.Plain())
	for name, change := range map[string]func(*Site){
		"pending": func(s *Site) { s.Status = "pending" },
		"paused":  func(s *Site) { s.Paused = true },
		"managed": func(s *Site) { s.Managed = true },
		"route":   func(s *Site) { s.Routes = []*Route{{}} },
		"rule":    func(s *Site) { s.Security = map[string][]*SecurityRule{PhaseWhitelist: {{}}} },
		"blocked": func(s *Site) { s.blocked = map[string]time.Time{"": {}} },
		"room":    func(s *Site) { s.Rooms = []*Room{{}} },
	} {
		s := plain
		change(&s)
		require.False(t, s.Plain(), name)
	}
	for _, family := range []string{Compression, CustomResponse, HTTPSApplication, HTTPSBasic, Image, IncomingRequestHeader,
		IncomingResponseHeader, Network, Redirect, RequestHeader, ResponseHeader, Rewrite, "NewFamily"} {
		s := plain
		s.configs = map[string]Settings{Cache: {{}}, family: {{}}}
		require.False(t, s.Plain(), family)
	}
}
