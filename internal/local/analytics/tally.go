package analytics

import (
	"math"
	"time"
)

// tally is a list of requests in which those of one second that are alike in
// everything are one, so that a burst takes little memory and is stored quickly. It
// keeps each text once and goes by their numbers: there is little to compare, and
// nothing in the list that the garbage collector has to follow.
type tally struct {
	texts   []string
	numbers map[string]uint32
	groups  []group
	at      map[kind]int
}

// kind is what alike requests have in common.
type kind struct {
	second               int64
	texts                [visitTexts]uint32
	status, originStatus int32
}

// group is how many requests of one kind there were.
type group struct {
	kind
	n, bytes, requestBytes int64
}

// visitTexts is how many texts a request has.
const visitTexts = 17

// list are the texts of a request, always in the same order.
func (v *Visit) list() [visitTexts]*string {
	return [...]*string{&v.Host, &v.Method, &v.Path, &v.Query, &v.Protocol, &v.Referer, &v.UserAgent, &v.RequestedWith, &v.TLS,
		&v.ClientIP, &v.Country, &v.Province, &v.ISP, &v.ASN, &v.ContentType, &v.CacheStatus, &v.Version}
}

// add counts a request, unless it is of a kind of its own and there are as many
// kinds as may be; 0 is no bound. It reports whether it was counted.
func (t *tally) add(v *Visit, most int) bool { return t.addMany(v, 1, v.Bytes, v.RequestBytes, most) }

// addMany counts n alike requests.
func (t *tally) addMany(v *Visit, n, bytes, requestBytes int64, most int) bool {
	if t.at == nil {
		t.texts, t.numbers, t.at = []string{""}, map[string]uint32{}, map[kind]int{}
	}
	full := most > 0 && len(t.groups) >= most
	k := kind{second: v.Time.Unix(), status: int32(v.Status), originStatus: int32(v.OriginStatus)}
	for i, text := range v.list() {
		if k.texts[i] = t.number(*text, full); k.texts[i] == unknown {
			return false
		}
	}
	if i, ok := t.at[k]; ok {
		known := &t.groups[i]
		known.n += n
		known.bytes += bytes
		known.requestBytes += requestBytes
		return true
	}
	if full {
		return false
	}
	t.at[k] = len(t.groups)
	t.groups = append(t.groups, group{k, n, bytes, requestBytes})
	return true
}

// unknown is the number of no text.
const unknown = math.MaxUint32

// number is that of a text; 0 of the empty one, which most are. A new one gets a
// number unless the tally is full.
func (t *tally) number(text string, full bool) uint32 {
	if text == "" {
		return 0
	}
	n, ok := t.numbers[text]
	switch {
	case ok:
	case full:
		return unknown
	default:
		n = uint32(len(t.texts))
		t.texts = append(t.texts, text)
		t.numbers[text] = n
	}
	return n
}

// visit is what the requests of a group have in common.
func (t *tally) visit(g *group) Visit {
	v := Visit{Time: time.Unix(g.second, 0), Status: int(g.status), OriginStatus: int(g.originStatus)}
	for i, text := range v.list() {
		*text = t.texts[g.texts[i]]
	}
	return v
}
