package mcpserver

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSession(t *testing.T) {
	b := newBench(Options{})
	s, err := Connect(t.Context(), b.MCPServer)
	require.NoError(t, err)

	list, err := s.ListTools(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 6)
	require.Contains(t, string(list[0]), `"additionalProperties":false`, "the schema as the server has it")

	got, err := s.CallTool(t.Context(), "echo_text", json.RawMessage(`{"n":9007199254740993,"text":"<é>"}`), nil)
	require.NoError(t, err)
	require.False(t, got.IsError)
	require.JSONEq(t, `{"text":"<é>","n":9007199254740993}`, string(got.Structured))
	require.Contains(t, string(got.Structured), "9007199254740993")
	require.Equal(t, `{"text":"<é>","n":9007199254740993}`, got.Text)

	got, err = s.CallTool(t.Context(), "echo_text", nil, nil)
	require.NoError(t, err)
	require.False(t, got.IsError)

	var steps []string
	got, err = s.CallTool(t.Context(), "report_progress", json.RawMessage(`{"count":300}`), func(done, total float64, message string) {
		require.Equal(t, float64(len(steps)+1), done)
		require.Equal(t, 300.0, total)
		steps = append(steps, message)
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"text":"","n":300}`, string(got.Structured))
	require.Len(t, steps, 300)

	got, err = s.CallTool(t.Context(), "return_error", nil, nil)
	require.NoError(t, err)
	require.True(t, got.IsError)
	require.Equal(t, "return_error failed: it broke", got.Text)
	require.Empty(t, got.Structured)

	_, err = s.CallTool(t.Context(), "ecko_text", nil, nil)
	require.ErrorContains(t, err, `did you mean "echo_text"?`)
	require.NoError(t, s.Close())
	_, err = s.CallTool(t.Context(), "echo_text", nil, nil)
	require.Error(t, err)
}

// Giving up a call cancels it at the server; closing cancels what runs.
func TestSessionCancel(t *testing.T) {
	b := newBench(Options{})
	s, err := Connect(t.Context(), b.MCPServer)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := s.CallTool(ctx, "hang_long", nil, nil)
		failed <- err
	}()
	<-b.started
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	<-b.ended

	go func() {
		got, err := s.CallTool(t.Context(), "hang_long", nil, nil)
		if err == nil && got.IsError {
			err = errors.New(got.Text) // the tool's own answer may still get through
		}
		failed <- err
	}()
	<-b.started
	require.NoError(t, s.Close())
	require.Error(t, <-failed)
	<-b.ended
}

// Two sessions of one server do not disturb each other.
func TestTwoSessions(t *testing.T) {
	b := newBench(Options{})
	one, err := Connect(t.Context(), b.MCPServer)
	require.NoError(t, err)
	two, err := Connect(t.Context(), b.MCPServer)
	require.NoError(t, err)
	require.NoError(t, one.Close())
	_, err = two.CallTool(t.Context(), "echo_text", nil, nil)
	require.NoError(t, err)
	require.NoError(t, two.Close())
}
