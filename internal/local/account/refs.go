package account

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ownPlan is what references call the plan instance that every account has by.
const ownPlan = "plan"

// labels replace the ids of an account by words of the file.
type labels struct {
	kinds map[string]string // of each id: what kind of thing has it
	words map[string]string // of the ids that something refers to
	count map[string]int    // by kind
	token *regexp.Regexp
}

func newLabels() *labels {
	return &labels{kinds: map[string]string{}, words: map[string]string{}, count: map[string]int{},
		token: regexp.MustCompile(`[0-9A-Za-z]+(-[0-9A-Za-z]+)*`)}
}

// word is what the file calls the thing of that id.
func (l *labels) word(id string) string {
	if l.words[id] == "" {
		kind := strings.TrimPrefix(l.kinds[id], "setting/")
		l.count[kind]++
		l.words[id] = kind + "-" + strconv.Itoa(l.count[kind])
	}
	return l.words[id]
}

// text puts references in the place of ids.
func (l *labels) text(text string) string {
	return l.token.ReplaceAllStringFunc(text, func(id string) string {
		if l.kinds[id] == "" && l.words[id] == "" {
			return id
		}
		return "${" + l.word(id) + "}"
	})
}

// value does so in all texts, numbers and names of a decoded value.
func (l *labels) value(value any) any {
	return mapped(value, func(v any) any {
		switch v := v.(type) {
		case string:
			return l.text(v)
		case json.Number:
			if text := l.text(v.String()); text != v.String() {
				return text
			}
		}
		return v
	})
}

// mapped replaces every text and number of a decoded value, names of members
// included.
func mapped(value any, replace func(any) any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = mapped(v[i], replace)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) { // always in one order: labels are counted
			out[fmt.Sprint(replace(name))] = mapped(v[name], replace)
		}
		return out
	}
	return replace(value)
}

// references are what a file's references mean in the account that is seeded.
type references struct {
	declared map[string]bool   // all that the file has
	known    map[string]string // their ids, of those that are made
	form     *regexp.Regexp
}

// newReferences gathers what a file calls its things by. Two of a word are
// refused.
func newReferences(a Account) (references, error) {
	r := references{declared: map[string]bool{ownPlan: true}, known: map[string]string{}, form: regexp.MustCompile(`\$\{[^{}]+\}`)}
	declare := func(where, word string) error {
		if r.declared[word] && word != "" {
			return fmt.Errorf("%s: something else in the file is called %q, too", where, word)
		}
		r.declared[word] = true
		return nil
	}
	var things func(where string, list []Thing) error
	things = func(where string, list []Thing) error {
		for i, t := range list {
			here := t.place(where, i)
			if err := declare(here, t.ID); err != nil {
				return err
			}
			if err := things(here, t.Parts); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range a.Plans {
		if err := declare("plan "+p.ID, p.ID); err != nil {
			return r, err
		}
	}
	for _, u := range a.Uploads {
		if err := declare("certificate "+u.Name, u.ID); err != nil {
			return r, err
		}
	}
	if err := things("", a.Things); err != nil {
		return r, err
	}
	for _, s := range a.Sites {
		if err := declare("site "+s.Name, s.Name); err != nil {
			return r, err
		}
		for _, record := range s.Records {
			if err := declare("site "+s.Name+": record "+record.Name, record.ID); err != nil {
				return r, err
			}
		}
		if err := things("site "+s.Name+": ", s.Things); err != nil {
			return r, err
		}
	}
	return r, nil
}

// place says where in the file a thing is.
func (t Thing) place(before string, i int) string {
	name, _ := t.Fields["Name"].(string)
	if name == "" {
		name = t.ID
	}
	place := fmt.Sprintf("%sthing %d (%s)", before, i+1, t.Kind)
	if name != "" {
		place = fmt.Sprintf("%sthing %d (%s %s)", before, i+1, t.Kind, name)
	}
	return place + ": "
}

// made notes the id of what is made.
func (r references) made(word, id string) {
	if word != "" {
		r.known[word] = id
	}
}

// missing are the references of a value to what is not made yet, and err one to
// what the file does not have.
func (r references) missing(value any) (missing []string, err error) {
	mapped(value, func(v any) any {
		text, _ := v.(string)
		for _, found := range r.form.FindAllString(text, -1) {
			word := found[2 : len(found)-1]
			switch {
			case r.known[word] != "":
			case r.declared[word]:
				missing = append(missing, word)
			case found == text:
				err = fmt.Errorf("it refers to %s, but nothing in the file is called so", found)
			}
		}
		return v
	})
	return missing, err
}

// value puts ids in the place of references; one that is the whole text and a
// number becomes a number. What is no reference, such as ${1} of a pattern, stays.
func (r references) value(value any) any {
	return mapped(value, func(v any) any {
		text, is := v.(string)
		if !is {
			return v
		}
		out := r.text(text)
		if _, err := strconv.ParseInt(out, 10, 64); err == nil && out != text && r.form.FindString(text) == text {
			return json.Number(out)
		}
		return out
	})
}

func (r references) text(text string) string {
	return r.form.ReplaceAllStringFunc(text, func(found string) string {
		if id := r.known[found[2:len(found)-1]]; id != "" {
			return id
		}
		return found
	})
}
