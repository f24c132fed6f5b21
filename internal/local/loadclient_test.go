package local

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ask is wrk's stand-in where that is not installed. It takes more of the
// processor from the servers than wrk does.
func ask(t *testing.T, to target, connections int, span time.Duration) load {
	t.Helper()
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	before := to.cpu(t)
	end := time.Now().Add(span)
	for range connections {
		wait.Go(func() {
			times := drive(t, strings.TrimPrefix(to.address, "http://"), to.raw(), end)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
		})
	}
	wait.Wait()
	require.NotEmpty(t, all)
	slices.Sort(all)
	n := len(all)
	return load{float64(n) / span.Seconds(), all[n/2], all[n*99/100], (to.cpu(t) - before) / time.Duration(n)}
}

// raw is the request as it goes over the wire.
func (to target) raw() string {
	if to.body == "" {
		return "GET " + to.path + " HTTP/1.1\r\nHost: " + to.host + "\r\n\r\n"
	}
	return "POST " + to.path + " HTTP/1.1\r\nHost: " + to.host + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(to.body)) + "\r\n\r\n" + to.body
}

// drive is one connection's work.
func drive(t *testing.T, address, request string, end time.Time) (times []time.Duration) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer c.Close()
	in, line := bufio.NewReaderSize(c, 64<<10), []byte(request)
	for time.Now().Before(end) {
		started := time.Now()
		if _, err := c.Write(line); err != nil {
			t.Error(err)
			return times
		}
		if err := readAnswer(in); err != nil {
			t.Error(err)
			return times
		}
		times = append(times, time.Since(started))
	}
	return times
}

// readAnswer reads a response of known length, and little more than that.
func readAnswer(in *bufio.Reader) error {
	length, first := -1, true
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			rest, _ := io.ReadAll(io.LimitReader(in, 1000))
			return fmt.Errorf("answered %q %q", line, rest)
		}
		first = false
		if len(line) <= 2 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("an answer without Content-Length")
	}
	_, err := in.Discard(length)
	return err
}
