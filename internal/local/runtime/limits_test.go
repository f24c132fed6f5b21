package runtime

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// handler wraps statements into a routine. The path /ok always answers.
func handler(statements string) Script {
	return text(`export default { async fetch(request) {
		if (request.url.endsWith("/ok")) return new Response("ok");
		` + statements + `
		return new Response("done");
	} }`)
}

func get(t *testing.T, s *Service, script Script, path string) (string, error) {
	t.Helper()
	r, err := s.Run(t.Context(), script, newTestHost().host(), httptest.NewRequest("GET", "http://x.localhost"+path, nil))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

// TestHostileCode: each ends with the right error, and the routine's next request
// is served.
func TestHostileCode(t *testing.T) {
	var throw *ErrThrow
	tests := map[string]struct {
		code string
		want any // an error, or what is thrown
	}{
		"endless loop":             {`for (;;);`, ErrCPU},
		"loop that catches":        {`for (;;) { try { for (;;); } catch {} finally { for (;;); } }`, ErrCPU},
		"endless microtasks":       {`const f = () => { Promise.resolve().then(f); }; f(); await new Promise(() => {});`, ErrCPU},
		"a regular expression":     {`/^(a+)+\1$/.test("a".repeat(40) + "b");`, ErrCPU},
		"loop in many turns":       {`for (;;) { await new Promise((r) => setTimeout(r)); for (let i = 0; i < 1e5; i++); }`, ErrCPU},
		"arrays":                   {`const all = []; for (;;) all.push(new Array(1000).fill(1.5));`, ErrMemory},
		"a string that doubles":    {`let s = "x"; for (;;) s += s + "y";`, &throw},
		"strings":                  {`const all = [], s = "x".repeat(1 << 20); for (;;) all.push((s + all.length).replace("0", ""));`, ErrMemory},
		"buffers":                  {`const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));`, ErrMemory},
		"a string too long":        {`"x".repeat(2 ** 40);`, &throw},
		"deep recursion":           {`const f = () => f() + 1; f();`, &throw},
		"deep JSON":                {`JSON.parse("[".repeat(1e6));`, &throw},
		"never settles":            {`await new Promise(() => {});`, ErrNeverSettles},
		"waits for too long":       {`await new Promise((r) => setTimeout(r, 600000));`, ErrWall},
		"waits with a short timer": {`for (;;) await new Promise((r) => setTimeout(r, 50));`, ErrWall},
		"throws null":              {`throw null;`, &throw},
		"throws a broken error":    {`throw { get name() { throw 1 }, get message() { throw 2 } };`, &throw},
		"breaks the prototypes":    {`Array.prototype.push = Promise.prototype.then = Map.prototype.get = null; return new Response("x");`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if raceDetector && (errors.Is(wanted(tt.want), ErrMemory) || strings.HasPrefix(name, "deep")) {
				t.Skip("takes minutes")
			}
			// The low ones leave time for the next request on a busy machine.
			limits := Limits{CPU: 2 * time.Minute, Wall: 5 * time.Minute}
			switch tt.want {
			case ErrCPU:
				limits.CPU = 2 * time.Second
			case ErrWall:
				limits.Wall = 5 * time.Second
			}
			s := New(Config{Limits: limits})
			defer s.Close()
			script := handler(tt.code)
			_, err := get(t, s, script, "/")
			switch want := tt.want.(type) {
			case error:
				require.ErrorIs(t, err, want)
			case **ErrThrow:
				var got *ErrThrow
				require.ErrorAs(t, err, &got)
			}
			body, err := get(t, s, script, "/ok")
			if tt.want == nil { // the machine may be of no use, but nothing else is harmed
				body, err = get(t, s, handler(""), "/ok")
			}
			require.NoError(t, err)
			require.Equal(t, "ok", body)
		})
	}
}

func wanted(want any) error {
	err, _ := want.(error)
	return err
}

