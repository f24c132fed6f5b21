package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Pool is an origin pool of a site.
type Pool struct {
	ID      int64
	Name    string
	Enabled bool
	Origins []*PoolOrigin
}

// PoolOrigin is one server of a pool.
type PoolOrigin struct {
	ID      int64
	Name    string
	Address string // a name or an IP address
	// Port is that of an address with one, which only the local ESA knows: its
	// origins are on one machine. 0: none is given.
	Port    int
	Host    string // the Host header that it gets; empty: the visitor's
	Enabled bool
	Weight  int
	Source  string // ip_domain, OSS, S3
	Family  string // IpVersionPolicy

	auth authConf
}

// Record is the origin as a record that leads there.
func (o *PoolOrigin) Record() *Record {
	r := &Record{Name: o.Address, Type: TypeCNAME, Values: []string{o.Address}, Source: o.Source, auth: o.auth}
	if net.ParseIP(o.Address) != nil {
		r.Type = TypeAddress
	}
	return r
}

// Steering is how a load balancer chooses among pools, which go by their ids.
type Steering struct {
	Policy   string // order, random, geo
	Affinity string // off, ip, cookie
	Default  []int64
	Fallback int64 // used when no other can be
	// Regions and SubRegions are the pools of geo by region (ENAM), and by country
	// (DE) or province (CN-SH).
	Regions, SubRegions map[string][]int64
	// Weights are those of random. DefaultWeight is that of other pools.
	Weights       map[int64]int
	DefaultWeight int
	// AcrossPools asks the next pool when none of a pool's origins can be reached.
	AcrossPools bool
}

// Balancer is a load balancer of a site.
type Balancer struct {
	Steering
	ID      int64
	Name    string // a host name of the site
	Enabled bool
	Monitor Monitor
	Rules   []*BalancerRule // in their order, without those that are switched off
}

// Monitor is how the origins of a load balancer are probed.
type Monitor struct {
	Type                           string // HTTP, HTTPS, TCP, UDP, SMTP, ICMP Ping; off or empty: not at all
	Method, Path                   string
	Port                           int // 0: that of the origin, or the usual one
	Header                         map[string][]string
	ExpectedCodes                  string
	FollowRedirects                bool
	Interval, Timeout              time.Duration
	ConsecutiveUp, ConsecutiveDown int
}

// Off tells that nothing is probed.
func (m Monitor) Off() bool { return m.Type == "" || strings.EqualFold(m.Type, "off") }

// BalancerRule changes what a load balancer does with some requests.
type BalancerRule struct {
	Sequence   int64
	When       Condition
	Fixed      *FixedResponse // answers instead of an origin; nil: none does
	Terminates bool           // later rules do not count
	overrides  map[string]any
}

// FixedResponse is an answer that a load balancer gives itself.
type FixedResponse struct {
	Status               int
	Type, Location, Body string
}

// Override is the steering as the rule changes it.
func (r *BalancerRule) Override(s Steering) Steering {
	s.read(r.overrides)
	return s
}

