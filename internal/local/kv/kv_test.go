package kv

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/apitest"
)

type bench struct{ *apitest.Bench }

func newBench(t *testing.T, cfg Config) *bench {
	t.Helper()
	b := &bench{apitest.New(t)}
	b.Floats = true
	cfg.Now = b.Clock
	b.Table = New(b.Store, cfg).Table()
	return b
}

// call answers the decoded JSON, and the status and code of an error.
func (b *bench) call(action string, params api.Params) (map[string]any, string) {
	b.T.Helper()
	out, refused := b.Do(action, params)
	if refused != nil {
		return nil, fmt.Sprintf("%d %s", refused.Status, refused.Code)
	}
	return out, ""
}

func pair(key, value string, more ...string) api.Params {
	p := api.Params{"Namespace": "ns", "Key": key, "Value": value}
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

func TestNamespaces(t *testing.T) {
	b := newBench(t, Config{})
	made := b.Must("CreateKvNamespace", api.Params{"Namespace": "ns", "Description": "of tests"})
	require.Equal(t, "online", made["Status"])
	require.Equal(t, "of tests", made["Description"])
	require.Regexp(t, `^\d{15,}$`, made["NamespaceId"])
	got := b.Must("GetKvNamespace", api.Params{"Namespace": "ns"})
	require.Equal(t, made["NamespaceId"], got["NamespaceId"])
	require.Equal(t, "1 GB", got["CapacityString"])

	for name, code := range map[string]string{"ns": "406 InvalidNameSpace.Duplicate", "a b": "400 InvalidNameSpace.Malformed",
		"a/b": "400 InvalidNameSpace.Malformed", strings.Repeat("a", 129): "400 InvalidNameSpace.Malformed"} {
		_, got := b.call("CreateKvNamespace", api.Params{"Namespace": name})
		require.Equal(t, code, got, name)
	}
	for i := range 9 {
		b.Must("CreateKvNamespace", api.Params{"Namespace": fmt.Sprint("n", i)})
	}
	_, code := b.call("CreateKvNamespace", api.Params{"Namespace": "eleventh"})
	require.Equal(t, "406 InvalidNameSpace.QuotaFull", code)

	b.Must("PutKv", pair("k", "v"))
	b.Must("DeleteKvNamespace", api.Params{"Namespace": "ns"})
	for action := range map[string]bool{"DeleteKvNamespace": true, "GetKvNamespace": true, "GetKv": true, "PutKv": true, "DeleteKv": true, "ListKvs": true, "GetKvDetail": true} {
		_, code := b.call(action, pair("k", "v"))
		require.Equal(t, "404 InvalidNameSpace.NotFound", code, action)
	}
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	_, code = b.call("GetKv", pair("k", ""))
	require.Equal(t, "404 InvalidKey.NotFound", code, "pairs go with their namespace")
}

func TestAccount(t *testing.T) {
	b := newBench(t, Config{})
	require.Equal(t, "online", b.Must("DescribeKvAccountStatus", api.Params{})["Status"])
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	b.Must("PutKv", pair("abc", "1234567", "ExpirationTtl", "60"))
	b.Must("PutKv", pair("é", "12345678"))
	got := b.Must("GetKvAccount", api.Params{})
	require.EqualValues(t, 20, got["CapacityUsed"], "keys and values, in bytes")
	require.EqualValues(t, 10, got["NamespaceQuota"])
	require.EqualValues(t, 1, got["NamespaceUsed"])
	require.Equal(t, "10 GB", got["CapacityString"])
	require.Equal(t, "20 B", got["NamespaceList"].([]any)[0].(map[string]any)["CapacityUsedString"])

	b.Now = b.Now.Add(time.Minute)
	require.EqualValues(t, 10, b.Must("GetKvAccount", api.Params{})["CapacityUsed"], "what expired takes no room")
	b.Must("PutKv", pair("é", "1"))
	require.EqualValues(t, 3, b.Must("GetKvNamespace", api.Params{"Namespace": "ns"})["CapacityUsed"])
	b.Must("DeleteKv", pair("é", ""))
	require.EqualValues(t, 0, b.Must("GetKvNamespace", api.Params{"Namespace": "ns"})["CapacityUsed"])
}

func TestOfflineAccount(t *testing.T) {
	b := newBench(t, Config{Offline: true})
	require.Equal(t, "offline", b.Must("DescribeKvAccountStatus", api.Params{})["Status"])
	for action := range b.Table {
		if action != "DescribeKvAccountStatus" {
			_, code := b.call(action, pair("k", "v"))
			require.Equal(t, "404 InvalidAccount.NotFound", code, action)
		}
	}
}

func TestPutRefusals(t *testing.T) {
	b := newBench(t, Config{Capacity: 4_000_000})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	now := b.Now.Unix()
	at := func(d int64) string { return strconv.FormatInt(now+d, 10) }
	big := strings.Repeat("x", maxValue)
	for name, c := range map[string]struct {
		params api.Params
		code   string
	}{
		"plain":               {pair("k-1_2.3", "v"), ""},
		"Chinese":             {pair("键", "值"), ""},
		"longest key":         {pair(strings.Repeat("é", 512), "v"), ""},
		"key too long":        {pair(strings.Repeat("k", 513), "v"), "400 InvalidKey.ExceedsMaximum"},
		"space":               {pair("a b", "v"), "400 InvalidKey.Malformed"},
		"slash":               {pair("a/b", "v"), "400 InvalidKey.Malformed"},
		"backslash":           {pair(`a\b`, "v"), "400 InvalidKey.Malformed"},
		"broken UTF-8":        {pair("a\xff", "v"), "400 InvalidKey.Malformed"},
		"largest value":       {pair("k", big), ""},
		"value too large":     {pair("k", big+"x"), "400 InvalidValue.ExceedsMaximum"},
		"no Base64":           {pair("k", "***", "Base64", "true"), "400 InvalidValue.Malformed"},
		"expiration past":     {pair("k", "v", "Expiration", at(-1)), "400 InvalidExpiration"},
		"expiration now":      {pair("k", "v", "Expiration", at(0)), "400 InvalidExpiration"},
		"expiration":          {pair("k", "v", "Expiration", at(1)), ""},
		"TTL 0":               {pair("k", "v", "ExpirationTtl", "0"), "400 InvalidExpirationTtl"},
		"TTL too large":       {pair("k", "v", "ExpirationTtl", "9223372036854775807"), "400 InvalidExpirationTtl"},
		"TTL wins":            {pair("k", "v", "Expiration", at(-1), "ExpirationTtl", "5"), ""},
		"malformed namespace": {api.Params{"Namespace": "a b", "Key": "k", "Value": "v"}, "400 InvalidNameSpace.Malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, code := b.call("PutKv", c.params)
			require.Equal(t, c.code, code)
		})
	}
	b.Must("PutKv", pair("one", big[:1_900_000]))
	b.Must("PutKv", pair("k", big[:1_900_000]))
	_, code := b.call("PutKv", pair("two", big[:1_900_000]))
	require.Equal(t, "403 InvalidKey.ExceedsCapacity", code)
	b.Must("PutKv", pair("one", big[:1_900_000])) // no more than it was
}

