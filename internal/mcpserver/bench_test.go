package mcpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/server"

	"github.com/esa-mcp/esa-mcp/tools"
)

// One echo call after the other through the whole loop, over pipes.
func BenchmarkCall(b *testing.B) {
	s := newBench(Options{})
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- ServeStdio(b.Context(), s.MCPServer, inR, outW, StdioOptions{}) }()
	out := bufio.NewReader(outR)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		io.WriteString(inW, callLine(strconv.Itoa(i), "echo_text", `{"text":"hi","n":974351557069296}`)+"\n")
		if _, err := out.ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
	inW.Close()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// One echo call after the other over HTTP, on one connection.
func BenchmarkCallHTTP(b *testing.B) {
	h := NewHTTPHandler(newBench(Options{}).MCPServer, HTTPOptions{})
	defer h.Close()
	srv := httptest.NewServer(h)
	defer srv.Close()
	post := func(body, session string) *http.Response {
		r, err := http.NewRequest(http.MethodPost, srv.URL+HTTPPath, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(server.HeaderKeySessionID, session)
		res, err := srv.Client().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return res
	}
	session := post(initLine, "").Header.Get(server.HeaderKeySessionID)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		if res := post(callLine(strconv.Itoa(i), "echo_text", `{"text":"hi","n":974351557069296}`), session); res.StatusCode != http.StatusOK {
			b.Fatal(res.Status)
		}
	}
}

// Many calls in flight.
func BenchmarkCallPipelined(b *testing.B) {
	s := newBench(Options{})
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- ServeStdio(b.Context(), s.MCPServer, inR, outW, StdioOptions{MaxWaiting: 1 << 30}) }()
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		w := bufio.NewWriter(inW)
		for i := range b.N {
			fmt.Fprintln(w, callLine(strconv.Itoa(i), "echo_text", `{"text":"hi","n":974351557069296}`))
		}
		w.Flush()
		inW.Close()
	}()
	go io.Copy(io.Discard, outR)
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// From nothing to the answer to initialize: the tools must not show.
func BenchmarkStart(b *testing.B) {
	all := tools.All()
	for _, count := range []int{0, len(all), 200} {
		b.Run(fmt.Sprintf("tools=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o := Options{Version: "1", Deps: func() (*tools.Deps, error) { return nil, nil }}
				for i := range count {
					o.Tools = append(o.Tools, tools.Define(all[i%len(all)].Meta(), func(_ context.Context, _ *tools.Deps, in echoIn) (echoOut, error) {
						return echoOut(in), nil
					}))
				}
				err := ServeStdio(b.Context(), New(o), strings.NewReader(initLine), io.Discard, StdioOptions{})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
