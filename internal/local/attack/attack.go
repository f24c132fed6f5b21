// Package attack finds attacks in requests: it is what the local ESA has for the
// managed rules of the service's WAF. The service's own rules are many, and
// theirs; these are one for each kind of attack and protection level. SQL and
// script injection are found by libinjection's tokenizers, the rest by patterns
// that are compiled when the first request is looked at.
//
// It must not know how rules are configured beyond Set, nor what is done with a
// request that one finds something in.
package attack

import (
	"slices"
	"strconv"
)

const (
	// FirstType is the number of the first kind of attack.
	FirstType = 11
	// MaxLevel is the highest protection level: 1 is loose, 2 medium, 3 strict,
	// 4 super strict.
	MaxLevel = 4
)

// Types are the kinds of attack in the order in which the service documents
// them, numbered from FirstType on.
func Types() []string {
	return []string{"SQL injection", "Cross-site scripting", "Code execution", "CRLF injection", "Local file inclusion",
		"Remote file inclusion", "Webshell", "Cross-site request forgery", "Other", "Semantic analysis"}
}

// words are how whitelist rules name the kinds, in the same order; the last is
// the virtual patch group's. They are those of Alibaba Cloud's WAF.
func words() []string {
	return []string{"sqli", "xss", "code_exec", "crlf", "lfilei", "rfilei", "webshell", "csrf", "other", "vvip"}
}

// Rule is one managed rule.
type Rule struct {
	ID    int64
	Type  int64 // a kind of attack
	Level int64 // the loosest protection level that turns it on
	Name  string
}

// Is reports whether a whitelist rule means this rule's kind of attack by a word:
// its name there, or its number.
func (r Rule) Is(word string) bool {
	return word == strconv.FormatInt(r.Type, 10) || word == words()[r.Type-FirstType]
}

// Rules are the rules of a kind of attack by level; none if there is no such
// kind.
func Rules(kind int64) []Rule {
	i := kind - FirstType
	if i < 0 || i >= int64(len(Types())) {
		return nil
	}
	var list []Rule
	for _, d := range detectors() {
		if d.kind == kind {
			list = append(list, d.rule())
		}
	}
	return list
}

// Set is what the configuration of a site says of one kind of attack.
type Set struct {
	Action                      string
	AttackType, ProtectionLevel int64
	ManagedRules                []struct {
		Action, Status string
		ID             int64 `json:"Id"`
	}
}

// State is a rule as a configuration sets it.
type State struct {
	Rule
	On     bool
	Action string // deny, monitor, js ...
}

// States are the rules of a kind of attack as no configuration sets them: off.
func States(kind int64) []State {
	var list []State
	for _, r := range Rules(kind) {
		list = append(list, State{Rule: r, Action: "deny"})
	}
	return list
}

// States are the rules of the set's kind as it sets them: on are those of its
// level and the looser ones, and then each as it is named.
func (s Set) States() []State {
	list := States(s.AttackType)
	for i := range list {
		r := &list[i]
		r.On = r.Level <= s.ProtectionLevel
		if s.Action != "" {
			r.Action = s.Action
		}
		for _, own := range s.ManagedRules {
			if own.ID != r.ID {
				continue
			}
			if own.Status != "" {
				r.On = own.Status == "on"
			}
			if own.Action != "" {
				r.Action = own.Action
			}
		}
	}
	return list
}

// Found are the rules that find something in a request, of those that wanted
// reports true for, in the order of their ids.
func Found(r *Request, wanted func(id int64) bool) []Rule {
	var list []Rule
	tests := tests()
	for i, d := range detectors() {
		if rule := d.rule(); wanted(rule.ID) && tests[i](r) {
			list = append(list, rule)
		}
	}
	return list
}

// One is the rule of an id; the zero rule if there is none.
func One(id int64) Rule {
	list := Rules(id / 10_000)
	i := slices.IndexFunc(list, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}
	}
	return list[i]
}
