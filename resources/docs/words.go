package docs

import (
	"strings"
	"sync"
	"unicode"
)

// words cuts a text into what is indexed: Latin words and numbers in lower case,
// a name such as RecordName also by its parts, and the pairs of neighbours of a
// Chinese text, which has no blanks to cut at.
func words(text string) []string {
	var out []string
	var latin, han []rune
	endLatin := func() {
		if len(latin) > 0 {
			whole := strings.ToLower(string(latin))
			out = append(out, whole)
			if parts := camelParts(latin); len(parts) > 1 {
				out = append(out, parts...)
			}
		}
		latin = latin[:0]
	}
	endHan := func() {
		if len(han) == 1 {
			out = append(out, string(han))
		}
		for i := 0; i+1 < len(han); i++ {
			out = append(out, string(han[i:i+2]))
		}
		han = han[:0]
	}
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Han, r):
			endLatin()
			han = append(han, r)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			endHan()
			latin = append(latin, r)
		default:
			endLatin()
			endHan()
		}
	}
	endLatin()
	endHan()
	return out
}

// camelParts are the words of a name such as InvalidBiz, in lower case.
func camelParts(name []rune) []string {
	var parts []string
	from := 0
	for i := 1; i < len(name); i++ {
		if unicode.IsUpper(name[i]) && unicode.IsLower(name[i-1]) {
			parts = append(parts, strings.ToLower(string(name[from:i])))
			from = i
		}
	}
	return append(parts, strings.ToLower(string(name[from:])))
}

func joinWords(text string) string { return strings.Join(words(text), " ") }

func hasHan(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// filler are words of questions that say nothing of their subject.
var filler = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(`a about after all also am an and any are as at be but by can cannot could did do does doing for from
		get gets getting go got had has have how i if in into is it its just me my no of off on only or our out should so some still than
		that the their them then there these they this to too up us use using want was we were what when where which who why will with
		without work works would you your esa alibaba aliyun cloud
		怎么 么样 怎样 如何 什么 为什 么办 可以 哪些 哪个 是什 为何 能否 是否 我的 一个 我们 请问`) {
		set[w] = true
	}
	return set
})

// questionWords are the words of a query that are worth looking for, each once.
// Where nothing else is left, filler will do.
func questionWords(query string) []string {
	var all, asked []string
	seen := map[string]bool{}
	for _, w := range words(query) {
		if seen[w] {
			continue
		}
		seen[w] = true
		all = append(all, w)
		if !filler()[w] {
			asked = append(asked, w)
		}
	}
	if len(asked) == 0 {
		return all
	}
	return asked
}

// stem takes the common ends of English words away, coarsely: it is for counting
// words that two texts share.
func stem(word string) string {
	for _, end := range []string{"ing", "ies", "es", "ed", "s", "e", "y"} {
		if rest, ok := strings.CutSuffix(word, end); ok && len(rest) >= 3 {
			return rest
		}
	}
	return word
}

// stems are the stems of the words of a text.
func stems(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words(text) {
		set[stem(w)] = true
	}
	return set
}
