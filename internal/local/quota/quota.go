// Package quota says how much of everything there may be on the local ESA, by
// plan: one table that all operations read, those that refuse and those that
// report. The service's numbers are hardly published: the table says which are
// known.
//
// It must not know what a call is, nor count anything.
package quota

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// The plans, from the smallest up, as plan instances call them.
const (
	Basic      = "basic"
	Medium     = "medium"
	High       = "high"
	Enterprise = "enterprise"
)

// Plans are the plans in the order of Kind.Numbers.
func Plans() []string { return []string{Basic, Medium, High, Enterprise} }

// Kind is something of which there may be so many.
type Kind struct {
	Name string // "cache_rules"
	// Per is what has so many: a site, the account ...
	Per string
	// Account says that the number is the account's, whatever its plans.
	Account bool
	Numbers [4]int // by plan: see Plans
	// Known says that the numbers are documented; the others are made up.
	Known bool
	// Code is that of the refusal.
	Code string
	// Names are what ListInstanceQuotas calls it; none if it does not have it.
	Names []string
}

// Set has the numbers: those of the table, but for some that were set. The zero
// value is the table.
type Set struct{ own map[place]int }

type place struct{ plan, kind string }

// With is the set with another number for all plans.
func (s Set) With(kind string, n int) Set {
	for _, plan := range Plans() {
		s = s.with(place{plan, kind}, n)
	}
	return s
}

// WithPositive is With, but for a number that was not given.
func (s Set) WithPositive(kind string, n int) Set {
	if n <= 0 {
		return s
	}
	return s.With(kind, n)
}

func (s Set) with(at place, n int) Set {
	own := map[place]int{at: n}
	for p, m := range s.own {
		if p != at {
			own[p] = m
		}
	}
	return Set{own}
}

// Of is how many a plan allows; of the account's quotas any plan tells.
func (s Set) Of(plan, kind string) int {
	i := slices.Index(Plans(), plan)
	if i < 0 { // the account's, or of no site
		plan, i = Enterprise, len(Plans())-1
	}
	if n, ok := s.own[place{plan, kind}]; ok {
		return n
	}
	k, ok := Find(kind)
	if !ok {
		panic("quota: no kind " + kind) // part of the program
	}
	return k.Numbers[i]
}

// Find is the kind of a name.
func Find(name string) (Kind, bool) {
	all := Kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return all[i], true
}

// Querier is a database or a transaction.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// OfSite is how many the plan of a site allows; that of no site is the largest.
func (s Set) OfSite(ctx context.Context, q Querier, siteID int64, kind string) (int, error) {
	var plan string
	err := q.QueryRowContext(ctx, `SELECT p.plan_name FROM sites s JOIN plan_instances p ON p.instance_id = s.instance_id WHERE s.id = ?`, siteID).Scan(&plan)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("look up the site's plan: %w", err)
	}
	return s.Of(plan, kind), nil
}
