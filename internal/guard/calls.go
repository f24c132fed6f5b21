package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

func callRows() []Row {
	return area("Calls in general",
		Row{ID: "api-method", Do: []Severity{Fix}, Source: fromAPI, Where: "internal/catalog",
			Text: "Whether an operation reads or writes follows from its meaning, never from its HTTP method: some deletions are sent with GET, some reads with POST, and the wrong method answers 403."},
		Row{ID: "api-serial", Do: []Severity{Fix}, Source: fromAPI, Where: "internal/esa/sites.go",
			Text: "Writes on one site are sent one after another; LockFailed and ServiceBusy are retried."},
		Row{ID: "api-retry", Do: []Severity{Fix}, Source: fromAPI, Where: "internal/esa/retry.go",
			Text: "Only transient failures are repeated, with growing waits and a new nonce, within the deadline; never a create whose outcome is not known."},
		Row{ID: "api-endpoint", Do: []Severity{Fix}, Source: fromReports, Where: "internal/esa/endpoint.go",
			Text: "A region chooses an endpoint only where ESA has one, and an empty region makes no broken host name."},
		Row{ID: "api-partial", Do: []Severity{Warn}, Source: fromAPI,
			Text:    "An answer of 200 can hold rows that failed: each is reported.",
			Actions: []string{"BatchPutKv", "BatchPutKvWithHighCapacity", "BatchDeleteKv", "BatchDeleteKvWithHighCapacity"},
			After:   reportFailedKeys},
		Row{ID: "api-delete", Do: []Severity{Ask}, Source: fromReports,
			Text:   "An operation that deletes is confirmed, with what is there to be deleted.",
			Covers: func(op *catalog.Operation) bool { return op.Effect == catalog.Delete }, Check: askDelete,
			Reads: readsBeforeDelete},
	)
}

// maxListed bounds how many things a text names.
const maxListed = 20

// reportFailedKeys says which keys of a batch were not taken.
func reportFailedKeys(_ context.Context, c *Call) error {
	failed, _ := c.Answer()["FailKeys"].([]any)
	if len(failed) == 0 {
		return nil
	}
	done, _ := c.Answer()["SuccessKeys"].([]any)
	names := make([]string, len(failed))
	for i, key := range failed {
		names[i] = scalar(key)
	}
	c.Warn("%d of %d keys failed: %s. The others are done", len(failed), len(failed)+len(done), listed(names))
	return nil
}

// listed names things, the first maxListed of them.
func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// number is an answer's number, which some operations write as text.
func number(v json.Number) (int64, bool) {
	n, err := v.Int64()
	return n, err == nil
}
