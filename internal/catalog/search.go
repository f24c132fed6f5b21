package catalog

import (
	"sort"
	"strings"
	"sync"
	"unicode"
)

// Match is one answer of Search.
type Match struct {
	Action string
	Area   string
	Effect Effect
	// Score ranks the matches; only its order has a meaning.
	Score int
}

// Weights of a word by where it was found.
const (
	actionWeight = 8
	areaWeight   = 4
	paramWeight  = 1
	prefixShare  = 2 // a word that is only a prefix of the one found counts 1/2
)

type indexed struct {
	op                   *Operation
	actionWords, areaSet []string
	paramWords           []string
}

var searchIndex = sync.OnceValue(func() []indexed {
	names := Actions()
	index := make([]indexed, 0, len(names))
	for _, name := range names {
		op, _ := Lookup(name)
		entry := indexed{op: op, actionWords: words(op.Action), areaSet: words(op.Area), paramWords: words(alsoCalled(name))}
		for _, p := range op.Params {
			if !p.System {
				entry.paramWords = append(entry.paramWords, words(p.Name)...)
			}
		}
		index = append(index, entry)
	}
	return index
})

// alsoCalled are words by which people look for an operation that has none of
// them in its names.
func alsoCalled(action string) string {
	if action == "CreateRoutineCodeDeployment" {
		return "rollback roll back traffic split percentage canary gray release"
	}
	return ""
}

// meant is what ESA calls a word of other services; empty if that is not known.
func meant(word string) string {
	switch word {
	case "flush", "invalidate", "invalidation", "clear":
		return "purge"
	case "prefetch", "warm":
		return "preload"
	case "zone":
		return "site"
	case "worker", "lambda":
		return "routine"
	case "cert", "tls":
		return "certificate"
	case "firewall":
		return "waf"
	case "nameserver":
		return "ns"
	case "metric", "analytic":
		return "data"
	}
	return ""
}

// Search returns the operations that fit the words of query best, at most limit
// of them. A word is looked for in the action's name, its area and its
// parameters' names; plural and singular are one. An operation must fit every
// word that any operation fits, or that means one that it fits.
func Search(query string, limit int) []Match {
	asked := words(query)
	if len(asked) == 0 || limit <= 0 {
		return nil
	}
	index := searchIndex()
	known := asked[:0:0]
	for _, w := range asked {
		if !anyScores(index, w) {
			w = meant(w)
		}
		if w != "" && anyScores(index, w) {
			known = append(known, w)
		}
	}
	if len(known) == 0 {
		return nil
	}
	var found []Match
	for i := range index {
		total, fits := 0, true
		for _, w := range known {
			s := index[i].score(w)
			if s == 0 {
				fits = false
				break
			}
			total += s
		}
		if fits {
			// Of two that fit alike, the one with the shorter name is meant.
			total = total*16 - len(index[i].actionWords)
			op := index[i].op
			found = append(found, Match{op.Action, op.Area, op.Effect, total})
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].Score > found[j].Score })
	if len(found) > limit {
		found = found[:limit]
	}
	return found
}

func anyScores(index []indexed, word string) bool {
	for i := range index {
		if index[i].score(word) > 0 {
			return true
		}
	}
	return false
}

func (e *indexed) score(word string) int {
	return best(e.actionWords, word)*actionWeight + best(e.areaSet, word)*areaWeight + best(e.paramWords, word)*paramWeight
}

func best(have []string, word string) int {
	score := 0
	for _, h := range have {
		switch {
		case h == word:
			return prefixShare
		case len(word) >= 3 && strings.HasPrefix(h, word):
			score = 1
		}
	}
	return score
}

// words splits CamelCase, kebab-case and prose into lower-case singular words.
func words(s string) []string {
	var out []string
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			out = append(out, singular(strings.ToLower(string(cur))))
			cur = cur[:0]
		}
	}
	runes := []rune(strings.ReplaceAll(s, "IPv", "Ipv")) // one word, whatever its capitals say
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) || beforeLower {
				flush()
			}
		}
		cur = append(cur, r)
	}
	flush()
	return out
}

func singular(w string) string {
	switch {
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us"):
		return w[:len(w)-1]
	}
	return w
}

// Nearest returns the candidate closest to name by edit distance, without regard
// to case and underscores; the empty string if there is no candidate.
func Nearest(name string, candidates []string) string {
	want := fold(name)
	bestName, bestDistance := "", -1
	for _, c := range candidates {
		if d := distance(want, fold(c)); bestDistance < 0 || d < bestDistance {
			bestName, bestDistance = c, d
		}
	}
	return bestName
}

// Similar reports whether one name may be meant to be the other: at most half of the
// longer one would have to change.
func Similar(name, other string) bool {
	a, b := fold(name), fold(other)
	return 2*distance(a, b) <= max(len(a), len(b))
}

// distance is the Levenshtein distance in bytes: names are ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
