package esa

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// The two benchmarks share a stub, so that their difference is what the client
// costs.
func stub(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"RequestId":"R-1","SiteModel":{"SiteId":1234567890123,"SiteName":"example.com","Status":"active"}}`)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

func measure(b *testing.B, call func() error) {
	b.ReportAllocs()
	took := make([]time.Duration, 0, 1024)
	for b.Loop() {
		start := time.Now()
		if err := call(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
}

func BenchmarkCall(b *testing.B) {
	client := testClient(b, stub(b))
	measure(b, func() error {
		_, err := client.Call(b.Context(), "GetSite", Params{"SiteId": 1234567890123})
		return err
	})
}

func BenchmarkBareHTTP(b *testing.B) {
	url := stub(b) + "/?SiteId=1234567890123"
	client := &http.Client{Transport: &http.Transport{}}
	measure(b, func() error {
		resp, err := client.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	})
}