// TestUninterruptible: the engine cannot stop this, so its machine is given up
// and the next request has another.
func TestUninterruptible(t *testing.T) {
	if testing.Short() {
		t.Skip("leaves a goroutine that computes on")
	}
	var log bytes.Buffer
	s := New(Config{Limits: Limits{CPU: time.Second, Grace: 200 * time.Millisecond}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	defer s.Close()
	script := handler(`new Array(2 ** 27).join("ab");`)
	_, err := get(t, s, script, "/")
	require.ErrorIs(t, err, ErrCPU)
	require.Contains(t, log.String(), "gave up", "its machine is not waited for")
	body, err := get(t, s, script, "/ok")
	require.NoError(t, err)
	require.Equal(t, "ok", body)
}

// TestHarmsOnlyItsRequest: requests of other routines, and of the same, are
// answered while one loops.
func TestHarmsOnlyItsRequest(t *testing.T) {
	s := New(Config{Limits: Limits{CPU: 2 * time.Second}, Parallel: 2})
	defer s.Close()
	script, other := handler(`for (;;);`), handler(``)
	looping := make(chan error)
	go func() {
		_, err := get(t, s, script, "/")
		looping <- err
	}()
	for range 5 {
		for _, one := range []Script{script, other} {
			body, err := get(t, s, one, "/ok")
			require.NoError(t, err)
			require.Equal(t, "ok", body)
		}
	}
	require.ErrorIs(t, <-looping, ErrCPU)
}

// TestWaitingMachines: more requests than may compute can wait at the same time,
// each for an answer that comes when all of them wait, and with a timer.
func TestWaitingMachines(t *testing.T) {
	const requests = 20
	s := New(patient(Config{Parallel: 1}))
	defer s.Close()
	script := handler(`
		setTimeout(() => {}, 600000);
		await fetch("http://slow.example/");`)
	var waiting atomic.Int64
	together := make(chan struct{})
	host := Host{Fetch: func(ctx context.Context, r *http.Request) (*http.Response, error) {
		if waiting.Add(1) == requests {
			close(together)
		}
		select {
		case <-together:
			return answerOf(r.URL.Host, r), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			r, err := s.Run(t.Context(), script, host, httptest.NewRequest("GET", "http://x.localhost/wait", nil))
			require.NoError(t, err)
			defer r.Body.Close()
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, "done", string(body))
		})
	}
	all.Wait()
}

// TestFewMachinesComputeAtATime: also when many are there, since requests that
// waited have left them.
func TestFewMachinesComputeAtATime(t *testing.T) {
	s := New(patient(Config{Parallel: 1}))
	defer s.Close()
	script := text(`export default { async fetch(request) {
		if (request.url.endsWith("/wait")) await new Promise((r) => setTimeout(r, 300));
		else { console.log("in"); for (const t = Date.now(); Date.now() - t < 30;); console.log("out"); }
		return new Response("ok");
	} }`)
	var computing, most atomic.Int64
	host := Host{Log: func(_, message string) {
		switch message {
		case "in":
			most.Store(max(most.Load(), computing.Add(1)))
		case "out":
			computing.Add(-1)
		}
	}}
	for _, path := range []string{"/wait", "/compute"} {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				_, err := s.Run(t.Context(), script, host, httptest.NewRequest("GET", "http://x.localhost"+path, nil))
				require.NoError(t, err)
			})
		}
		all.Wait()
	}
	require.EqualValues(t, 1, most.Load())
}

// TestMachinesAreBounded: many versions share few machines.
func TestMachinesAreBounded(t *testing.T) {
	s := New(patient(Config{MaxMachines: 3, Parallel: 2}))
	defer s.Close()
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for range 3 {
				body, err := get(t, s, handler("// "+strings.Repeat("x", i)), "/ok")
				require.NoError(t, err)
				require.Equal(t, "ok", body)
			}
		})
	}
	all.Wait()
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	require.LessOrEqual(t, s.pool.total, 3)
	require.LessOrEqual(t, len(s.pool.versions), 3)
}

