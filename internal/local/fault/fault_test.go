package fault

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func one(t *testing.T, text string) Fault {
	t.Helper()
	faults, err := ParseAll(text)
	require.NoError(t, err)
	require.Len(t, faults, 1)
	return faults[0]
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Fault{
		"action=PutKv code=TooQuickRequests rate=0.2":       {Actions: []string{"PutKv"}, Code: "TooQuickRequests", Rate: 0.2},
		"action=put_kv,*Record drop=half":                   {Actions: []string{"PutKv", "*Record"}, Drop: DropHalf},
		"site=12 latency=1500ms":                            {Site: "12", Latency: 1500 * time.Millisecond},
		"latency=2s when=after":                             {Latency: 2 * time.Second, After: true},
		`code=X status=418 message="a \"b\"; c" when=after`: {Code: "X", Status: 418, Message: `a "b"; c`, After: true},
		"action=Get*,ListKvs stale=30s":                     {Actions: []string{"Get*", "ListKvs"}, Stale: 30 * time.Second},
		"namespace=ns stale=30s":                            {Namespace: "ns", Stale: 30 * time.Second},
		"routine=shop build=hang count=2 skip=1 seed=9":     {Routine: "shop", Build: BuildHang, Count: 2, Skip: 1, Seed: 9},
		"action=Upload code=AccessDenied":                   {Actions: []string{Upload}, Code: "AccessDenied"},
	} {
		got := one(t, text)
		require.Equal(t, want, got, text)
		require.Equal(t, got, one(t, got.String()), "written as %s", got)
	}
	faults, err := ParseAll("code=A; code=B\n\n drop=after ;")
	require.NoError(t, err)
	require.Len(t, faults, 3)
}

func TestParseErrorsNameTheWord(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "a fault is empty",
		" ;\n":                          "a fault is empty",
		"code":                          `"code": write it as NAME=VALUE`,
		"code=":                         `"code="`,
		"kode=X":                        `"kode=X": there is no such word`,
		"code=X code=Y":                 `"code=Y": code is given twice`,
		"action=PutKy code=X":           `"action=PutKy": ESA has no operation "PutKy": did you mean PutKv`,
		"action=Zap* code=X":            "no operation is called Zap*",
		"action=Put[K]v code=X":         `"Put[K]v" is no name`,
		"rate=0 code=X":                 `"rate=0": rate is above 0`,
		"rate=NaN code=X":               `"rate=NaN"`,
		"latency=ten":                   `"latency=ten"`,
		"latency=2h":                    "at most 10m0s",
		"drop=never":                    `"drop=never": it is before or after or half`,
		"status=42 code=X":              `"status=42": it is a number from 200 to 599`,
		"site=shop code=X":              `"site=shop"`,
		"rate=0.5":                      "say what happens",
		"code=X drop=half":              "exclude each other",
		"status=500 drop=half":          "status and message belong to code",
		"drop=half when=after":          "when belongs to code and latency",
		"build=fail action=PutKv":       "only routine narrows it",
		"stale=3s action=PutKv":         "only reads of KV lag behind: GetKv",
		"stale=3s action=GetKv,GetSite": "only reads of KV lag behind: GetKv",
		"stale=3s site=5":               "a read of KV has a namespace",
		"stale=3s latency=1s":           "latency goes with code and drop only",
		"action=Upload site=1 code=X":   "an upload has no site",
		`code="X`:                       "a quote is not closed",
		"code=X; kode=Y":                `"kode=Y"`,
		"\xff=1":                        "not valid UTF-8",
	} {
		_, err := ParseAll(text)
		require.ErrorContains(t, err, want, "%q", text)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"action=PutKv code=TooQuickRequests rate=0.2", `message="a\"b" code=X`, "stale=1s;build=fail", "drop=half\ncode=Ö"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseAll(text)
		if err != nil {
			return
		}
		for _, fault := range faults {
			again, err := ParseAll(fault.String())
			require.NoError(t, err, fault.String())
			require.Equal(t, []Fault{fault}, again)
		}
	})
}

func TestWhichCallsAreMet(t *testing.T) {
	for _, c := range []struct {
		fault string
		call  Call
		met   bool
	}{
		{"code=X", Call{Action: "PutKv"}, true},
		{"code=X", Call{Action: Upload}, false},
		{"action=* code=X", Call{Action: Upload}, false},
		{"action=Upload,PutKv code=X", Call{Action: Upload}, true},
		{"action=*Kv code=X", Call{Action: "PutKv"}, true},
		{"action=*Kv code=X", Call{Action: "PutKvWithHighCapacity"}, false},
		{"site=1 code=X", Call{Action: "GetSite", Site: "1"}, true},
		{"site=1 code=X", Call{Action: "GetSite", Site: "12"}, false},
		{"site=1 code=X", Call{Action: "ListSites"}, false},
		{"namespace=a routine=b code=X", Call{Action: "PutKv", Namespace: "a"}, false},
	} {
		s := NewSet(one(t, c.fault))
		require.Equal(t, c.met, s.Call(c.call).Code == "X", "%s and %+v", c.fault, c.call)
	}
}

