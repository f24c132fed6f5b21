// Package room keeps the queues of waiting rooms: who is in, who waits, and at
// which place.
//
// It must not know HTTP, nor how rooms are configured: it is told the settings
// and the time with each question.
package room

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"
	"time"
)

const (
	// Refresh is how often the page of a visitor who waits asks again.
	Refresh = 20 * time.Second
	// Lapse is for how long a place is kept for a visitor who does not ask again.
	Lapse = 2 * time.Minute
	// maxWaiting bounds the visitors who wait in one room; more get no place.
	maxWaiting = 10_000
	// idle is when a queue that nobody asked about is forgotten, once it is empty.
	idle = time.Hour
)

// Settings are what a room goes by at some moment.
type Settings struct {
	Total     int           // visitors who may be in at once
	PerMinute int           // visitors who are let in within a minute
	Session   time.Duration // how long a visitor stays in without a request
	Renew     bool          // each request begins the session anew
	Random    bool          // the queue has no order
	Hold      bool          // nobody is let in who is not
	// Shuffle is a moment at which those who wait are put into a random order;
	// zero: none.
	Shuffle time.Time
}

// Outcome is what becomes of a visitor.
type Outcome struct {
	In    bool
	Token string        // is to come with the next request; empty: the room is full
	Keep  time.Duration // for how long the token is worth something
	Place int           // from 1; 0 for one who is in or has no place
	Queue int           // how many wait, this visitor included
	Wait  time.Duration // about how long, in whole minutes; 0: not known
}

// Rooms are the queues of all rooms. It is safe for concurrent use.
type Rooms struct {
	pick   func(n int) int
	mu     sync.Mutex
	queues map[int64]*queue
}

// New returns rooms without visitors; pick returns a number from 0 to n-1 and is
// called by many goroutines at once.
func New(pick func(n int) int) *Rooms { return &Rooms{pick: pick, queues: map[int64]*queue{}} }

// Enter lets a visitor in or gives him a place. token is what came of an earlier
// outcome; one that the room does not know makes a new visitor.
func (r *Rooms) Enter(id int64, s Settings, token string, now time.Time) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queues[id]
	if q == nil {
		for other, old := range r.queues {
			if old.sweep(now); old.empty() && now.Sub(old.asked) > idle {
				delete(r.queues, other)
			}
		}
		q = &queue{in: map[string]time.Time{}, known: map[string]*visitor{}}
		r.queues[id] = q
	}
	q.asked = now
	return q.enter(s, token, now, r.pick)
}

// queue is one room.
type queue struct {
	asked    time.Time
	in       map[string]time.Time // until when, by token
	known    map[string]*visitor  // those who wait, by token
	waiting  []*visitor           // the same in their order
	let      [60]tally            // how many were let in, by second
	shuffled time.Time
}

type visitor struct {
	token string
	seen  time.Time
}

type tally struct {
	second int64
	n      int
}

func (q *queue) empty() bool { return len(q.in) == 0 && len(q.waiting) == 0 }

// sweep forgets sessions that ended and places that lapsed.
func (q *queue) sweep(now time.Time) {
	for token, until := range q.in {
		if !now.Before(until) {
			delete(q.in, token)
		}
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(v *visitor) bool {
		gone := now.Sub(v.seen) > Lapse
		if gone {
			delete(q.known, v.token)
		}
		return gone
	})
}

func (q *queue) enter(s Settings, token string, now time.Time, pick func(n int) int) Outcome {
	q.sweep(now)
	if until, in := q.in[token]; in {
		if s.Renew {
			until = now.Add(s.Session)
			q.in[token] = until
		}
		return Outcome{In: true, Token: token, Keep: until.Sub(now)}
	}
	if !s.Shuffle.IsZero() && !now.Before(s.Shuffle) && !q.shuffled.Equal(s.Shuffle) {
		q.shuffled = s.Shuffle
		for i := len(q.waiting) - 1; i > 0; i-- {
			j := pick(i + 1)
			q.waiting[i], q.waiting[j] = q.waiting[j], q.waiting[i]
		}
	}
	v := q.known[token]
	if v == nil {
		if len(q.waiting) >= maxWaiting {
			return Outcome{Queue: len(q.waiting)}
		}
		v = q.join(s, pick)
	}
	v.seen = now
	place := slices.Index(q.waiting, v)
	if !s.Hold && place < q.free(s, now) {
		q.waiting = slices.Delete(q.waiting, place, place+1)
		delete(q.known, v.token)
		q.in[v.token] = now.Add(s.Session)
		q.count(now)
		return Outcome{In: true, Token: v.token, Keep: s.Session}
	}
	out := Outcome{Token: v.token, Keep: Lapse, Place: place + 1, Queue: len(q.waiting)}
	if !s.Hold {
		out.Wait = s.wait(place + 1)
	}
	return out
}

// join puts a new visitor into the queue.
func (q *queue) join(s Settings, pick func(n int) int) *visitor {
	secret := make([]byte, 16)
	rand.Read(secret) // never fails
	v := &visitor{token: hex.EncodeToString(secret)}
	at := len(q.waiting)
	if s.Random {
		at = pick(at + 1)
	}
	q.waiting = slices.Insert(q.waiting, at, v)
	q.known[v.token] = v
	return v
}

// free is how many may be let in now.
func (q *queue) free(s Settings, now time.Time) int {
	let := 0
	for _, t := range q.let {
		if now.Unix()-t.second < int64(len(q.let)) {
			let += t.n
		}
	}
	return min(s.Total-len(q.in), s.PerMinute-let)
}

// count notes that one more was let in.
func (q *queue) count(now time.Time) {
	second := now.Unix()
	t := &q.let[second%int64(len(q.let))]
	if t.second != second {
		*t = tally{second: second}
	}
	t.n++
}

// wait estimates how long it takes until so many were let in: by the minute, or
// as sessions end if that is slower.
func (s Settings) wait(place int) time.Duration {
	rate := float64(s.PerMinute)
	if minutes := s.Session.Minutes(); minutes > 0 {
		rate = min(rate, float64(s.Total)/minutes)
	}
	if rate <= 0 {
		return 0
	}
	minutes := int64(float64(place) / rate)
	if float64(minutes)*rate < float64(place) {
		minutes++
	}
	return time.Duration(minutes) * time.Minute
}