// TestIdleMachinesGo: a machine that nobody uses is dropped.
func TestIdleMachinesGo(t *testing.T) {
	s := New(patient(Config{IdleFor: 20 * time.Millisecond}))
	defer s.Close()
	_, err := get(t, s, handler(""), "/ok")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		return s.pool.total == 0 && len(s.pool.versions) == 0
	}, time.Minute, 5*time.Millisecond)
}

func TestClosed(t *testing.T) {
	s := New(patient(Config{}))
	script := handler("")
	_, err := get(t, s, script, "/ok")
	require.NoError(t, err)
	s.Close()
	_, err = get(t, s, script, "/ok")
	require.ErrorIs(t, err, ErrClosed)
	require.Zero(t, s.pool.total)
}

// TestCallerGivesUp: who waits for a machine or for the code can stop waiting.
func TestCallerGivesUp(t *testing.T) {
	s := New(patient(Config{MaxMachines: 1}))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	script := handler(`await new Promise((r) => setTimeout(r, 20000));`)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			_, err := s.Run(ctx, script, Host{}, httptest.NewRequest("GET", "http://x.localhost/", nil))
			require.ErrorIs(t, err, ErrWall)
		})
	}
	all.Wait()
	body, err := get(t, s, script, "/ok")
	require.NoError(t, err)
	require.Equal(t, "ok", body)
}

// TestLoadFails: an error of the source is the caller's, and asked for again.
func TestLoadFails(t *testing.T) {
	s := New(patient(Config{}))
	defer s.Close()
	gone, calls := errors.New("gone"), 0
	script := Script{Key: "k", Load: func(context.Context) (string, error) {
		if calls++; calls == 1 {
			return "", gone
		}
		return `export default { fetch: () => new Response("ok") }`, nil
	}}
	_, err := get(t, s, script, "/")
	require.ErrorIs(t, err, gone)
	body, err := get(t, s, script, "/")
	require.NoError(t, err)
	require.Equal(t, "ok", body)
	_, err = get(t, s, script, "/")
	require.NoError(t, err)
	require.Equal(t, 2, calls, "the source is kept")
}

// TestVisitorLeaves: a stream that nobody reads ends its code.
func TestVisitorLeaves(t *testing.T) {
	s := New(patient(Config{}))
	defer s.Close()
	script := handler(`
		const chunk = new Uint8Array(1 << 16);
		return new Response(new ReadableStream({ pull(c) { c.enqueue(chunk); } }));`)
	r, err := s.Run(t.Context(), script, Host{}, httptest.NewRequest("GET", "http://x.localhost/", nil))
	require.NoError(t, err)
	_, err = io.ReadFull(r.Body, make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	waitForIdle(t, s)
}

// waitForIdle waits until no machine serves a request.
func waitForIdle(t *testing.T, s *Service) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		for _, v := range s.pool.versions {
			if v.active > 0 {
				return false
			}
		}
		return true
	}, time.Minute, 5*time.Millisecond)
}

// TestNoGoroutinesStay: machines that were dropped leave nothing behind.
func TestNoGoroutinesStay(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Config{Limits: Limits{CPU: 2 * time.Second}})
	for range 3 {
		_, err := get(t, s, handler(`for (;;);`), "/")
		require.ErrorIs(t, err, ErrCPU)
		_, err = get(t, s, handler(``), "/ok")
		require.NoError(t, err)
	}
	s.Close()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, time.Minute, 10*time.Millisecond)
}

// TestStacksAreShort: what calls itself until the stack is full has a stack that can
// be read.
func TestStacksAreShort(t *testing.T) {
	s := New(patient(Config{}))
	defer s.Close()
	_, err := get(t, s, handler(`const again = () => again(); again();`), "/")
	var throw *ErrThrow
	require.ErrorAs(t, err, &throw)
	require.Equal(t, "InternalError: stack overflow", throw.Message)
	require.Equal(t, 20, strings.Count(Reason(err), "\n"))
}