func TestValues(t *testing.T) {
	b := newBench(t, Config{})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	put := b.Must("PutKv", pair("k", "héllo"))
	require.Equal(t, map[string]any{"Length": "6", "Value": "héllo"}, put)
	require.Equal(t, "héllo", b.Must("GetKv", pair("k", ""))["Value"])
	require.Equal(t, base64.StdEncoding.EncodeToString([]byte("héllo")), b.Must("GetKv", pair("k", "", "Base64", "true"))["Value"])

	bytes := []byte{0, 1, 0xff, 0xfe, '\n'}
	text := base64.StdEncoding.EncodeToString(bytes)
	require.Equal(t, map[string]any{"Length": "5", "Value": text}, b.Must("PutKv", pair("bin", text, "Base64", "true")))
	require.Equal(t, text, b.Must("GetKv", pair("bin", "", "Base64", "true"))["Value"])

	long := strings.Repeat("a", 100) + strings.Repeat("中", 57) + strings.Repeat("z", 100)
	put = b.Must("PutKv", pair("long", long))
	require.Equal(t, strings.Repeat("a", 100)+"..."+strings.Repeat("z", 100), put["Value"])
	require.Equal(t, strconv.Itoa(len(long)), put["Length"])
	require.Equal(t, long, b.Must("GetKv", pair("long", ""))["Value"])
	require.Equal(t, long[:100], b.Must("PutKv", pair("long", long[:100]))["Value"])
	require.Equal(t, long[:100], b.Must("GetKvDetail", pair("long", ""))["Value"], "overwritten")

	b.Must("DeleteKv", pair("k", ""))
	for _, action := range []string{"DeleteKv", "GetKv", "GetKvDetail"} {
		_, code := b.call(action, pair("k", ""))
		require.Equal(t, "404 InvalidKey.NotFound", code, action)
		_, code = b.call(action, pair("a/b", ""))
		require.Equal(t, "400 InvalidKey.Malformed", code, action)
	}
}

