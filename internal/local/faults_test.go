package local

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/fault"
)

// askDesk asks the desk of a local ESA and returns the status and the answer.
func askDesk(t *testing.T, info Info, method, path, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, info.Admin+path, strings.NewReader(body))
	require.NoError(t, err)
	r.SetBasicAuth(info.AccessKeyID, info.AccessKeySecret)
	return answerOf(t, r)
}

func answerOf(t *testing.T, r *http.Request) (int, map[string]any) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer), "%s", text)
	require.NotContains(t, string(text), "secret-")
	return res.StatusCode, answer
}

func code(err error) string {
	var refused *tea.SDKError
	if errors.As(err, &refused) {
		return *refused.Code
	}
	return ""
}

// TestFaultsOverTheWire says of each kind of fault what a client sees and what
// the local ESA has done.
func TestFaultsOverTheWire(t *testing.T) {
	for text, want := range map[string]struct {
		code   string // empty: no answer that can be read
		stored bool
	}{
		"action=PutKv code=TooQuickRequests":             {"TooQuickRequests", false},
		"action=PutKv code=InternalException when=after": {"InternalException", true},
		"action=PutKv drop=before":                       {"", false},
		"action=PutKv drop=after":                        {"", true},
		"action=PutKv drop=half":                         {"", true},
	} {
		t.Run(text, func(t *testing.T) {
			info := start(t, Options{}).Info()
			must(t, info, "CreateKvNamespace", map[string]any{"Namespace": "ns"})
			status, answer := askDesk(t, info, "POST", "/faults", text+" count=1")
			require.Equal(t, http.StatusCreated, status, answer)
			_, err := call(t, info, "PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": "v"})
			require.Error(t, err)
			require.Equal(t, want.code, code(err), "%v", err)
			_, err = call(t, info, "GetKv", map[string]any{"Namespace": "ns", "Key": "k"})
			require.Equal(t, want.stored, err == nil, "%v", err)
			must(t, info, "PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": "v"})
			_, answer = askDesk(t, info, "GET", "/faults", "")
			require.Equal(t, 1.0, answer["faults"].([]any)[0].(map[string]any)["hit"])
		})
	}
}

func TestLatency(t *testing.T) {
	faults, err := fault.ParseAll("latency=50ms action=GetErService")
	require.NoError(t, err)
	info := start(t, Options{Faults: faults}).Info()
	began := time.Now()
	must(t, info, "GetErService", nil)
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
}

func TestReadsOfKVThatLag(t *testing.T) {
	now := time.Now()
	faults, err := fault.ParseAll("stale=30s namespace=slow")
	require.NoError(t, err)
	info := start(t, Options{Faults: faults, Now: func() time.Time { return now }}).Info()
	for _, ns := range []string{"slow", "fast"} {
		must(t, info, "CreateKvNamespace", map[string]any{"Namespace": ns})
		must(t, info, "PutKv", map[string]any{"Namespace": ns, "Key": "k", "Value": "1"})
	}
	_, err = call(t, info, "GetKv", map[string]any{"Namespace": "slow", "Key": "k"})
	require.Equal(t, "InvalidKey.NotFound", code(err))
	require.Equal(t, "1", must(t, info, "GetKv", map[string]any{"Namespace": "fast", "Key": "k"})["Value"])
	require.Empty(t, must(t, info, "ListKvs", map[string]any{"Namespace": "slow"})["Keys"])

	now = now.Add(31 * time.Second)
	must(t, info, "BatchPutKv", map[string]any{"Namespace": "slow", "KvList": []any{
		map[string]any{"Key": "k", "Value": "2"}, map[string]any{"Key": "other", "Value": "3"}}})
	require.Equal(t, "1", must(t, info, "GetKv", map[string]any{"Namespace": "slow", "Key": "k"})["Value"])
	list := must(t, info, "ListKvs", map[string]any{"Namespace": "slow"})
	require.Len(t, list["Keys"], 1)
	require.Equal(t, json.Number("1"), list["TotalCount"])

	now = now.Add(31 * time.Second)
	must(t, info, "DeleteKv", map[string]any{"Namespace": "slow", "Key": "k"})
	require.Equal(t, "2", must(t, info, "GetKvDetail", map[string]any{"Namespace": "slow", "Key": "k"})["Value"])
	require.Len(t, must(t, info, "ListKvs", map[string]any{"Namespace": "slow"})["Keys"], 2)
	now = now.Add(31 * time.Second)
	_, err = call(t, info, "GetKv", map[string]any{"Namespace": "slow", "Key": "k"})
	require.Equal(t, "InvalidKey.NotFound", code(err))
}

func TestBuildsThatFail(t *testing.T) {
	faults, err := fault.ParseAll("build=fail routine=hello count=1")
	require.NoError(t, err)
	info := start(t, Options{Faults: faults}).Info()
	must(t, info, "CreateRoutine", map[string]any{"Name": "hello", "HasAssets": true})
	version := upload(t, info, "hello", []byte("<p>"))
	require.Eventually(t, func() bool {
		got := must(t, info, "GetRoutineCodeVersionInfo", map[string]any{"Name": "hello", "CodeVersion": version})
		return got["Status"] == "failed"
	}, time.Minute, 10*time.Millisecond)
}

func TestDesk(t *testing.T) {
	info := start(t, Options{}).Info()
	status, answer := askDesk(t, info, "POST", "/faults", "action=PutKv code=X\nlatency=1ms")
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, []any{1.0, 2.0}, answer["added"])
	status, answer = askDesk(t, info, "POST", "/faults", "code=Y\nkode=Z")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer["error"], `"kode=Z"`)
	status, answer = askDesk(t, info, "DELETE", "/faults/1", "")
	require.Equal(t, http.StatusOK, status)
	require.Len(t, answer["faults"], 1)
	status, answer = askDesk(t, info, "DELETE", "/faults/1", "")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, "there is no fault 1", answer["error"])
	status, _ = askDesk(t, info, "DELETE", "/faults/one", "")
	require.Equal(t, http.StatusBadRequest, status)
	status, answer = askDesk(t, info, "DELETE", "/faults", "")
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, answer["faults"])

	for _, secret := range []string{"", "wrong"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", info.Admin+"/faults", nil)
		require.NoError(t, err)
		if secret != "" {
			r.SetBasicAuth(info.AccessKeyID, secret)
		}
		status, answer := answerOf(t, r)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, answer["error"], "access key id")
	}
}
