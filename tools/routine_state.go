package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// The environments of a routine, in the order in which they are deployed.
const (
	staging    = "staging"
	production = "production"
)

// LiveVersion is a code version that takes traffic.
type LiveVersion struct {
	Version    string `json:"version" jsonschema_description:"Code version"`
	Percentage int64  `json:"percentage" jsonschema_description:"Share of the requests, in percent"`
}

// LiveEnvironment is what one environment serves now.
type LiveEnvironment struct {
	Environment string        `json:"environment" jsonschema_description:"staging or production"`
	Versions    []LiveVersion `json:"versions" jsonschema_description:"Versions that take traffic; empty when nothing is deployed"`
}

// routine is a routine as GetRoutine answers it.
type routine struct {
	CreateTime           string
	Description          string
	DefaultRelatedRecord string
	HasAssets            bool
	Envs                 []struct {
		Env        string
		CodeDeploy struct {
			DeployId     string
			CreationTime string
			CodeVersions []struct {
				CodeVersion string
				Percentage  json.Number
			}
		}
	}
}

// codeVersion is a version as GetRoutineCodeVersionInfo and
// ListRoutineCodeVersions answer it.
type codeVersion struct {
	CodeVersion     string
	CodeDescription string
	CreateTime      string
	ExtraInfo       string
	Status          string
	HasAssets       bool // told by GetRoutineCodeVersionInfo alone
	ConfOptions     struct{ NotFoundStrategy string }
}

// The states of a version. Anything else is a build that failed.
const (
	versionBuilding  = "init"
	versionAvailable = "available"
)

func (v codeVersion) is(status string) bool { return strings.EqualFold(v.Status, status) }

// getRoutine returns the routine; ok is false if there is none of that name.
func getRoutine(ctx context.Context, c esa.Caller, name string) (r routine, ok bool, err error) {
	r, err = esa.Call[routine](ctx, c, "GetRoutine", esa.Params{"Name": name})
	if esa.CodeOf(err) == "RoutineNotExist" {
		return routine{}, false, nil
	}
	return r, err == nil, err
}

// live returns what both environments serve.
func (r routine) live() []LiveEnvironment {
	out := []LiveEnvironment{{Environment: staging}, {Environment: production}}
	for i := range out {
		out[i].Versions = []LiveVersion{}
		for _, e := range r.Envs {
			if !strings.EqualFold(e.Env, out[i].Environment) {
				continue
			}
			for _, v := range e.CodeDeploy.CodeVersions {
				percentage, _ := v.Percentage.Int64()
				out[i].Versions = append(out[i].Versions, LiveVersion{v.CodeVersion, percentage})
			}
		}
	}
	return out
}

// versionsIn returns what one environment serves.
func (r routine) versionsIn(environment string) []LiveVersion {
	for _, e := range r.live() {
		if e.Environment == environment {
			return e.Versions
		}
	}
	return nil
}

// deployed reports whether any environment serves the version.
func (r routine) deployed(version string) bool {
	return slices.ContainsFunc(r.live(), func(e LiveEnvironment) bool {
		return slices.ContainsFunc(e.Versions, func(v LiveVersion) bool { return v.Version == version })
	})
}

// describeLive says in words what is live where.
func describeLive(live []LiveEnvironment) string {
	var parts []string
	for _, e := range live {
		if len(e.Versions) == 0 {
			parts = append(parts, e.Environment+": nothing")
			continue
		}
		var versions []string
		for _, v := range e.Versions {
			versions = append(versions, fmt.Sprintf("version %s (%d %%)", v.Version, v.Percentage))
		}
		parts = append(parts, e.Environment+": "+strings.Join(versions, " and "))
	}
	return strings.Join(parts, "; ")
}

// listVersions returns the newest versions of a routine, at most two pages of
// 20: more the service does not list.
func listVersions(ctx context.Context, c esa.Caller, name string) ([]codeVersion, error) {
	var all []codeVersion
	for page := 1; page <= 2; page++ {
		answer, err := esa.Call[struct {
			CodeVersions []codeVersion
			TotalCount   json.Number
		}](ctx, c, "ListRoutineCodeVersions", esa.Params{"Name": name, "PageNumber": page, "PageSize": 20})
		if err != nil {
			return nil, err
		}
		for _, v := range answer.CodeVersions {
			if v.CodeVersion != "unstable" { // the upload slot, not a version
				all = append(all, v)
			}
		}
		total, _ := answer.TotalCount.Int64()
		if len(answer.CodeVersions) < 20 || int64(len(all)) >= total {
			break
		}
	}
	return all, nil
}

// origin is what deploy_pages and deploy_html leave in a version's ExtraInfo:
// what was uploaded, and what was to be done with it.
type origin struct {
	Source      string `json:"Source"`
	Hash        string `json:"Hash,omitempty"`
	Environment string `json:"Environment,omitempty"`
	Percentage  int    `json:"Percentage,omitempty"`
	// Try is of one call that makes a version, to find what came of it when there
	// was no answer.
	Try string `json:"Try,omitempty"`
}

const originSource = "esa-mcp"

// originOf reads what a deploy left; zero for versions that others made.
func originOf(v codeVersion) origin {
	var o origin
	if json.Unmarshal([]byte(v.ExtraInfo), &o) != nil || o.Source != originSource {
		return origin{}
	}
	return o
}

// Address is where a routine can be opened.
type Address struct {
	URL     string `json:"url,omitempty" jsonschema_description:"Address that opens in a browser"`
	Private bool   `json:"url_is_private" jsonschema_description:"The address carries a token: it is a secret and dies after an hour. The public needs a custom domain"`
}

// addressOf makes an address of a routine's default domain that opens. The
// domain answers 401 without a token (esa-facts 1.6), so one is asked for.
func addressOf(ctx context.Context, d *Deps, name, domain, environment string) (Address, error) {
	if domain == "" {
		return Address{}, errors.New("the routine has no default domain yet")
	}
	base := url.URL{Scheme: "https", Host: domain, Path: "/"}
	if local := d.local(ctx); local != nil {
		edge, err := url.Parse(local.Edge)
		if err != nil {
			return Address{}, fmt.Errorf("parse the edge's address: %w", err)
		}
		if environment == staging {
			domain = strings.Replace(domain, ".er.", ".staging.er.", 1)
		}
		base.Scheme, base.Host = edge.Scheme, domain+":"+edge.Port()
		if local.OpenDefaultDomain {
			return Address{URL: base.String()}, nil
		}
	}
	answer, err := esa.Call[struct{ Token string }](ctx, d.ESA, "GetRoutineAccessToken", esa.Params{"Name": name})
	if err != nil {
		return Address{}, fmt.Errorf("get an access token: %w", err)
	}
	base.RawQuery = url.Values{"esa_er_token": {answer.Token}}.Encode()
	return Address{URL: base.String(), Private: true}, nil
}
