package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// exchange runs the binary, writes input to it, closes that and returns what it
// printed, line by line, each parsed as JSON.
func exchange(t *testing.T, input io.Reader, env []string, args ...string) (answers []map[string]any, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env, cmd.Stdin = env, input
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(t, cmd.Run(), log.String())
	scanner := bufio.NewScanner(&out)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var answer map[string]any
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &answer), "not JSON on standard output: %q", scanner.Text())
		require.Equal(t, "2.0", answer["jsonrpc"], scanner.Text())
		answers = append(answers, answer)
	}
	require.NoError(t, scanner.Err())
	return answers, log.String()
}

const handshake = `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
`

func byID(t *testing.T, answers []map[string]any, id any) map[string]any {
	t.Helper()
	for _, a := range answers {
		if a["id"] == id {
			return a
		}
	}
	t.Fatalf("no answer to %v in %v", id, answers)
	return nil
}

func TestOnlyProtocolOnStandardOutput(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	garbage := strings.Join([]string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_sites","arguments":{}}}`,
		`this is not JSON`, `{"jsonrpc":"2.0"`, `[]`, `42`, `"text"`, ``, `null`, "\x00\x01\xff",
		`{"jsonrpc":"2.0","id":2,"method":"no/such/method"}`,
		`{"jsonrpc":"1.0","id":3,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"no_such_tool"}}`,
		`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":"wrong"}`,
		`{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`,
		`[{"jsonrpc":"2.0","id":"b1","method":"ping"},{"jsonrpc":"2.0","id":"b2","method":"ping"}]`,
		`{"jsonrpc":"2.0","id":6,"method":"ping"}`, // and no newline at the end
	}, "\n")
	env := append(r.env, "DEBUG=dara,tea,credential")
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env, cmd.Stdin = env, strings.NewReader(handshake+garbage)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(t, cmd.Run(), log.String())
	require.Contains(t, out.String(), `"id":9007199254740993`, "ids come back digit for digit")
	for _, secret := range []string{r.info.AccessKeySecret, "Authorization", "ACS3-HMAC"} {
		require.NotContains(t, out.String(), secret)
		require.NotContains(t, log.String(), secret)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Contains(t, lines[0], `"id":"hello"`, "initialize is answered first")
	answered := map[string]bool{}
	for _, line := range lines {
		require.True(t, json.Valid([]byte(line)), "not JSON on standard output: %q", line)
		for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
			if strings.Contains(line, `"id":`+id+",") || strings.Contains(line, `"id":`+id+"}") {
				answered[id] = true
			}
		}
	}
	require.Len(t, answered, 6, "every request with an id is answered: %s", out.String())
	require.NotContains(t, out.String(), "json: cannot unmarshal", "no Go type names in errors")
}

