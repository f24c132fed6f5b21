package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
)

const statsDay = 24 * time.Hour

// Period is embedded in the input of tools that look at a span of time.
type Period struct {
	Start string `json:"start,omitempty" jsonschema:"default=-24h" jsonschema_description:"-24h, -7d, a date or UTC time"`
	End   string `json:"end,omitempty" jsonschema:"default=now" jsonschema_description:"At most 31 days later"`
}

// span is a period in UTC, whole seconds.
type span struct{ start, end time.Time }

func (s span) length() time.Duration { return s.end.Sub(s.start) }

// before is the period of the same length that ends where this one begins.
func (s span) before() span { return span{s.start.Add(-s.length()), s.start} }

// read turns the texts into times.
func (p Period) read(now time.Time, notes *Noted) (span, error) {
	now = now.UTC().Truncate(time.Second)
	end, err := readMoment("end", p.End, now, now, notes)
	if err != nil {
		return span{}, err
	}
	// Only "now" is a moment to count back from: -24h with an end in the past
	// still means yesterday, as everywhere else.
	start, err := readMoment("start", p.Start, now, end.Add(-statsDay), notes)
	if err != nil {
		return span{}, err
	}
	s := span{start, end}
	switch {
	case !end.After(start):
		return s, Refuse("stats-order: start (%s) is not before end (%s). Relative times such as -24h count back from now.",
			start.Format(guard.StatsStamp), end.Format(guard.StatsStamp))
	case s.length() > guard.MaxStatsSpan:
		return s, Refuse("stats-span: from %s to %s is %d days; ESA answers at most 31 days at once. Ask for shorter periods.",
			start.Format(guard.StatsStamp), end.Format(guard.StatsStamp), int(s.length()/statsDay))
	}
	return s, nil
}

// readMoment reads a time: now, one relative to now, a date, or a point in time.
func readMoment(argument, text string, now, otherwise time.Time, notes *Noted) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return otherwise, nil
	}
	t, remark, ok := guard.ReadMoment(text, now)
	if !ok {
		return t, Refuse("%s: %q is no time. Write now, -30m, -24h, -7d, 2026-01-02 or 2026-01-02T15:04:05Z.", argument, text)
	}
	if remark != "" {
		notes.Note(esa.Note{ID: "stats-time", Text: argument + " " + text + " " + remark})
	}
	return t, nil
}

// interval chooses the finest step that ESA gives for the span, or checks the
// one that was asked for.
func (s span) interval(asked int) (int, error) {
	finest := guard.FinestInterval(s.length())
	switch {
	case asked == 0:
		return finest, nil
	case asked < finest:
		return 0, Refuse("stats-interval: for %s the finest interval is %d seconds, not %d. Use %d or leave interval out.",
			lengthText(s.length()), finest, asked, finest)
	case !slices.Contains(guard.StatsIntervals(), asked):
		return 0, Refuse("stats-interval: interval is 60, 300, 900, 3600 or 86400 seconds, not %d. Leave it out for %d.", asked, finest)
	}
	return asked, nil
}

func lengthText(d time.Duration) string {
	if d >= 2*statsDay {
		return fmt.Sprintf("%.3g days", d.Hours()/24)
	}
	return fmt.Sprintf("%.3g hours", d.Hours())
}
