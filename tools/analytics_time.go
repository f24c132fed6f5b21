package tools

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

const (
	statsDay     = 24 * time.Hour
	statsMaxSpan = 31 * statsDay
	statsStamp   = "2006-01-02T15:04:05Z"
)

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
			start.Format(statsStamp), end.Format(statsStamp))
	case s.length() > statsMaxSpan:
		return s, Refuse("stats-span: from %s to %s is %d days; ESA answers at most 31 days at once. Ask for shorter periods.",
			start.Format(statsStamp), end.Format(statsStamp), int(s.length()/statsDay))
	}
	return s, nil
}

// readMoment reads a time: now, one relative to now, a date, or a point in time.
func readMoment(argument, text string, now, otherwise time.Time, notes *Noted) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return otherwise, nil
	}
	if lower := strings.ToLower(text); lower == "now" {
		return now, nil
	} else if back, ok := relative(lower); ok {
		return now.Add(-back), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		if _, offset := t.Zone(); offset != 0 {
			notes.Note(esa.Note{ID: "stats-time", Text: argument + " " + text + " is " + t.UTC().Format(statsStamp) + " in UTC."})
		}
		return t.UTC().Truncate(time.Second), nil
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			if !strings.HasSuffix(layout, "Z") {
				notes.Note(esa.Note{ID: "stats-time", Text: argument + " " + text + " has no time zone: taken as UTC."})
			}
			return t, nil
		}
	}
	return time.Time{}, Refuse("%s: %q is no time. Write now, -30m, -24h, -7d, 2026-01-02 or 2026-01-02T15:04:05Z.", argument, text)
}

// relative reads -24h, now-7d and -1d12h.
func relative(text string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(text, "now"), "-")
	if !ok || !regexp.MustCompile(`^(\d{1,5}[smhdw])+$`).MatchString(rest) {
		return 0, false
	}
	var total time.Duration
	number := ""
	for _, c := range rest {
		if c >= '0' && c <= '9' {
			number += string(c)
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			return 0, false
		}
		unit := map[rune]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': statsDay, 'w': 7 * statsDay}[c]
		total, number = total+time.Duration(n)*unit, ""
	}
	return total, true
}

// statsIntervals are the steps that a time series can have, in seconds.
func statsIntervals() []int { return []int{60, 300, 900, 3600, 86400} }

// interval chooses the finest step that ESA gives for the span, or checks the
// one that was asked for.
func (s span) interval(asked int) (int, error) {
	finest := 86400
	switch l := s.length(); {
	case l <= 3*time.Hour:
		finest = 60
	case l <= 12*time.Hour:
		finest = 300
	case l <= statsDay:
		finest = 900
	case l <= 10*statsDay:
		finest = 3600
	}
	switch {
	case asked == 0:
		return finest, nil
	case asked < finest:
		return 0, Refuse("stats-interval: for %s the finest interval is %d seconds, not %d. Use %d or leave interval out.",
			lengthText(s.length()), finest, asked, finest)
	case !slices.Contains(statsIntervals(), asked):
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
