package mcpserver

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"testing"
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
