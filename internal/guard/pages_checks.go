package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// maxRoutineName bounds a routine's name, which becomes a DNS label.
const maxRoutineName = 63

// CheckRoutineName refuses what is not the name of a routine (esa-facts 1.2).
func CheckRoutineName(name string) error {
	const others = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if len(name) < 2 || len(name) > maxRoutineName || name[0] < 'a' || name[0] > 'z' || strings.Trim(name, others) != "" {
		return fmt.Errorf("%q is not a routine name: a lower-case letter first, then lower-case letters, digits and hyphens, 2 to %d characters", shortText(name), maxRoutineName)
	}
	return nil
}

func checkRoutineName(_ context.Context, c *Call) error {
	name := c.Text("Name")
	err := CheckRoutineName(name)
	if name == "" || err == nil {
		return nil // that it is missing, the client says
	}
	refusal := c.Block("%s.", err)
	nearest := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
	if CheckRoutineName(nearest) != nil {
		return refusal
	}
	return refusal.With(c, esa.Params{"Name": nearest})
}

// IsRoutineTaken reports whether the service refused to make a routine because
// there is one of that name. Its code is seen in three spellings:
// RoutineNameAlreadyExist, RoutineNameAlreadyExists and RoutineAlreadyExist
// (esa-facts 1.2).
func IsRoutineTaken(err error) bool {
	code := esa.CodeOf(err)
	return strings.HasPrefix(code, "Routine") && strings.Contains(code, "AlreadyExist")
}

// reuseRoutine makes the refusal of a routine that exists the answer that it is
// there.
func reuseRoutine(_ context.Context, c *Call, cause error) error {
	if IsRoutineTaken(cause) {
		c.Settle(map[string]any{"Status": "OK"})
		c.Fixed("The routine %s exists: nothing was made or changed, what follows goes to that one.", c.Text("Name"))
	}
	return nil
}

// share is one version of a deployment.
type share struct {
	version string
	percent int64 // 0 if it is not given
}

func sharesOf(c *Call) []share {
	var out []share
	for _, item := range c.List("CodeVersions") {
		var s share
		for name, v := range asObject(item) {
			switch {
			case sameName(name, "CodeVersion"):
				s.version = scalar(v)
			case sameName(name, "Percentage"):
				s.percent, _ = strconv.ParseInt(scalar(v), 10, 64)
			}
		}
		out = append(out, s)
	}
	return out
}

// shared are shares as a parameter.
func shared(shares ...share) esa.Params {
	list := make([]any, len(shares))
	for i, s := range shares {
		list[i] = map[string]any{"CodeVersion": s.version, "Percentage": s.percent}
	}
	return esa.Params{"CodeVersions": list}
}

func checkShares(ctx context.Context, c *Call) error {
	const right = "A deployment has 1 or 2 versions of 1 to 100 percent that add up to exactly 100"
	if c.List("CodeVersions") == nil {
		return nil // which the client refuses
	}
	switch s := sharesOf(c); {
	case len(s) == 0 || len(s) > 2:
		return c.Block("%s, not %d versions.", right, len(s))
	case len(s) == 2 && s[0].version == s[1].version:
		return c.Block("%s, and %s is given twice.", right, s[0].version).With(c, shared(share{s[0].version, 100}))
	case len(s) == 2 && (s[0].percent < 1 || s[1].percent < 1 || s[0].percent+s[1].percent != 100):
		refusal := c.Block("%s, not to %d.", right, s[0].percent+s[1].percent)
		if s[0].percent < 1 || s[0].percent > 99 {
			return refusal
		}
		return refusal.With(c, shared(s[0], share{s[1].version, 100 - s[0].percent}))
	case len(s) == 1 && s[0].percent != 100:
		return c.alone(ctx, s[0], right)
	}
	return nil
}

// alone refuses a version whose share is not all, with the live one for the rest
// if that is evident.
func (c *Call) alone(ctx context.Context, s share, right string) error {
	if s.percent < 1 || s.percent > 99 {
		return c.Block("%s, and %s is given alone with %d.", right, s.version, s.percent).With(c, shared(share{s.version, 100}))
	}
	refusal := c.Block("%s, and %s is given alone with %d: name the version that gets the other %d as well.", right, s.version, s.percent, 100-s.percent)
	now, err := c.State.routine(ctx, c.Text("Name"))
	if err != nil {
		return refusal // it is wrong all the same
	}
	live := slices.DeleteFunc(now.live(c.Text("Env")), func(v string) bool { return v == s.version })
	if len(live) != 1 {
		return refusal
	}
	return refusal.With(c, shared(s, share{live[0], 100 - s.percent}))
}

