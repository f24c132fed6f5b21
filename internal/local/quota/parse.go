package quota

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxNumber is the largest number that may be set.
const maxNumber = 1_000_000_000

// Parse changes numbers as a text says: 'plan=basic cache_rules=3 records=50'.
// Several such are separated by semicolons or lines; one without plan is for all
// plans.
func Parse(set Set, text string) (Set, error) {
	some := false
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == '\n' }) {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		var err error
		if set, err = parse(set, words); err != nil {
			return set, err
		}
		some = true
	}
	if !some {
		return set, errors.New("a quota is empty: write it as in 'plan=basic cache_rules=3'")
	}
	return set, nil
}

func parse(set Set, words []string) (Set, error) {
	plans := Plans()
	numbers := 0
	for i, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return set, fmt.Errorf("%q is no NAME=VALUE, such as cache_rules=3", word)
		}
		if name == "plan" {
			if i > 0 {
				return set, errors.New("plan comes first, as in 'plan=basic cache_rules=3'")
			}
			if !slices.Contains(Plans(), value) {
				return set, fmt.Errorf("plan is one of %s, not %q", strings.Join(Plans(), ", "), value)
			}
			plans = []string{value}
			continue
		}
		kind, ok := Find(name)
		if !ok {
			return set, fmt.Errorf("there is no quota %q; those are %s", name, strings.Join(names(), ", "))
		}
		if kind.Account && len(plans) == 1 {
			return set, fmt.Errorf("%s is the same for all plans: leave plan=%s out", name, plans[0])
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxNumber {
			return set, fmt.Errorf("%s is a number from 0 to %d, not %q", name, maxNumber, value)
		}
		for _, plan := range plans {
			set = set.with(place{plan, name}, n)
		}
		numbers++
	}
	if numbers == 0 {
		return set, errors.New("it says no number: add one such as cache_rules=3")
	}
	return set, nil
}

func names() (all []string) {
	for _, k := range Kinds() {
		all = append(all, k.Name)
	}
	return all
}
