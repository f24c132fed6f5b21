package gateway

import (
	"sync"
	"time"
)

// nonces remembers which nonces were used while a replay could still pass the
// date check. Two maps take turns, so that forgetting costs nothing per call.
type nonces struct {
	mu        sync.Mutex
	now, last map[string]struct{}
	turned    time.Time
}

// keepNonces is how long a call may pass the date check at most: from the
// window before its date to the window after.
const keepNonces = 2 * dateWindow

func newNonces() *nonces {
	return &nonces{now: map[string]struct{}{}, last: map[string]struct{}{}}
}

// use marks a nonce as used and reports whether it was fresh.
func (n *nonces) use(nonce string, at time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch age := at.Sub(n.turned); {
	case age > 2*keepNonces:
		n.now, n.last, n.turned = map[string]struct{}{}, map[string]struct{}{}, at
	case age > keepNonces:
		n.now, n.last, n.turned = map[string]struct{}{}, n.now, at
	}
	if _, used := n.now[nonce]; used {
		return false
	}
	if _, used := n.last[nonce]; used {
		return false
	}
	n.now[nonce] = struct{}{}
	return true
}
