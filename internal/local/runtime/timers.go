package runtime

import (
	"container/heap"
	"slices"
	"strconv"
	"time"
)

// timer ends an operation at a moment. Those of one moment fire in the order in
// which they were started.
type timer struct {
	op  int
	due time.Time
}

// timers are those of a job, the next one first. Only the goroutine that runs
// the machine uses them.
type timers []timer

func (t timers) Len() int      { return len(t) }
func (t timers) Swap(i, k int) { t[i], t[k] = t[k], t[i] }
func (t timers) Less(i, k int) bool {
	if t[i].due.Equal(t[k].due) {
		return t[i].op < t[k].op
	}
	return t[i].due.Before(t[k].due)
}
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// start adds a timer of so many milliseconds.
func (t *timers) start(op int, ms string) error {
	n, err := strconv.Atoi(ms)
	if err != nil {
		return err
	}
	heap.Push(t, timer{op, time.Now().Add(time.Duration(n) * time.Millisecond)})
	return nil
}

// stop removes a timer and reports whether it was there.
func (t *timers) stop(op int) bool {
	at := slices.IndexFunc(*t, func(one timer) bool { return one.op == op })
	if at >= 0 {
		heap.Remove(t, at)
	}
	return at >= 0
}

// wait is how long it is until the next timer; false if there is none.
func (t timers) wait() (time.Duration, bool) {
	if len(t) == 0 {
		return 0, false
	}
	return time.Until(t[0].due), true
}

// fire removes the next timer and returns its event.
func (t *timers) fire() event { return event{op: heap.Pop(t).(timer).op} }
