// Package fault makes the local ESA fail on demand, so that clients and agents
// can try what the service does on its bad days: refusals, slow and lost
// answers, reads that lag behind writes, uploads and builds that fail.
//
// A fault is written as words of NAME=VALUE: "action=PutKv code=TooQuickRequests
// rate=0.2". The package decides when a fault applies; what becomes of a call is
// carried out by whoever asks. It knows neither operations nor where state is.
package fault

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Upload is the action of a file that is sent to the object storage. Faults meet
// uploads only if they name it.
const Upload = "Upload"

// routineRead is the action of a read by an edge routine.
const routineRead = "EdgeKV.get"

// Drop says at which moment a connection is cut off.
type Drop string

// The moments.
const (
	DropBefore Drop = "before" // nothing was carried out
	DropAfter  Drop = "after"  // carried out, but the client gets no answer
	DropHalf   Drop = "half"   // carried out, but the client gets half the answer
)

// Build says what becomes of a build.
type Build string

// The ways in which a build goes wrong.
const (
	BuildFail Build = "fail" // it ends as failed
	BuildHang Build = "hang" // it stays in init for as long as the fault is there
)

// Fault is one way to fail and when to. The zero value of a field means that the
// word was not given.
type Fault struct {
	// Actions are names of operations, in which * stands for any letters; empty
	// is every operation. Site, Routine and Namespace narrow it to calls with
	// those parameters.
	Actions                  []string
	Site, Routine, Namespace string

	// Code refuses the call, with this HTTP Status and Message; Latency makes it
	// wait. After lets the call be carried out first.
	Code, Message string
	Status        int
	Latency       time.Duration
	After         bool
	Drop          Drop
	Stale         time.Duration // reads of KV see what was true so long ago
	Build         Build

	// Rate is the share of matching calls that it meets, 1 if 0; Seed makes the
	// choice. Skip lets the first matching calls pass, Count ends it after so
	// many.
	Rate        float64
	Seed        uint64
	Skip, Count int
}

// Call is something that a fault may meet: a call of an operation, an upload, or
// the build of a routine's version.
type Call struct {
	Action, Site, Routine, Namespace string
}

// kind is the sort of event that a fault is about.
type kind int

const (
	ofCalls kind = iota
	ofReads
	ofBuilds
)

func (f Fault) kind() kind {
	switch {
	case f.Build != "":
		return ofBuilds
	case f.Stale > 0:
		return ofReads
	}
	return ofCalls
}

// matches reports whether the fault is about such a call, whatever its rate.
func (f Fault) matches(c Call) bool {
	for _, filter := range [][2]string{{f.Site, c.Site}, {f.Routine, c.Routine}, {f.Namespace, c.Namespace}} {
		if filter[0] != "" && filter[0] != filter[1] {
			return false
		}
	}
	if c.Action == Upload {
		return slices.Contains(f.Actions, Upload)
	}
	return len(f.Actions) == 0 || slices.ContainsFunc(f.Actions, func(pattern string) bool {
		return like(pattern, c.Action)
	})
}

// like matches a name with a pattern in which * stands for any letters.
func like(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil // Parse takes no bad pattern
}

// String writes the fault so that Parse reads it again.
func (f Fault) String() string {
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+quote(value))
		}
	}
	number := func(name string, n int) {
		if n != 0 {
			add(name, strconv.Itoa(n))
		}
	}
	span := func(name string, d time.Duration) {
		if d != 0 {
			add(name, d.String())
		}
	}
	add("action", strings.Join(f.Actions, ","))
	add("site", f.Site)
	add("routine", f.Routine)
	add("namespace", f.Namespace)
	add("code", f.Code)
	number("status", f.Status)
	add("message", f.Message)
	if f.After {
		add("when", "after")
	}
	span("latency", f.Latency)
	add("drop", string(f.Drop))
	span("stale", f.Stale)
	add("build", string(f.Build))
	if f.Rate != 0 {
		add("rate", strconv.FormatFloat(f.Rate, 'g', -1, 64))
	}
	if f.Seed != 0 {
		add("seed", strconv.FormatUint(f.Seed, 10))
	}
	number("skip", f.Skip)
	number("count", f.Count)
	return strings.Join(words, " ")
}

// quote puts a value in double quotes if it could not stand alone.
func quote(value string) string {
	if !strings.ContainsAny(value, "\";\\\t\r\n ") {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
