package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/local/analytics"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/generic"
	"github.com/esa-mcp/esa-mcp/internal/local/routine"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// batch is how many records or pairs one call takes.
const batch = 500

// Parts are what an account is made with: the operations, and the services that
// take what no operation does.
type Parts struct {
	Store        *state.Store
	Table        api.Table
	Routines     *routine.Service
	Generic      *generic.Service
	Certificates *certificate.Service
}

// seeder makes an account.
type seeder struct {
	Parts
	ctx   context.Context
	now   time.Time
	refs  references
	sites map[string]string // ids by name
}

// Seed makes what the file describes, beside what the account has: all of it, or
// nothing. Nobody else may use the parts meanwhile. What the account has already of
// the same name is refused before anything is made.
func Seed(ctx context.Context, parts Parts, a Account, now time.Time) error {
	refs, err := newReferences(a)
	if err != nil {
		return fmt.Errorf("seed the account: %w", err)
	}
	s := seeder{parts, certificate.Restoring(ctx), now, refs, map[string]string{}}
	if err := s.conflicts(a); err != nil {
		return fmt.Errorf("seed the account: %w", err)
	}
	err = parts.Store.Whole(ctx, func() error {
		for _, step := range []func(Account) error{s.plans, s.lists, s.namespaces, s.routines, s.uploads, s.allSites, s.accountThings, s.contents, s.traffic} {
			if err := step(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		parts.Routines.Forget()
		return fmt.Errorf("seed the account: %w", err)
	}
	return nil
}

// called is what an error calls an entry of a list: by its name, or else by its
// number.
func called(name string, i int) string {
	if name == "" {
		return strconv.Itoa(i + 1)
	}
	return name
}

// conflicts refuses what the account has already.
func (s seeder) conflicts(a Account) error {
	var taken []string
	look := func(what, query, name string) error {
		var found bool
		if err := s.Store.DB().QueryRowContext(s.ctx, `SELECT EXISTS (`+query+`)`, name).Scan(&found); err != nil {
			return fmt.Errorf("look for the %s %s: %w", what, name, err)
		}
		if found {
			taken = append(taken, what+" "+name)
		}
		return nil
	}
	var err error
	for _, site := range a.Sites {
		err = errors.Join(err, look("site", `SELECT 1 FROM sites WHERE name = lower(?)`, site.Name))
	}
	for _, l := range a.Lists {
		err = errors.Join(err, look("list", `SELECT 1 FROM lists WHERE name = ?`, l.Name))
	}
	for _, n := range a.Namespaces {
		err = errors.Join(err, look("namespace", `SELECT 1 FROM kv_namespaces WHERE name = ?`, n.Name))
	}
	for _, r := range a.Routines {
		err = errors.Join(err, look("routine", `SELECT 1 FROM routines WHERE name = ?`, r.Name))
	}
	if err != nil || len(taken) == 0 {
		return err
	}
	more := ""
	if most := 10; len(taken) > most {
		taken, more = taken[:most], fmt.Sprintf(" and %d more", len(taken)-most)
	}
	return fmt.Errorf("the account has %s%s already; take them out of the file, or give :memory: or a folder without state",
		strings.Join(taken, ", "), more)
}

// call carries out an operation and decodes its answer.
func (s seeder) call(action string, p api.Params) (map[string]any, error) {
	handle, ok := s.Table[action]
	if !ok {
		return nil, fmt.Errorf("there is no operation %s", action)
	}
	if op, listed := catalog.Lookup(action); listed && action != "PutKv" { // whose value may be empty: routines put such
		if err := values.CheckCall(op, p); err != nil {
			return nil, fmt.Errorf("%s: %w", action, err)
		}
	}
	answer, err := handle(s.ctx, &api.Request{Action: action, Method: "POST", Params: p})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out map[string]any
	return out, d.Decode(&out)
}

func text(v any) string { return api.Params{"v": v}.String("v") }

func entry(list any, i int) map[string]any {
	l, _ := list.([]any)
	if i >= len(l) {
		return nil
	}
	m, _ := l[i].(map[string]any)
	return m
}

func (s seeder) plans(a Account) error {
	var own string
	err := s.Store.DB().QueryRowContext(s.ctx, `SELECT instance_id FROM plan_instances ORDER BY rowid LIMIT 1`).Scan(&own)
	if err != nil {
		return fmt.Errorf("look up the plan instance: %w", err)
	}
	s.refs.made(ownPlan, own)
	if p := a.OwnPlan; p != nil {
		if err := s.setPlan(own, *p); err != nil {
			return fmt.Errorf("own_plan: %w", err)
		}
	}
	for i, p := range a.Plans {
		mode := "PREPAY"
		if p.Postpaid {
			mode = "POSTPAY"
		}
		made, err := s.call("PurchaseRatePlan", api.Params{"PlanName": p.Plan, "Amount": strconv.Itoa(max(p.Sites, 1)), "Period": "60", "ChargeType": mode})
		if err != nil {
			return fmt.Errorf("plan %s: %w", called(p.ID, i), err)
		}
		s.refs.made(p.ID, text(made["InstanceId"]))
	}
	return nil
}

// setPlan makes the instance that every account has what the file says.
func (s seeder) setPlan(instance string, p Plan) error {
	name, ok := map[string]string{"entranceplan": "basic", "basicplan": "basic", "standardplan": "medium", "advancedplan": "high", "enterpriseplan": "enterprise"}[p.Plan]
	if !ok {
		return fmt.Errorf("the plan %q is none of entranceplan, basicplan, standardplan, advancedplan, enterpriseplan", p.Plan)
	}
	kind := "normal"
	if name == "enterprise" {
		kind = name
	}
	if _, err := s.Store.Exec(s.ctx, `UPDATE plan_instances SET plan_name = ?, subscribe_type = ?, plan_type = ?, site_quota = ? WHERE instance_id = ?`,
		name, p.Plan, kind, p.Sites, instance); err != nil {
		return fmt.Errorf("store the plan instance: %w", err)
	}
	return nil
}

// setPlanStatus comes last, since only an instance that is online takes sites.
func (s seeder) setPlanStatus(instance, status string) error {
	switch status {
	case "":
		return nil
	case "online", "offline", "disable", "overdue":
	default:
		return fmt.Errorf("the status %q is none of online, offline, disable, overdue", status)
	}
	if _, err := s.Store.Exec(s.ctx, `UPDATE plan_instances SET status = ? WHERE instance_id = ?`, status, instance); err != nil {
		return fmt.Errorf("store the plan instance: %w", err)
	}
	return nil
}

func (s seeder) lists(a Account) error {
	for i, l := range a.Lists {
		items := slices.Clone(l.Items)
		_, err := s.call("CreateList", api.Params{"Name": l.Name, "Kind": l.Kind, "Description": l.Description, "Items": jsonText(items)})
		if err != nil {
			return fmt.Errorf("list %s: %w", called(l.Name, i), err)
		}
	}
	return nil
}

func jsonText(v any) string {
	raw, _ := json.Marshal(v) // came from JSON
	return string(raw)
}

func (s seeder) namespaces(a Account) error {
	for i, n := range a.Namespaces {
		if _, err := s.call("CreateKvNamespace", api.Params{"Namespace": n.Name, "Description": n.Description}); err != nil {
			return fmt.Errorf("namespace %s: %w", called(n.Name, i), err)
		}
		for i, p := range n.Pairs {
			put := api.Params{"Namespace": n.Name, "Key": p.Key, "Value": p.Value}
			if p.Base64 != "" {
				put["Value"], put["Base64"] = p.Base64, "true"
			}
			if p.Expires != "" {
				at, err := when(p.Expires, s.now)
				if err != nil {
					return fmt.Errorf("namespace %s: key %s: %w", n.Name, called(p.Key, i), err)
				}
				if !at.After(s.now) {
					continue // it has ended since
				}
				put["Expiration"] = strconv.FormatInt(at.Unix(), 10)
			}
			if _, err := s.call("PutKv", put); err != nil {
				return fmt.Errorf("namespace %s: key %s: %w", n.Name, called(p.Key, i), err)
			}
		}
	}
	return nil
}

func (s seeder) traffic(a Account) error {
	for i, t := range a.Traffic {
		from, err := when(t.From, s.now)
		if err != nil {
			return fmt.Errorf("traffic %d: %w", i+1, err)
		}
		to, err := when(t.To, s.now)
		if err != nil {
			return fmt.Errorf("traffic %d: %w", i+1, err)
		}
		if t.Count < 1 || t.Count > 1_000_000 || to.Before(from) {
			return fmt.Errorf("traffic %d: count is 1 to 1000000, and to is not before from", i+1)
		}
		visits := make([]analytics.Visit, t.Count)
		for i := range visits {
			visits[i] = t.visit(from, to, i)
		}
		if err := analytics.Seed(s.ctx, s.Store, visits); err != nil {
			return err
		}
	}
	return nil
}

// visit is the request of that number.
func (t Traffic) visit(from, to time.Time, i int) analytics.Visit {
	v := analytics.Visit{Time: from, Host: t.Host, Method: t.Method, Path: t.Path, Status: t.Status, CacheStatus: t.Cache,
		ContentType: t.ContentType, Country: t.Country, UserAgent: t.UserAgent, Protocol: "HTTP/1.1", Bytes: t.Bytes / int64(t.Count)}
	if i == 0 {
		v.Bytes += t.Bytes % int64(t.Count)
	}
	if t.Count > 1 {
		span, gaps := to.Sub(from), time.Duration(t.Count-1)
		// The whole span times i may be more than a Duration holds.
		v.Time = from.Add(span/gaps*time.Duration(i) + span%gaps*time.Duration(i)/gaps)
	}
	if v.Method == "" {
		v.Method = "GET"
	}
	if v.Path == "" {
		v.Path = "/"
	}
	if v.Status == 0 {
		v.Status = 200
	}
	return v
}
