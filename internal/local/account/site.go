package account

import "github.com/esa-mcp/esa-mcp/internal/local/version"

// Site is a site. In a site with Repeat, {i} stands for its number, from 1 on,
// in all texts.
type Site struct {
	Name              string `json:"name"`
	Repeat            int    `json:"repeat,omitempty"`
	Access            string `json:"access"`           // NS, CNAME
	Coverage          string `json:"coverage"`         // domestic, overseas, global
	Status            string `json:"status,omitempty"` // active if empty; pending, offline
	Plan              string `json:"plan,omitempty"`   // ID of one in Plans; the account's own if empty
	VersionManagement bool   `json:"version_management,omitempty"`
	// Environments say which version of the configuration is for which requests.
	Environments  []version.Environment     `json:"environments,omitempty"`
	Paused        bool                      `json:"paused,omitempty"`
	Tags          map[string]string         `json:"tags,omitempty"`
	ResourceGroup string                    `json:"resource_group,omitempty"`
	OfflineReason string                    `json:"offline_reason,omitempty"`
	Records       []Record                  `json:"records,omitempty"`
	Rules         []Rule                    `json:"rules,omitempty"`
	Settings      map[string]map[string]any `json:"settings,omitempty"` // by X of UpdateX: {"TieredCache": {...}}
	// VersionSettings are the Settings of the site's versions, by their numbers.
	VersionSettings  map[string]map[string]map[string]any `json:"version_settings,omitempty"`
	OriginProtection *OriginProtection                    `json:"origin_protection,omitempty"`
	Rulesets         []Ruleset                            `json:"waf_rulesets,omitempty"`
	Things           []Thing                              `json:"things,omitempty"`
	Routes           []Route                              `json:"routes,omitempty"`
	// RoutineRecords are the names that lead to a routine as a whole, with its name.
	RoutineRecords map[string]string `json:"routine_records,omitempty"`
	Certificates   []Certificate     `json:"certificates,omitempty"`
	// OriginCertificates are shown to origins, Authorities sign those of visitors
	// or of origins, and ClientCertificates are those of visitors.
	OriginCertificates []OriginCertificate `json:"origin_certificates,omitempty"`
	Authorities        []Authority         `json:"authorities,omitempty"`
	ClientCertificates []ClientCertificate `json:"client_certificates,omitempty"`
	// ClientHostnames are the host names that ask for client certificates.
	ClientHostnames []string `json:"client_hostnames,omitempty"`
}

// Record is a DNS record. In one with Repeat, {j} stands for its number.
type Record struct {
	Name       string         `json:"name"` // whole: www.example.com
	ID         string         `json:"id,omitempty"`
	Repeat     int            `json:"repeat,omitempty"`
	Type       string         `json:"type"`          // A/AAAA, CNAME, TXT ...
	TTL        int            `json:"ttl,omitempty"` // seconds; 1, automatic, if 0
	Proxied    bool           `json:"proxied,omitempty"`
	Biz        string         `json:"biz,omitempty"` // of a proxied one: web, api, image_video
	Data       map[string]any `json:"data"`          // as CreateRecord's Data
	Source     string         `json:"source,omitempty"`
	HostPolicy string         `json:"host_policy,omitempty"`
	Auth       map[string]any `json:"auth,omitempty"` // as CreateRecord's AuthConf
	Comment    string         `json:"comment,omitempty"`
	HTTPPorts  string         `json:"http_ports,omitempty"`
	HTTPSPorts string         `json:"https_ports,omitempty"`

	Tags map[string]string `json:"tags,omitempty"`

	own string // its id in the account, in an export
}

// Rule is a configuration of one family; the site's global one without Rule.
type Rule struct {
	Family   string         `json:"family"` // the X of CreateX: CacheRule
	Version  int64          `json:"version,omitempty"`
	Name     string         `json:"name,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Enable   string         `json:"enable,omitempty"` // on if empty
	Sequence int64          `json:"sequence,omitempty"`
	Config   map[string]any `json:"config,omitempty"` // the family's own parameters
}

// OriginProtection is switched on for a site that has it.
type OriginProtection struct {
	AutoConfirm string `json:"auto_confirm,omitempty"` // on, off
	Converge    string `json:"converge,omitempty"`     // on, off
}

// Ruleset is a set of security rules.
type Ruleset struct {
	Phase   string         `json:"phase"`
	Version int64          `json:"version,omitempty"`
	Name    string         `json:"name,omitempty"`
	Status  string         `json:"status,omitempty"` // on if empty
	Shared  map[string]any `json:"shared,omitempty"` // what the rules have in common
	// Rules are their configurations as CreateWafRule's Config, in order.
	Rules []map[string]any `json:"rules,omitempty"`
}

// Route sends requests of a site to a routine.
type Route struct {
	Name     string `json:"name"`
	Routine  string `json:"routine"`
	Rule     string `json:"rule"`
	Enable   string `json:"enable,omitempty"` // on if empty; likewise off for the next two
	Bypass   string `json:"bypass,omitempty"`
	Fallback string `json:"fallback,omitempty"`
	Sequence int64  `json:"sequence,omitempty"`
	Timeout  string `json:"timeout,omitempty"` // seconds
}

// Certificate is one of the edge: a free one of Domain, one of the certificate
// service, or an uploaded one.
type Certificate struct {
	Domain      string `json:"domain,omitempty"`
	Brand       string `json:"brand,omitempty"`   // of a free one: lets_encrypt if empty
	Service     string `json:"service,omitempty"` // ID of one of the account's Uploads
	Name        string `json:"name,omitempty"`
	Certificate string `json:"certificate,omitempty"` // PEM
	PrivateKey  string `json:"private_key,omitempty"` // PEM
}

// Upload is a certificate of the certificate service.
type Upload struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name"`
	Certificate string `json:"certificate"` // PEM
	PrivateKey  string `json:"private_key"` // PEM

	own string // its id in the account, in an export
}

// OriginCertificate is what ESA shows of itself to origins.
type OriginCertificate struct {
	Name        string   `json:"name,omitempty"`
	Certificate string   `json:"certificate"` // PEM
	PrivateKey  string   `json:"private_key"` // PEM
	WholeSite   bool     `json:"whole_site,omitempty"`
	Hostnames   []string `json:"hostnames,omitempty"`
}

// Authority signs certificates of visitors or of origins.
type Authority struct {
	Of          string   `json:"of"` // clients, origins
	Name        string   `json:"name,omitempty"`
	Certificate string   `json:"certificate"`         // PEM
	Hostnames   []string `json:"hostnames,omitempty"` // where visitors are asked for theirs
}

// ClientCertificate is a visitor's. The authority of the account that it comes
// from has signed it: the edge of another one does not accept it.
type ClientCertificate struct {
	Name        string `json:"name,omitempty"`
	Certificate string `json:"certificate"` // PEM
	Revoked     bool   `json:"revoked,omitempty"`
}