// Pools are the ids of all pools that the load balancer may use, its rules' too.
func (b *Balancer) Pools() []int64 {
	all := b.Steering.pools()
	for _, r := range b.Rules {
		all = append(all, r.Override(b.Steering).pools()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Pool finds a pool of the site by its id; nil if there is none.
func (t *Site) Pool(id int64) *Pool { return t.pools[id] }

// Balancers are the site's load balancers.
func (t *Site) Balancers() []*Balancer { return t.balancers }

func (t *Site) balancer(name string) *Balancer {
	for _, b := range t.balancers {
		if strings.EqualFold(b.Name, name) {
			return b
		}
	}
	return nil
}

// poolNamed finds a pool by its name or by the host name that records have it by.
func (t *Site) poolNamed(name string) *Pool {
	for _, p := range t.pools {
		if strings.EqualFold(p.Name, name) || strings.EqualFold(p.Name+"."+t.Name, name) {
			return p
		}
	}
	return nil
}

// maxLead bounds the records on the way to a load balancer.
const maxLead = 8

// lead follows a record to the load balancer or the pool that it leads to, over
// records of its site.
func (t *Site) lead(ctx context.Context, q querier, r *Record) error {
	next := r
	for range maxLead {
		if next == nil || next.Type != TypeCNAME || len(next.Values) == 0 {
			return nil
		}
		name := next.Values[0]
		if next.Source != "OP" {
			r.Balancer = t.balancer(name)
		}
		if r.Balancer == nil && next.Source != "LB" {
			r.Pool = t.poolNamed(name)
		}
		if r.Balancer != nil || r.Pool != nil || !strings.HasSuffix(name, "."+t.Name) && name != t.Name {
			return nil
		}
		var err error
		if next, err = recordFor(ctx, q, t.ID, t.Name, name); err != nil {
			return err
		}
	}
	return nil
}

// loadBalancing reads the pools and the load balancers of a site.
func (t *Site) loadBalancing(ctx context.Context, q querier) error {
	rows, err := q.QueryContext(ctx, `SELECT id, kind, name, fields FROM resources WHERE site_id = ? AND kind IN ('OriginPool', 'LoadBalancer') ORDER BY id`, t.ID)
	if err != nil {
		return fmt.Errorf("list the load balancers of site %d: %w", t.ID, err)
	}
	defer rows.Close()
	t.pools = map[int64]*Pool{}
	for rows.Next() {
		var id int64
		var kind, name, text string
		if err := rows.Scan(&id, &kind, &name, &text); err != nil {
			return fmt.Errorf("read a load balancer of site %d: %w", t.ID, err)
		}
		if kind == "OriginPool" {
			t.pools[id], err = readPool(id, name, text)
		} else {
			var b *Balancer
			b, err = readBalancer(id, name, text)
			t.balancers = append(t.balancers, b)
		}
		if err != nil {
			return fmt.Errorf("read the %s %d: %w", kind, id, err)
		}
	}
	return rows.Err()
}

func readPool(id int64, name, text string) (*Pool, error) {
	var stored struct {
		Enabled *bool
		Origins []struct {
			ID              json.Number `json:"Id"`
			Name            string
			Address         string
			Enabled         *bool
			Weight          *json.Number
			Type            string
			IPVersionPolicy string `json:"IpVersionPolicy"`
			Header          json.RawMessage
			AuthConf        authConf
		}
	}
	if err := decodeExact(text, &stored); err != nil {
		return nil, err
	}
	p := &Pool{ID: id, Name: name, Enabled: stored.Enabled == nil || *stored.Enabled}
	for _, s := range stored.Origins {
		o := &PoolOrigin{ID: whole(s.ID), Name: s.Name, Enabled: s.Enabled == nil || *s.Enabled, Weight: 100, Source: s.Type, Family: s.IPVersionPolicy, auth: s.AuthConf}
		if s.Weight != nil {
			o.Weight = int(whole(*s.Weight))
		}
		o.Address, o.Port = splitPort(s.Address)
		for header, values := range headersOf(s.Header) {
			if strings.EqualFold(header, "Host") && len(values) > 0 {
				o.Host = values[0]
			}
		}
		p.Origins = append(p.Origins, o)
	}
	return p, nil
}

// splitPort takes an address apart: a name or an IP address, maybe with a port.
func splitPort(address string) (host string, port int) {
	address = strings.ToLower(strings.TrimSpace(address))
	if h, p, err := net.SplitHostPort(address); err == nil {
		if n, err := strconv.Atoi(p); err == nil {
			return strings.TrimSuffix(h, "."), n
		}
	}
	return strings.TrimSuffix(strings.Trim(address, "[]"), "."), 0
}

// headersOf reads headers as pools and monitors have them: an object of lists or
// of texts, which may itself be a text.
func headersOf(raw json.RawMessage) map[string][]string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var lists map[string][]string
	if json.Unmarshal(raw, &lists) == nil {
		return lists
	}
	var texts map[string]string
	if json.Unmarshal(raw, &texts) != nil {
		return nil
	}
	lists = map[string][]string{}
	for name, value := range texts {
		lists[name] = []string{value}
	}
	return lists
}

func readBalancer(id int64, name, text string) (*Balancer, error) {
	var stored struct {
		Enabled *bool
		Monitor struct {
			Type, Method, Path, ExpectedCodes                       string
			Port, Interval, Timeout, ConsecutiveUp, ConsecutiveDown json.Number
			FollowRedirects                                         bool
			Header                                                  json.RawMessage
		}
		Rules []struct {
			Rule, RuleEnable string
			Sequence         json.Number
			Terminates       bool
			Overrides        map[string]any
			FixedResponse    *struct {
				StatusCode                         json.Number
				ContentType, Location, MessageBody string
			}
		}
	}
	if err := decodeExact(text, &stored); err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := decodeExact(text, &fields); err != nil {
		return nil, err
	}
	m := stored.Monitor
	b := &Balancer{ID: id, Name: strings.ToLower(name), Enabled: stored.Enabled == nil || *stored.Enabled, Monitor: Monitor{
		Type: m.Type, Method: m.Method, Path: m.Path, Port: int(whole(m.Port)), Header: headersOf(m.Header), ExpectedCodes: m.ExpectedCodes,
		FollowRedirects: m.FollowRedirects, Interval: seconds(m.Interval, time.Minute), Timeout: seconds(m.Timeout, 5*time.Second),
		ConsecutiveUp: max(1, int(whole(m.ConsecutiveUp))), ConsecutiveDown: max(1, int(whole(m.ConsecutiveDown))),
	}}
	b.read(fields)
	for _, s := range stored.Rules {
		if s.RuleEnable == "off" {
			continue
		}
		r := &BalancerRule{Sequence: whole(s.Sequence), When: compile(s.Rule), Terminates: s.Terminates, overrides: s.Overrides}
		if f := s.FixedResponse; f != nil && f.StatusCode != "" {
			r.Fixed = &FixedResponse{Status: int(whole(f.StatusCode)), Type: f.ContentType, Location: f.Location, Body: f.MessageBody}
		}
		b.Rules = append(b.Rules, r)
	}
	slices.SortStableFunc(b.Rules, func(x, y *BalancerRule) int { return int(x.Sequence - y.Sequence) })
	return b, nil
}

func seconds(n json.Number, otherwise time.Duration) time.Duration {
	if s := whole(n); s > 0 {
		return time.Duration(s) * time.Second
	}
	return otherwise
}

// decodeExact keeps all digits of ids.
func decodeExact(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// whole is a number; 0 if it is none.
func whole(n json.Number) int64 {
	i, _ := n.Int64()
	return i
}
