package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// Every code of the table, answered by the service, reaches the model with what
// it really means. Codes that the client repeats calls for are tested where the
// waiting can be left out.
func TestEveryCodeReachesTheModel(t *testing.T) {
	repeated := map[string]bool{"InternalException": true, "undefined": true, "ServiceUnavailable": true, "TooManyRequests": true,
		"Throttling*": true, "LockFailed": true, "Site.ServiceBusy": true, "Record.ServiceBusy": true, "Record.NoResource": true,
		"Record.Reserved": true, "TooQuickRequests": true, "SignatureNonceUsed": true, "ServiceInvokeFailed": true}
	r := newRig(t)
	s := start(t, r.env, "--toolsets", "sites")
	for _, c := range esa.Codes() {
		if repeated[c.Code] {
			continue
		}
		code := strings.TrimSuffix(c.Code, "*")
		r.set(func(w http.ResponseWriter, _ *http.Request) bool { return refuseAPI(w, 400, code, "No.") })
		text := s.refuse(t, "list_sites", nil)
		require.Contains(t, text, code+" (from ListSites, HTTP 400)")
		require.Contains(t, text, "Meaning: "+strings.TrimSpace(c.Meaning+" "+c.Fix), code)
		require.Contains(t, text, "Request id: 00000000-0000-0000-0000-00000000BAD0")
		if c.Next != "" && c.Next != "list_sites" {
			require.Contains(t, text, "Tool: "+c.Next, code)
		}
	}
}
