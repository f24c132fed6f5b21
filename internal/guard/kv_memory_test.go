package guard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestKVMemory(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	gone := subject{reads: "GetKv"}
	is := func(text string) subject { return subject{reads: "GetKv", state: map[string]any{"Value": text}} }
	unsure := subject{reads: "GetKv", unsure: true}
	m := newKVMemory(func() time.Time { return now }, nil)
	settled := func(key string, seen, want subject) {
		t.Helper()
		require.Equal(t, want, m.settle("ns", key, seen))
	}
	settled("k", is("0"), is("0"))
	m.add("ns", "k", kvText("0"), kvText("1"))
	settled("k", is("0"), is("1"))
	settled("k", is("1"), is("1"))
	settled("k", gone, gone) // somebody else has deleted it
	m.add("ns", "k", kvText("1"), kvValue{sure: true})
	settled("k", is("0"), gone)
	settled("k", is("1"), gone)
	settled("k", is("2"), is("2"))
	m.add("ns", "k", kvValue{sure: true}, kvValue{})
	settled("k", is("1"), unsure)
	m.add("ns", "k", kvValue{}, kvText("3"))
	settled("k", is("1"), is("3"))
	settled("k", is("4"), unsure) // what may be of the unknown write

	expiring := kvText("1")
	expiring.until = now.Add(time.Minute)
	m.add("ns", "short", kvValue{sure: true}, expiring)
	settled("short", gone, is("1"))
	long := strings.Repeat("x", maxKVText+1)
	m.add("ns", "long", kvText("0"), kvText(long))
	settled("long", is("0"), unsure)
	settled("long", is(long), is(long))
	for i := range maxKVHistory + 5 {
		m.add("ns", "often", kvText(fmt.Sprint("v", i-1)), kvText(fmt.Sprint("v", i)))
	}
	settled("often", is("v12"), is("v20"))
	settled("often", is("v0"), unsure)

	now = now.Add(time.Minute)
	settled("short", gone, gone)
	now = now.Add(KVLag)
	settled("k", is("1"), is("1"))
	settled("often", is("v0"), is("v0"))
	settled("long", is("0"), is("0"))
	settled("short", gone, gone)
	require.Empty(t, m.keys)
	require.Zero(t, m.texts)

	m.blur("ns", now)
	settled("k", is("1"), unsure)
	require.Equal(t, is("1"), m.settle("other", "k", is("1")))
	m.add("ns", "k", kvValue{}, kvText("2"))
	settled("k", is("2"), unsure) // both at once
	now = now.Add(time.Second)
	m.add("ns", "k", kvValue{}, kvText("2"))
	settled("k", is("2"), is("2"))
}

func TestKVMemoryIsBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := newKVMemory(func() time.Time { return now }, nil)
	text := strings.Repeat("x", maxKVText)
	for i := range maxKVRemembered + 1 {
		m.add("ns", fmt.Sprint(i), kvValue{sure: true}, kvText(text))
		require.LessOrEqual(t, m.texts, maxKVTexts)
	}
	require.Empty(t, m.keys)
	require.Zero(t, m.texts)
	require.True(t, m.settle("ns", "1", subject{reads: "GetKv"}).unsure)
	require.False(t, m.settle("other", "1", subject{reads: "GetKv"}).unsure)
}
