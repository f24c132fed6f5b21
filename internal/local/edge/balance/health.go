package balance

import "sync"

// The states of an origin, as ListLoadBalancerOriginStatus documents them.
const (
	Healthy    = "healthy"
	Unhealthy  = "unhealthy"
	Unknown    = "unknown"    // it was not probed often enough to tell
	Undetected = "undetected" // its load balancer has no monitor
)

// Health is what monitors found out. It is safe for concurrent use, and as good as
// new if it is the zero value.
type Health struct {
	mu     sync.Mutex
	states map[watched]state
}

// watched is an origin, as a load balancer watches it: each has a monitor of its own.
type watched struct{ balancer, origin int64 }

type state struct {
	status, reason string
	ups, downs     int // in a row
}

// Of is the state of an origin, and why it is not healthy.
func (h *Health) Of(balancer, origin int64) (status, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.states[watched{balancer, origin}]
	if !ok {
		return Unknown, ""
	}
	return s.status, s.reason
}

// note takes the result of a probe: the reason of its failure, or none. The state
// changes after as many in a row as the monitor wants.
func (h *Health) note(w watched, failure string, up, down int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.states[w]
	if !ok {
		s.status = Unknown
	}
	if failure == "" {
		s.ups, s.downs = s.ups+1, 0
		if s.ups >= up {
			s.status, s.reason = Healthy, ""
		}
	} else {
		s.ups, s.downs = 0, s.downs+1
		if s.downs >= down {
			s.status, s.reason = Unhealthy, failure
		}
	}
	if h.states == nil {
		h.states = map[watched]state{}
	}
	h.states[w] = s
}

// forget drops what is known of an origin.
func (h *Health) forget(w watched) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.states, w)
}