// routine is what guardrails need to know of a routine.
type routine struct {
	Envs []struct {
		Env        string
		CodeDeploy struct {
			CodeVersions []struct{ CodeVersion string }
		}
	}
}

func (s *State) routine(ctx context.Context, name string) (routine, error) {
	return Read[routine](ctx, s, "GetRoutine", esa.Params{"Name": name})
}

// live are the versions that an environment serves; that any does, if env is
// empty.
func (r routine) live(env string) []string {
	var out []string
	for _, e := range r.Envs {
		if env != "" && !strings.EqualFold(e.Env, env) {
			continue
		}
		for _, v := range e.CodeDeploy.CodeVersions {
			out = append(out, v.CodeVersion)
		}
	}
	return out
}

// versionAvailable is the status of a version that can be deployed; the one of a
// version that is being built is versionBuilding, any other is a failure.
const (
	versionAvailable = "available"
	versionBuilding  = "init"
)

func checkVersionReady(ctx context.Context, c *Call) error {
	versions := []string{c.Text("CodeVersion")}
	if c.Op.Action == "CreateRoutineCodeDeployment" {
		versions = nil
		for _, s := range sharesOf(c) {
			versions = append(versions, s.version)
		}
	}
	for _, version := range versions {
		if version == "" {
			continue
		}
		status, err := c.State.versionStatus(ctx, c.Text("Name"), version)
		switch {
		case esa.IsNotFound(err):
			return nil // which the service says
		case err != nil:
			return err
		case strings.EqualFold(status, versionAvailable):
		case strings.EqualFold(status, versionBuilding):
			return c.Block("Version %s is not available: its status is %s, so it waits for its upload or is being built. Deploy it once GetRoutineCodeVersionInfo says available; nothing that is live has changed.", version, status)
		default:
			return c.Block("Version %s is not available: its status is %s, a build that failed and stays so. Upload a new version; nothing that is live has changed.", version, status)
		}
	}
	return nil
}

// versionStatus looks anew at a version that was not available when it was last
// looked at.
func (s *State) versionStatus(ctx context.Context, name, version string) (string, error) {
	params := esa.Params{"Name": name, "CodeVersion": version}
	answer, err := Read[struct{ Status string }](ctx, s, "GetRoutineCodeVersionInfo", params)
	if err == nil && !strings.EqualFold(answer.Status, versionAvailable) {
		answer, err = ReadAnew[struct{ Status string }](ctx, s, "GetRoutineCodeVersionInfo", params)
	}
	return answer.Status, err
}

func fixDeployEnv(_ context.Context, c *Call) error {
	if c.Text("DeployEnv") == "" {
		c.Set("DeployEnv", "production")
		c.Fixed("Without DeployEnv a version has no environment variables: set production, whose variables it gets.")
	}
	return nil
}

// nameIdleVersions names, when a routine keeps as many versions as it may, those
// that can go.
func nameIdleVersions(ctx context.Context, c *Call, cause error) error {
	code := strings.ToLower(esa.CodeOf(cause))
	full := strings.Contains(code, "quota") || strings.Contains(code, "limit") || strings.Contains(code, "exceed")
	var e *esa.Error
	if !full || errors.As(cause, &e) && e.Retryable { // it may be a throttled one
		return nil
	}
	name := c.Text("Name")
	var all []string // newest first, as far as the service lists them
	for page := 1; page <= 2; page++ {
		answer, err := Read[struct {
			CodeVersions []struct{ CodeVersion string }
			TotalCount   json.Number
		}](ctx, c.State, "ListRoutineCodeVersions", esa.Params{"Name": name, "PageNumber": page, "PageSize": 20})
		if err != nil {
			return err
		}
		for _, v := range answer.CodeVersions {
			all = append(all, v.CodeVersion)
		}
		if total, _ := answer.TotalCount.Int64(); int64(len(all)) >= total {
			break
		}
	}
	now, err := c.State.routine(ctx, name)
	if err != nil {
		return err
	}
	live, kept := now.live(""), len(all)
	idle := slices.DeleteFunc(all, func(v string) bool { return slices.Contains(live, v) })
	slices.Reverse(idle)
	c.Warn("The routine %s keeps as many versions as it may (%d). Not deployed, oldest first: %s. Delete one with delete_routine_version and send the call again.", name, kept, strings.Join(idle, ", "))
	return nil
}
