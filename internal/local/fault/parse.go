package fault

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// Limits of what a fault may say.
const (
	maxLatency = 10 * time.Minute
	maxStale   = time.Hour
	maxNumber  = 1_000_000
)

// ParseAll reads the faults of a text, one a line or separated by semicolons.
func ParseAll(text string) ([]Fault, error) {
	var faults []Fault
	for rest := text; rest != ""; {
		words, next, err := split(rest)
		if err != nil {
			return nil, err
		}
		rest = next
		if len(words) == 0 {
			continue
		}
		f, err := parse(words)
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	if len(faults) == 0 {
		return nil, errors.New("a fault is empty: write it as in 'action=PutKv code=TooQuickRequests rate=0.2'")
	}
	return faults, nil
}

// split takes the words of the first fault off a text.
func split(text string) (words []string, rest string, err error) {
	if !utf8.ValidString(text) {
		return nil, "", errors.New("a fault is not valid UTF-8")
	}
	var word strings.Builder
	inside, quoted := false, false
	end := func() {
		if inside {
			words = append(words, word.String())
		}
		word.Reset()
		inside = false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
		case c == '"':
			quoted, inside = !quoted, true
		case quoted:
			word.WriteByte(c)
		case c == ';' || c == '\n':
			end()
			return words, text[i+1:], nil
		case c == ' ' || c == '\t' || c == '\r':
			end()
		default:
			inside = true
			word.WriteByte(c)
		}
	}
	if quoted {
		return nil, "", fmt.Errorf("a quote is not closed: %s", text)
	}
	end()
	return words, "", nil
}

func parse(words []string) (Fault, error) {
	var f Fault
	given := map[string]bool{}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return f, fmt.Errorf("fault word %q: write it as NAME=VALUE", word)
		}
		if given[name] {
			return f, fmt.Errorf("fault word %q: %s is given twice", word, name)
		}
		given[name] = true
		if err := f.set(name, value); err != nil {
			return f, fmt.Errorf("fault word %q: %w", word, err)
		}
	}
	return f, f.check(given)
}

func (f *Fault) set(name, value string) (err error) {
	switch name {
	case "action":
		f.Actions, err = actions(value)
	case "site":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return errors.New("site is the number of a site")
		}
		f.Site = value
	case "routine":
		f.Routine = value
	case "namespace":
		f.Namespace = value
	case "code":
		f.Code = value
	case "message":
		f.Message = value
	case "status":
		f.Status, err = number(value, 200, 599)
	case "when":
		f.After = value == "after"
		err = oneOf(value, "before", "after")
	case "latency":
		f.Latency, err = span(value, maxLatency)
	case "drop":
		f.Drop = Drop(value)
		err = oneOf(value, string(DropBefore), string(DropAfter), string(DropHalf))
	case "stale":
		f.Stale, err = span(value, maxStale)
	case "build":
		f.Build = Build(value)
		err = oneOf(value, string(BuildFail), string(BuildHang))
	case "rate":
		f.Rate, err = strconv.ParseFloat(value, 64)
		if err != nil || !(f.Rate > 0 && f.Rate <= 1) {
			err = errors.New("rate is above 0 and at most 1")
		}
	case "seed":
		if f.Seed, err = strconv.ParseUint(value, 10, 64); err != nil {
			err = errors.New("seed is a number of 0 or more")
		}
	case "skip":
		f.Skip, err = number(value, 0, maxNumber)
	case "count":
		f.Count, err = number(value, 1, maxNumber)
	default:
		err = errors.New("there is no such word: use action, site, routine, namespace to say which calls; " +
			"code, status, message, when, latency, drop, stale, build to say what happens; rate, seed, skip, count to say how often")
	}
	return err
}

// actions checks each name or pattern against the catalogue.
func actions(list string) ([]string, error) {
	names := strings.Split(list, ",")
	for i, name := range names {
		if strings.ContainsAny(name, `[]?\`) {
			return nil, fmt.Errorf("%q is no name of an operation: only * stands for other letters", name)
		}
		if name == Upload || name == routineRead {
			continue
		}
		if !strings.Contains(name, "*") {
			op, err := catalog.Find(name)
			if err != nil {
				return nil, err
			}
			names[i] = op.Action
			continue
		}
		if !slices.ContainsFunc(catalog.Actions(), func(action string) bool { return like(name, action) }) {
			return nil, fmt.Errorf("no operation is called %s", name)
		}
	}
	return names, nil
}

// check refuses words that do not go together, and a fault without an effect.
func (f Fault) check(given map[string]bool) error {
	effects := 0
	for _, name := range []string{"code", "drop", "stale", "build"} {
		if given[name] {
			effects++
		}
	}
	switch {
	case effects > 1:
		return fmt.Errorf("fault %q: code, drop, stale and build exclude each other: write several faults", f)
	case effects == 0 && !given["latency"]:
		return fmt.Errorf("fault %q: say what happens with code, latency, drop, stale or build", f)
	case f.Code == "" && (given["status"] || given["message"]):
		return fmt.Errorf("fault %q: status and message belong to code", f)
	case f.Code == "" && f.Latency == 0 && given["when"]:
		return fmt.Errorf("fault %q: when belongs to code and latency", f)
	case f.kind() != ofCalls && given["latency"]:
		return fmt.Errorf("fault %q: latency goes with code and drop only", f)
	case slices.Contains(f.Actions, Upload) && (given["site"] || given["routine"] || given["namespace"] || f.Stale > 0):
		return fmt.Errorf("fault %q: an upload has no site, routine or namespace, and is no read", f)
	case f.kind() == ofReads && (given["site"] || given["routine"]):
		return fmt.Errorf("fault %q: a read of KV has a namespace, no site and no routine", f)
	case f.kind() == ofReads && !f.reads():
		return fmt.Errorf("fault %q: only reads of KV lag behind: %s", f, strings.Join(kvReads(), ", "))
	case f.kind() == ofBuilds && (given["action"] || given["site"] || given["namespace"]):
		return fmt.Errorf("fault %q: a build is of a routine: only routine narrows it", f)
	}
	return nil
}

// kvReads are the operations that stale is about.
func kvReads() []string { return []string{"GetKv", "GetKvDetail", "ListKvs", routineRead} }

// reads tells whether each action of the fault is a read of KV, or a pattern of some.
func (f Fault) reads() bool {
	for _, action := range f.Actions {
		if !slices.ContainsFunc(kvReads(), func(read string) bool { return like(action, read) }) {
			return false
		}
	}
	return true
}

func number(value string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("it is a number from %d to %d", least, most)
	}
	return n, nil
}

func span(value string, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 || d > most {
		return 0, fmt.Errorf("it is a time such as 300ms or 5s, at most %s", most)
	}
	return d, nil
}

func oneOf(value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("it is %s", strings.Join(known, " or "))
}