func TestHowOften(t *testing.T) {
	met := func(fault string, calls int) (hits []int) {
		s := NewSet(one(t, fault))
		for i := range calls {
			if s.Call(Call{Action: "PutKv"}).Code != "" {
				hits = append(hits, i)
			}
		}
		require.Equal(t, calls, s.List()[0].Matched)
		require.Equal(t, len(hits), s.List()[0].Hit)
		return hits
	}
	require.Equal(t, []int{2, 3}, met("code=X skip=2 count=2", 10))
	first := met("code=X rate=0.2 seed=4", 1000)
	require.InDelta(t, 200, len(first), 50)
	require.Equal(t, first, met("code=X rate=0.2 seed=4", 1000), "the same seed chooses the same calls")
	require.NotEqual(t, first, met("code=X rate=0.2 seed=5", 1000))
	require.Empty(t, NewSet().Call(Call{Action: "PutKv"}))
	require.Empty(t, (*Set)(nil).Call(Call{Action: "PutKv"}))
}

func TestInjection(t *testing.T) {
	s := NewSet(one(t, "latency=1ms"), one(t, "code=TooQuickRequests"), one(t, "code=Other latency=2ms when=after"))
	in := s.Call(Call{Action: "PutKv"})
	require.Equal(t, "TooQuickRequests", in.Code)
	require.Equal(t, 429, in.Status)
	require.False(t, in.After)
	require.Equal(t, time.Millisecond, in.before)
	require.Equal(t, 2*time.Millisecond, in.after)
	require.True(t, in.Before(t.Context()))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, Injection{before: time.Hour}.Before(gone))
	require.NoError(t, Injection{after: time.Hour}.Carry(gone).Err())
	require.Error(t, Injection{}.Carry(gone).Err())

	require.Equal(t, 1, s.Remove(2))
	require.Equal(t, "Other", s.Call(Call{Action: "PutKv"}).Code)
	require.Equal(t, 0, s.Remove(2))
	require.Equal(t, 2, s.Remove(0))
	require.Empty(t, s.List())
}

func TestStatusOf(t *testing.T) {
	for code, want := range map[string]int{"TooQuickRequests": 429, "Throttling.User": 400, "InternalException": 500, "Site.ServiceBusy": 503,
		"InvalidKey.NotFound": 404, "Forbidden.RAM": 403, "CompileRuleError": 400, "InvalidNameSpace.QuotaFull": 406} {
		require.Equal(t, want, StatusOf(code, "PutKv"), code)
	}
	require.Equal(t, 403, StatusOf("SignatureDoesNotMatch", Upload))
	require.Equal(t, 400, StatusOf("SignatureDoesNotMatch", "PutKv"))
}

func TestReadsThatLag(t *testing.T) {
	s := NewSet(one(t, "stale=5s namespace=a"), one(t, "stale=2s"))
	require.Equal(t, 5*time.Second, s.MaxLag())
	require.Equal(t, 5*time.Second, s.Lag(Call{Action: "GetKv", Namespace: "a"}))
	require.Equal(t, 2*time.Second, s.Lag(Call{Action: "GetKv", Namespace: "b"}))
	require.Empty(t, s.Call(Call{Action: "GetKv", Namespace: "a"}), "a lag does not meet the call itself")
}

func TestBuilds(t *testing.T) {
	s := NewSet(one(t, "build=fail routine=shop count=1"))
	require.False(t, s.Build(t.Context(), "other"))
	require.True(t, s.Build(t.Context(), "shop"))
	require.False(t, s.Build(t.Context(), "shop"))

	hanging := s.Add(one(t, "build=hang"))[0]
	done := make(chan bool)
	go func() { done <- s.Build(context.Background(), "shop") }()
	require.Eventually(t, func() bool { return s.List()[1].Hit == 1 }, time.Minute, time.Millisecond)
	select {
	case <-done:
		t.Fatal("the build did not hang")
	default:
	}
	s.Remove(hanging)
	require.False(t, <-done)

	s.Add(one(t, "build=hang"))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, s.Build(gone, "shop"))
}

// TestUploads holds each fault against a storage that counts what it stores.
func TestUploads(t *testing.T) {
	for text, want := range map[string]struct {
		stored, status int // status 0: the connection is cut
	}{
		"action=PutKv code=X":                        {1, 201},
		"action=Upload code=AccessDenied":            {0, 403},
		"action=Upload code=E status=500 when=after": {1, 500},
		"action=Upload latency=1ms":                  {1, 201},
		"action=Upload latency=1ms when=after":       {1, 201},
		"action=Upload drop=before":                  {0, 0},
		"action=Upload drop=after":                   {1, 0},
		"action=Upload drop=half":                    {1, 0},
	} {
		stored := 0
		storage := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			stored++
			w.WriteHeader(201)
			w.Write([]byte("stored"))
		})
		refuse := func(w http.ResponseWriter, _ *http.Request, status int, code, _ string) {
			w.WriteHeader(status)
			w.Write([]byte(code))
		}
		w := httptest.NewRecorder()
		status := func() (status int) {
			defer func() {
				if p := recover(); p != nil {
					require.Equal(t, http.ErrAbortHandler, p)
					status = 0
				}
			}()
			NewSet(one(t, text)).Uploads(storage, refuse).ServeHTTP(w, httptest.NewRequest("POST", "/oss/b/", nil))
			return w.Code
		}()
		require.Equal(t, want.status, status, text)
		require.Equal(t, want.stored, stored, text)
	}
}
