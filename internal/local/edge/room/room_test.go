package room

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hall is one room whose time stands still between calls.
type hall struct {
	rooms *Rooms
	s     Settings
	now   time.Time
}

func newHall(s Settings) *hall {
	return &hall{rooms: New(func(int) int { return 0 }), s: s, now: time.Unix(1_800_000_000, 0)}
}

func (h *hall) enter(token string) Outcome { return h.rooms.Enter(1, h.s, token, h.now) }

func TestPlacesInTheOrderOfArrival(t *testing.T) {
	h := newHall(Settings{Total: 2, PerMinute: 2, Session: 5 * time.Minute, Renew: true})
	a, b := h.enter(""), h.enter("made up")
	require.True(t, a.In && b.In)
	require.NotEqual(t, "made up", b.Token, "nobody chooses his token")
	c, d := h.enter(""), h.enter("")
	require.Equal(t, Outcome{Token: c.Token, Keep: Lapse, Place: 1, Queue: 1, Wait: 3 * time.Minute}, c, "two places, each free after five minutes")
	require.Equal(t, Outcome{Token: d.Token, Keep: Lapse, Place: 2, Queue: 2, Wait: 5 * time.Minute}, d)
	require.Equal(t, 1, h.enter(c.Token).Place, "asking again keeps the place")
	require.True(t, h.rooms.Enter(2, h.s, "", h.now).In, "another room has places of its own")

	for range 4 { // a stays by asking, c and d keep their places
		h.now = h.now.Add(75 * time.Second)
		require.True(t, h.enter(a.Token).In)
		require.Equal(t, h.now.Unix() < 1_800_000_300, h.enter(c.Token).Place == 1)
		h.enter(d.Token)
	}
	require.True(t, h.enter(c.Token).In, "the place of b, whose session ended")
	require.Equal(t, 1, h.enter(d.Token).Place)
	require.Equal(t, 2, h.enter(b.Token).Place, "b begins anew")
}

func TestNewUsersPerMinute(t *testing.T) {
	h := newHall(Settings{Total: 100, PerMinute: 2, Session: time.Hour})
	h.enter("")
	h.now = h.now.Add(30 * time.Second)
	h.enter("")
	c := h.enter("")
	require.Equal(t, 1, c.Place)
	require.Equal(t, time.Minute, c.Wait)
	h.now = h.now.Add(29 * time.Second)
	require.Equal(t, 1, h.enter(c.Token).Place)
	h.now = h.now.Add(time.Second)
	require.True(t, h.enter(c.Token).In)
	require.False(t, h.enter("").In)
}

func TestSessionsThatAreNotRenewed(t *testing.T) {
	h := newHall(Settings{Total: 1, PerMinute: 1, Session: 2 * time.Minute})
	a := h.enter("")
	h.now = h.now.Add(90 * time.Second)
	require.Equal(t, Outcome{In: true, Token: a.Token, Keep: 30 * time.Second}, h.enter(a.Token))
	b := h.enter("")
	h.now = h.now.Add(30 * time.Second)
	require.True(t, h.enter(b.Token).In)
	require.False(t, h.enter(a.Token).In)
}

func TestPlacesLapse(t *testing.T) {
	h := newHall(Settings{Total: 1, PerMinute: 1, Session: time.Hour})
	h.enter("")
	gone, stays := h.enter(""), h.enter("")
	h.now = h.now.Add(Lapse)
	require.Equal(t, 2, h.enter(stays.Token).Place)
	h.now = h.now.Add(time.Second)
	require.Equal(t, 1, h.enter(stays.Token).Place)
	require.Equal(t, 2, h.enter(gone.Token).Place)
}

func TestHoldAndShuffle(t *testing.T) {
	h := newHall(Settings{Total: 10, PerMinute: 10, Session: time.Hour, Hold: true})
	start := h.now.Add(time.Minute)
	a, b, c := h.enter(""), h.enter(""), h.enter("")
	require.Equal(t, 3, c.Place)
	require.Zero(t, c.Wait, "nobody knows")
	h.now, h.s.Shuffle = start, start
	h.s.PerMinute = 1
	require.Equal(t, []int{3, 1, 2}, []int{h.enter(a.Token).Place, h.enter(b.Token).Place, h.enter(c.Token).Place})
	h.s.Hold = false
	require.False(t, h.enter(a.Token).In)
	require.True(t, h.enter(b.Token).In)
}

func TestRandomOrder(t *testing.T) {
	h := newHall(Settings{Total: 1, PerMinute: 1, Session: time.Hour, Random: true})
	h.enter("")
	a := h.enter("")
	require.Equal(t, 1, h.enter("").Place, "this draw puts each new one first")
	require.Equal(t, 2, h.enter(a.Token).Place)
}

func TestRoomsHaveBounds(t *testing.T) {
	h := newHall(Settings{Total: 1, PerMinute: 1, Session: time.Minute})
	h.enter("")
	for range maxWaiting {
		require.NotEmpty(t, h.enter("").Token)
		h.s.Random = true // cheaper: the place is found at once
	}
	require.Equal(t, Outcome{Queue: maxWaiting}, h.enter(""))
	h.now = h.now.Add(idle + time.Second)
	h.rooms.Enter(2, h.s, "", h.now)
	require.Len(t, h.rooms.queues, 1, "an empty room is forgotten")
}

// However many come at once, no more are in than may be.
func TestNoMoreThanTheTotal(t *testing.T) {
	h := newHall(Settings{Total: 7, PerMinute: 50, Session: time.Minute})
	var wait sync.WaitGroup
	in := make(chan bool, 100)
	for range 100 {
		wait.Go(func() { in <- h.enter("").In })
	}
	wait.Wait()
	close(in)
	n := 0
	for one := range in {
		if one {
			n++
		}
	}
	require.Equal(t, 7, n)
}
