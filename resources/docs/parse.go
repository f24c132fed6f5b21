package docs

import (
	"strings"
	"unicode"
)

// parse reads a document: a heading of level 1, a paragraph that describes the
// document, then sections. Lines that are HTML comments are for those who write
// it, and are left out.
func parse(source string) *Document {
	d := &Document{}
	var text strings.Builder
	var open *Section
	var body strings.Builder
	closeSection := func() {
		if open != nil {
			open.Text = strings.TrimSpace(body.String())
			d.Sections = append(d.Sections, *open)
		}
		open = nil
		body.Reset()
	}
	fenced := false
	for line := range strings.Lines(source) {
		trimmed := strings.TrimSpace(line)
		if !fenced && strings.HasPrefix(trimmed, "<!--") && strings.HasSuffix(trimmed, "-->") {
			continue
		}
		text.WriteString(line)
		if strings.HasPrefix(trimmed, "```") {
			fenced = !fenced
		}
		level, heading := 0, ""
		if !fenced {
			level, heading = headingOf(trimmed)
		}
		switch {
		case level == 1:
			d.Title = heading
		case level == 2 || level == 3:
			closeSection()
			title, anchor := splitAnchor(heading)
			open = &Section{Anchor: anchor, Title: title}
		case open != nil:
			body.WriteString(line)
		case d.Description == "":
			d.Description = trimmed
		}
	}
	closeSection()
	d.Text = strings.TrimSpace(text.String()) + "\n"
	return d
}

// headingOf reads "## Title"; level 0 is no heading.
func headingOf(line string) (level int, title string) {
	rest := strings.TrimLeft(line, "#")
	level = len(line) - len(rest)
	if level == 0 || !strings.HasPrefix(rest, " ") {
		return 0, ""
	}
	return level, strings.TrimSpace(rest)
}

// splitAnchor takes "Title {#anchor}" apart. Without an anchor it is the title's
// words with hyphens between.
func splitAnchor(heading string) (title, anchor string) {
	if title, rest, ok := strings.Cut(heading, " {#"); ok && strings.HasSuffix(rest, "}") {
		return title, strings.TrimSuffix(rest, "}")
	}
	words := strings.FieldsFunc(strings.ToLower(heading), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return heading, strings.Join(words, "-")
}