func TestExpiry(t *testing.T) {
	b := newBench(t, Config{})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	b.Must("PutKv", pair("ttl", "v", "ExpirationTtl", "60", "Expiration", strconv.FormatInt(b.Now.Unix()+5, 10)))
	b.Must("PutKv", pair("at", "v", "Expiration", strconv.FormatInt(b.Now.Unix()+30, 10)))
	b.Must("PutKv", pair("stays", "v"))
	require.NotContains(t, b.Must("GetKvDetail", pair("stays", "")), "ExpirationTtl")

	b.Now = b.Now.Add(29 * time.Second)
	require.Equal(t, "31", b.Must("GetKvDetail", pair("ttl", ""))["ExpirationTtl"])
	require.EqualValues(t, 3, b.Must("ListKvs", pair("", ""))["TotalCount"])
	b.Now = b.Now.Add(time.Second)
	_, code := b.call("GetKv", pair("at", ""))
	require.Equal(t, "404 InvalidKey.NotFound", code)
	require.EqualValues(t, 2, b.Must("ListKvs", pair("", ""))["TotalCount"])
	_, code = b.call("DeleteKv", pair("at", ""))
	require.Equal(t, "404 InvalidKey.NotFound", code)
	b.Must("PutKv", pair("ttl", "v")) // without a time it stays again
	b.Now = b.Now.Add(time.Hour)
	require.Equal(t, "v", b.Must("GetKv", pair("ttl", ""))["Value"])
}

func TestListKvs(t *testing.T) {
	b := newBench(t, Config{})
	b.Must("CreateKvNamespace", api.Params{"Namespace": "ns"})
	for i := range 120 {
		b.Must("PutKv", pair(fmt.Sprintf("a%03d", i), "v"))
	}
	b.Must("PutKv", pair("b%", "v"))
	list := func(more ...string) (keys []string, total any) {
		p := api.Params{"Namespace": "ns"}
		for i := 0; i < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		out := b.Must("ListKvs", p)
		for _, k := range out["Keys"].([]any) {
			keys = append(keys, k.(map[string]any)["Name"].(string))
			require.Equal(t, "2026-03-01T12:00:00Z", k.(map[string]any)["UpdateTime"])
		}
		return keys, out["TotalCount"]
	}
	keys, total := list()
	require.Len(t, keys, 50)
	require.Equal(t, "a000", keys[0])
	require.EqualValues(t, 121, total)
	keys, _ = list("PageSize", "100", "PageNumber", "2")
	require.Len(t, keys, 21)
	require.Equal(t, "b%", keys[20])
	keys, total = list("Prefix", "a11")
	require.Len(t, keys, 10)
	require.EqualValues(t, 10, total)
	keys, _ = list("Prefix", "%")
	require.Empty(t, keys)

	for name, c := range map[string]struct{ size, number, code string }{
		"size":         {"101", "1", "400 InvalidPageSize"},
		"number":       {"50", "0", "400 InvalidPageNumber"},
		"window":       {"100", "501", "400 InvalidPageNumber"},
		"last of them": {"100", "500", ""},
		"overflow":     {"100", "9223372036854775807", "400 InvalidPageNumber"},
	} {
		_, code := b.call("ListKvs", api.Params{"Namespace": "ns", "PageSize": c.size, "PageNumber": c.number})
		require.Equal(t, c.code, code, name)
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KB", 100 << 20: "100 MB", 10 << 30: "10 GB", 5 << 40: "5 TB"} {
		require.Equal(t, want, sizeText(n))
	}
}
