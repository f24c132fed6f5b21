package local

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// BenchmarkGateway is signed calls over HTTP to a local ESA that keeps its state
// in a folder: one client after the other's answer, and sixteen at once. The
// client does as little as it can.
func BenchmarkGateway(b *testing.B) {
	shop := newShop(b, Options{Dir: b.TempDir()})
	must(b, shop.info, "CreateKvNamespace", map[string]any{"Namespace": "ns"})
	must(b, shop.info, "PutKv", map[string]any{"Namespace": "ns", "Key": "k", "Value": "v"})
	var last atomic.Int64
	for _, c := range []struct {
		action string
		query  func() url.Values
		body   string
	}{
		{"GetSite", func() url.Values { return url.Values{"SiteId": {fmt.Sprint(shop.id)}} }, ""},
		{"GetKv", func() url.Values { return url.Values{"Namespace": {"ns"}, "Key": {"k"}} }, ""},
		{"PutKv", func() url.Values {
			return url.Values{"Namespace": {"ns"}, "Key": {fmt.Sprint("key-", last.Add(1)%1000)}}
		}, "Value=" + strings.Repeat("v", 100)},
	} {
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", c.action, clients), func(b *testing.B) {
				transport := &http.Transport{MaxIdleConnsPerHost: clients}
				defer transport.CloseIdleConnections()
				one := func() error { return send(transport, shop.info, c.action, c.query(), c.body) }
				require.NoError(b, one())
				started := time.Now()
				if clients == 1 {
					for range b.N {
						if err := one(); err != nil {
							b.Fatal(err)
						}
					}
				} else {
					b.SetParallelism(clients / 2)
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							if err := one(); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				b.ReportMetric(float64(b.N)/time.Since(started).Seconds(), "calls/s")
			})
		}
	}
}

// send signs a call as the protocol has it, with no more than it takes, and reads
// the answer.
func send(transport *http.Transport, info Info, action string, query url.Values, body string) error {
	op, ok := catalog.Lookup(action)
	if !ok {
		return fmt.Errorf("no operation %s", action)
	}
	raw := strings.ReplaceAll(query.Encode(), "+", "%20")
	r, err := http.NewRequest(op.Method, info.Endpoint+"/?"+raw, strings.NewReader(body))
	if err != nil {
		return err
	}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	signed := [][2]string{{"host", r.Host}, {"x-acs-action", action}, {"x-acs-content-sha256", hash(body)},
		{"x-acs-date", time.Now().UTC().Format("2006-01-02T15:04:05Z")}, {"x-acs-signature-nonce", rand.Text()}, {"x-acs-version", catalog.Version}}
	if body != "" {
		signed = append([][2]string{{"content-type", "application/x-www-form-urlencoded"}}, signed...)
	}
	canonical, names := op.Method+"\n/\n"+raw+"\n", []string{}
	for _, h := range signed {
		canonical += h[0] + ":" + h[1] + "\n"
		names = append(names, h[0])
		if h[0] != "host" {
			r.Header.Set(h[0], h[1])
		}
	}
	list := strings.Join(names, ";")
	mac := hmac.New(sha256.New, []byte(info.AccessKeySecret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hash(canonical+"\n"+list+"\n"+hash(body))))
	r.Header.Set("Authorization", fmt.Sprintf("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%x", info.AccessKeyID, list, mac.Sum(nil)))
	res, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close() // only read
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", action, res.Status, answer)
	}
	return err
}