func TestHugeLine(t *testing.T) {
	start := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"deploy_html","arguments":{"name":"huge","html":"`
	huge := io.MultiReader(strings.NewReader(handshake+start), io.LimitReader(endless('x'), 100<<20),
		strings.NewReader("\"}}}\n"+`{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n"))
	cmd := exec.CommandContext(t.Context(), binary, "--local", "--local-dir", ":memory:")
	cmd.Env = environment()
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	go io.Copy(in, huge)
	var answers strings.Builder
	for lines := bufio.NewScanner(out); !strings.Contains(answers.String(), `"id":2`); {
		require.True(t, lines.Scan(), "the server lives on: %s", answers.String())
		answers.WriteString(lines.Text() + "\n")
	}
	peak := residentPeak(cmd.Process.Pid)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	require.Contains(t, answers.String(), "-32600")
	require.Contains(t, answers.String(), "bytes", "the limit is told")
	if !raceEnabled && peak > 0 {
		// A line may have 32 MiB; growing to that leaves some garbage.
		require.Less(t, peak, int64(192<<20), "an over-long line is not kept in memory")
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestNothingIsLostWhenInputEnds(t *testing.T) {
	t.Parallel()
	var input strings.Builder
	input.WriteString(handshake)
	for i := range 20 {
		input.WriteString(`{"jsonrpc":"2.0","id":"r` + string(rune('a'+i)) + `","method":"tools/call","params":{"name":"list_sites","arguments":{}}}` + "\n")
	}
	answers, _ := exchange(t, strings.NewReader(input.String()), environment(), "--local", "--local-dir", ":memory:")
	require.Len(t, answers, 21)
	for i := range 20 {
		require.NotNil(t, byID(t, answers, "r"+string(rune('a'+i)))["result"])
	}
}

// TestClientThatVanishes: a server whose output nobody reads any more ends in order,
// where the system would end it by a signal.
func TestClientThatVanishes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "--local", "--local-dir", t.TempDir())
	cmd.Env = environment()
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	output, write, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = write
	require.NoError(t, cmd.Start())
	require.NoError(t, write.Close())
	_, err = io.WriteString(input, handshake)
	require.NoError(t, err)
	_, err = bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, output.Close())
	// A process that another test starts just now may hold a copy of the reading end
	// until it runs its program: what is written before that breaks nothing.
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		io.WriteString(input, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n") // fails once the server has ended
		select {
		case err := <-ended:
			require.NoError(t, err)
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestVersionIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), binary, "version").Output()
	require.NoError(t, err)
	fields := strings.Fields(string(out))
	require.Equal(t, "esa-mcp", fields[0])
	answers, _ := exchange(t, strings.NewReader(handshake), environment())
	info := byID(t, answers, "hello")["result"].(map[string]any)["serverInfo"].(map[string]any)
	require.Equal(t, "esa", info["name"])
	require.True(t, strings.HasPrefix(info["version"].(string), fields[1]), "%v against %s", info["version"], out)
}

func TestArgumentsAreChecked(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	for name, c := range map[string]struct {
		tool string
		args arguments
		want []string
	}{
		"unknown argument": {"get_routine", arguments{"nmae": "x"}, []string{"nmae", "name"}},
		"missing argument": {"get_routine", arguments{}, []string{"name"}},
		"wrong type":       {"deploy_html", arguments{"name": []any{1}, "html": "x"}, []string{"name", "string"}},
		"out of range":     {"list_routines", arguments{"page_size": 21}, []string{"page_size", "20"}},
		"not in the list":  {"deploy_html", arguments{"name": "ab", "html": "x", "environment": "prod"}, []string{"environment", "staging", "production", "both"}},
		"bad routine name": {"deploy_html", arguments{"name": "My_Site", "html": "x"}, []string{"pages-name", "My_Site"}},
		"both contents":    {"deploy_html", arguments{"name": "ab", "html": "x", "path": "y"}, []string{"html", "path"}},
		"no content":       {"deploy_html", arguments{"name": "ab"}, []string{"html", "path"}},
		"null":             {"get_routine", arguments{"name": nil}, []string{"name"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := s.refuse(t, c.tool, c.args)
			for _, want := range c.want {
				require.Contains(t, text, want)
			}
			require.NotContains(t, text, "*", "no Go types: %s", text)
		})
	}
	callOK[tools.ListRoutinesOutput](t, s, "list_routines", arguments{"page_size": "5"}) // text for a number is meant well
}

func TestWithoutCredentials(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := start(t, environment())
	text := s.refuse(t, "list_sites", nil)
	require.Less(t, time.Since(began), time.Minute)
	for _, want := range []string{"ALIBABACLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD", "credentials", "--local"} {
		require.Contains(t, text, want)
	}
	half := start(t, environment("ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI5tHalfSet"))
	text = half.refuse(t, "list_sites", nil)
	require.Contains(t, text, "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
}

func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	unknown := start(t, append(r.env, "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI5tNobodyKnowsThis"))
	text := unknown.refuse(t, "list_sites", nil)
	require.Contains(t, text, "InvalidAccessKeyId.NotFound")
	secret := start(t, append(r.env, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=WrongSecretOf30Characters00000"))
	text = secret.refuse(t, "list_sites", nil)
	require.Contains(t, text, "SignatureDoesNotMatch")
	require.NotContains(t, text, "WrongSecretOf30Characters00000")
	require.NotContains(t, text, r.info.AccessKeyID)
	require.Contains(t, text, "equest id")
}

func TestUnreachableEndpoint(t *testing.T) {
	t.Parallel()
	s := start(t, environment("ESA_MCP_ENDPOINT=http://127.0.0.1:1", "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI5tSomeKeyOfNobody", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=secret"), "--timeout", "5s")
	text := s.refuse(t, "list_sites", nil)
	require.Contains(t, text, "127.0.0.1:1")
}
