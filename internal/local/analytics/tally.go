package analytics

import "time"

// tally is a list of requests in which those of one second that are alike in
// everything are one, so that a burst takes little memory and is stored quickly.
type tally struct {
	groups []group
	at     map[Visit]int
}

// group is one kind of request: what its requests have in common, with the second
// as its time, and how many there were.
type group struct {
	Visit
	n, bytes, requestBytes int64
}

// add counts a request, unless it is of a kind of its own and there are as many
// kinds as may be; 0 is no bound. It reports whether it was counted.
func (t *tally) add(v Visit, most int) bool {
	return t.merge(group{v, 1, v.Bytes, v.RequestBytes}, most)
}

func (t *tally) merge(g group, most int) bool {
	g.Time, g.Bytes, g.RequestBytes, g.Rules = time.Unix(g.Time.Unix(), 0), 0, 0, ""
	if i, ok := t.at[g.Visit]; ok {
		known := &t.groups[i]
		known.n += g.n
		known.bytes += g.bytes
		known.requestBytes += g.requestBytes
		return true
	}
	if most > 0 && len(t.groups) >= most {
		return false
	}
	if t.at == nil {
		t.at = map[Visit]int{}
	}
	t.at[g.Visit] = len(t.groups)
	t.groups = append(t.groups, g)
	return true
}
