package docs

import (
	"slices"
	"strings"
	"unicode"
)

// Cost is a bound for the tokens that a text takes in JSON, in the o200k
// vocabulary: it is never under the true number for texts such as these.
func Cost(text string) int {
	cost, letters, digits := 0.0, 0, 0
	endWord := func() {
		if letters > 0 {
			cost += max(1, float64(letters)/4)
		}
		cost += float64(digits) / 2
		letters, digits = 0, 0
	}
	for _, r := range text {
		switch {
		case r < unicode.MaxASCII && unicode.IsLetter(r):
			letters++
		case r < unicode.MaxASCII && unicode.IsDigit(r):
			digits++
		default:
			endWord()
			switch {
			case r == ' ':
			case r == '\n', r == '"', r == '\\', r < unicode.MaxASCII:
				cost += 0.85
			case unicode.Is(unicode.Han, r):
				cost += 0.9
			default:
				cost += 1.1
			}
		}
	}
	endWord()
	return int(cost) + 1
}

// Excerpt is what of a section answers query best, in at most budget tokens, by
// Cost. Parts keep their order; what is left out between them is an ellipsis.
func Excerpt(s Section, query string, budget int) string {
	if Cost(s.Text) <= budget {
		return s.Text
	}
	parts := partsOf(s.Text)
	if len(parts) == 0 { // blank lines alone
		return ""
	}
	asked := map[string]bool{}
	for _, w := range questionWords(query) {
		asked[stem(w)] = true
	}
	order := make([]int, len(parts))
	for i := range parts {
		order[i] = i
		parts[i].score = score(parts[i].text, asked)
	}
	slices.SortStableFunc(order, func(a, b int) int { return parts[b].score - parts[a].score })
	left, taken := budget, make([]bool, len(parts))
	for _, i := range order {
		cost := Cost(parts[i].text) + 2 // an ellipsis or a line's end
		if head := parts[i].head; head >= 0 && !taken[head] {
			cost += Cost(parts[head].text) + 1
		}
		if cost > left || parts[i].score == 0 && strings.HasPrefix(parts[i].text, "```") {
			continue
		}
		if head := parts[i].head; head >= 0 {
			taken[head] = true
		}
		taken[i] = true
		left -= cost
	}
	best := order[0]
	if !slices.ContainsFunc(order, func(i int) bool { return taken[i] && (parts[i].score > 0 || parts[best].score == 0) }) {
		return clip(parts[best].text, budget)
	}
	return assemble(parts, taken)
}

// clip cuts a text at a blank, or at a character where there is none.
func clip(text string, budget int) string {
	runes := []rune(text)
	low, high := 0, len(runes) // the longest begin that the budget allows
	for low < high {
		middle := (low + high + 1) / 2
		if Cost(string(runes[:middle])) < budget {
			low = middle
		} else {
			high = middle - 1
		}
	}
	cut := string(runes[:low])
	if i := strings.LastIndexAny(cut, " \n"); i > len(cut)/2 {
		cut = cut[:i]
	}
	if cut == "" {
		return ""
	}
	return cut + "…"
}

// part is a paragraph, a code block, or a line of a list or table; numbered lines
// belong together. A line of a table needs the table's head.
type part struct {
	text  string
	head  int // index of the head, or -1
	block int // parts of one block have no blank line between them
	score int
}

func partsOf(text string) []part {
	var parts []part
	block, head, fenced := 0, -1, false
	for line := range strings.SplitSeq(text, "\n") {
		isTable, isItem := strings.HasPrefix(line, "|"), strings.HasPrefix(line, "- ")
		last := len(parts) - 1
		switch {
		case fenced:
			parts[last].text += "\n" + line
			fenced = !strings.HasPrefix(line, "```")
		case strings.HasPrefix(line, "```"):
			block++
			head, fenced = -1, true
			parts = append(parts, part{text: line, head: -1, block: block})
		case strings.TrimSpace(line) == "":
			block++
			head = -1
		case isTable && strings.HasPrefix(line, "| ---") && last >= 0 && parts[last].block == block:
			parts[last].text += "\n" + line
			head = last
		case isTable || isItem || last < 0 || parts[last].block != block:
			parts = append(parts, part{text: line, head: head, block: block})
		default:
			parts[last].text += "\n" + line
		}
	}
	return parts
}

// score counts the different asked words of a text; asked are stems.
func score(text string, asked map[string]bool) int {
	n := 0
	for w := range stems(text) {
		if asked[w] {
			n++
		}
	}
	return n
}

func assemble(parts []part, taken []bool) string {
	var b strings.Builder
	last := -1
	for i, p := range parts {
		if !taken[i] {
			continue
		}
		switch {
		case last < 0:
		case p.block == parts[last].block:
			b.WriteString("\n")
		case i == last+1:
			b.WriteString("\n\n")
		default:
			b.WriteString("\n…\n")
		}
		b.WriteString(p.text)
		last = i
	}
	return b.String()
}
