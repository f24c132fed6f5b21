package tools

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// How long a deploy waits for a version to be built before it hands back a
// handle: clients give up on a call after about a minute.
const buildPatience = 40 * time.Second

// handleTime is kept back from a call's time limit to make the handle in.
const handleTime = 2 * time.Second

// The pauses between two looks at a build.
const (
	firstPoll = 20 * time.Millisecond
	lastPoll  = time.Second
)

// cleanupTime bounds what is still done for a call that failed or was cancelled.
const cleanupTime = 10 * time.Second

// both as an environment means staging, then production.
const both = "both"

// plan is what one deploy is to do.
type plan struct {
	name             string
	description      string
	notFoundStrategy string
	environment      string // staging, production or both
	percentage       int    // 1 to 100, of each environment's requests
	rest             string // version that gets the rest; empty: the live one
	force            bool   // upload even what is there already
	archive          *pages.Archive
}

// environments returns those that the plan deploys to, staging first.
func (p plan) environments() []string {
	if p.environment == both {
		return []string{staging, production}
	}
	return []string{p.environment}
}

// hash identifies content and settings: equal hash, equal behaviour.
func (p plan) hash() string {
	if p.notFoundStrategy == "" {
		return p.archive.Hash
	}
	return p.archive.Hash + "+" + p.notFoundStrategy
}

// deployment carries out one plan.
type deployment struct {
	*Deps
	plan
	version string // the version that this deploy made or found
	sent    bool   // the content was uploaded
	noted   *Noted // what guardrails said on the way
}

// newDeployment prepares a plan to be carried out: every note of a call on the
// way is kept for the result.
func newDeployment(d *Deps, p plan) *deployment {
	noted := &Noted{}
	mine := *d
	mine.ESA = notingCaller{d.ESA, noted}
	return &deployment{Deps: &mine, plan: p, noted: noted}
}

// notingCaller keeps the notes of all calls that go through it.
type notingCaller struct {
	esa.Caller
	noted *Noted
}

func (c notingCaller) Call(ctx context.Context, action string, params esa.Params) (esa.Result, error) {
	res, err := c.Caller.Call(ctx, action, params)
	for _, n := range res.Notes {
		if !slices.Contains(c.noted.Notes, n) {
			c.noted.Note(n)
		}
	}
	return res, err
}

// begin takes the routine for a deploy and looks it up. Release ends the deploy.
func (p plan) begin(ctx context.Context, d *Deps) (r *deployment, now routine, exists bool, release func(), err error) {
	if release, err = d.Locks.Lock(ctx, p.name); err != nil {
		return nil, routine{}, false, nil, err
	}
	r = newDeployment(d, p)
	if now, exists, err = getRoutine(ctx, r.ESA, p.name); err != nil {
		release()
		return nil, routine{}, false, nil, fmt.Errorf("look up routine %s: %w", p.name, err)
	}
	return r, now, exists, release, nil
}

// deploy brings the plan's content live and says what is where. Each step is
// reported as progress; a failure says what is live after it.
func (p plan) deploy(ctx context.Context, d *Deps) (DeployOutput, error) {
	r, before, exists, release, err := p.begin(ctx, d)
	if err != nil {
		return DeployOutput{}, err
	}
	defer release()
	return r.sendArchive(ctx, before, exists)
}

// sendArchive uploads the plan's files, unless a version has them, and deploys
// them.
func (r *deployment) sendArchive(ctx context.Context, before routine, exists bool) (DeployOutput, error) {
	if err := r.checkSplit(before); err != nil {
		return DeployOutput{}, err
	}
	if exists {
		if err := r.reuse(ctx); err != nil {
			return DeployOutput{}, err
		}
		if r.version != "" && r.isLive(before) {
			return r.result(ctx, StatusUnchanged)
		}
	} else if err := r.create(ctx, true); err != nil {
		return DeployOutput{}, err
	}
	if r.version == "" {
		if err := r.upload(ctx); err != nil {
			return DeployOutput{}, r.halfway(ctx, "upload", err)
		}
	}
	return r.finish(ctx)
}

// finish waits for the version and deploys it: the part that get_deployment can
// take up again.
func (r *deployment) finish(ctx context.Context) (DeployOutput, error) {
	ready, err := r.await(ctx)
	if err != nil {
		return DeployOutput{}, r.halfway(ctx, "build", err)
	}
	if !ready {
		return r.result(ctx, StatusBuilding)
	}
	for i, env := range r.environments() {
		Progress(ctx, float64(88+6*i), 100, "deploying to "+env)
		if err := r.release(ctx, env); err != nil {
			return DeployOutput{}, r.halfway(ctx, "deployment to "+env, err)
		}
	}
	return r.result(ctx, StatusLive)
}

// checkSplit refuses a share below 100 % where nothing takes the rest.
func (r *deployment) checkSplit(before routine) error {
	if r.percentage == 100 {
		return nil
	}
	for _, env := range r.environments() {
		if len(before.versionsIn(env)) == 0 {
			return Refuse("percentage %d leaves %d %% of the requests to the version that is live in %s, and none is: deploy with percentage 100 first.",
				r.percentage, 100-r.percentage, env)
		}
	}
	return nil
}

// buildsSince is how old a version may be that is still to become available. One
// that is older may never get its content.
const buildsSince = 10 * time.Minute

// usable reports whether a version can be deployed, now or when it is built.
func (r *deployment) usable(v codeVersion) bool {
	made, err := time.Parse(time.RFC3339, v.CreateTime)
	return v.is(versionAvailable) || v.is(versionBuilding) && err == nil && r.Now().Sub(made) < buildsSince
}

// reuse takes a version that already has this content, so that it need not be
// uploaded again.
func (r *deployment) reuse(ctx context.Context) error {
	if r.force {
		return nil
	}
	versions, err := listVersions(ctx, r.ESA, r.name)
	if err != nil {
		return fmt.Errorf("list the versions of %s: %w", r.name, err)
	}
	for _, v := range versions {
		if r.usable(v) && originOf(v).Hash == r.hash() {
			r.version = v.CodeVersion
			return nil
		}
	}
	return nil
}

// isLive reports whether the version already has the wanted share everywhere.
func (r *deployment) isLive(now routine) bool {
	for _, env := range r.environments() {
		if !slices.Contains(now.versionsIn(env), LiveVersion{r.version, int64(r.percentage)}) {
			return false
		}
	}
	return true
}

// await looks at the version until it is built. It returns false when that takes
// longer than a call may.
func (r *deployment) await(ctx context.Context) (bool, error) {
	deadline := r.Now().Add(buildPatience)
	if end, ok := ctx.Deadline(); ok && end.Add(-handleTime).Before(deadline) {
		deadline = end.Add(-handleTime)
	}
	for pause := firstPoll; ; pause = min(2*pause, lastPoll) {
		Progress(ctx, 75, 100, "waiting for version "+r.version+" to be built")
		v, err := esa.Call[codeVersion](ctx, r.ESA, "GetRoutineCodeVersionInfo", esa.Params{"Name": r.name, "CodeVersion": r.version})
		switch {
		case err != nil:
			return false, err
		case v.is(versionAvailable):
			return true, nil
		case v.Status != "" && !v.is(versionBuilding):
			return false, Refuse("ESA could not build version %s: its status is %s. Usual causes: a file name that ESA refuses, a file over 25 MB, code over 5 MB, or code that does not parse.", r.version, v.Status)
		case !r.Now().Before(deadline):
			return false, nil
		}
		if err := r.Sleep(ctx, pause); err != nil {
			return false, err
		}
	}
}

// release gives the version its share of one environment; the rest stays with
// the version that has most of it now.
func (r *deployment) release(ctx context.Context, env string) error {
	shares := []map[string]any{{"CodeVersion": r.version, "Percentage": r.percentage}}
	if r.percentage < 100 {
		rest := r.rest
		if rest == "" {
			now, _, err := getRoutine(ctx, r.ESA, r.name)
			if err != nil {
				return err
			}
			rest = otherVersion(now.versionsIn(env), r.version)
		}
		if rest == "" {
			return Refuse("no other version is live in %s to take the remaining %d %%", env, 100-r.percentage)
		}
		shares = append(shares, map[string]any{"CodeVersion": rest, "Percentage": 100 - r.percentage})
	}
	_, err := r.ESA.Call(ctx, "CreateRoutineCodeDeployment", esa.Params{
		"Name": r.name, "Env": env, "Strategy": "percentage", "CodeVersions": shares,
	})
	return err
}

// otherVersion returns the version with the greatest share that is not mine.
func otherVersion(now []LiveVersion, mine string) string {
	best, share := "", int64(0)
	for _, v := range now {
		if v.Version != mine && v.Percentage > share {
			best, share = v.Version, v.Percentage
		}
	}
	return best
}

// halfway makes the error of a deploy that failed after it began: what failed,
// and what is live now, so that nobody has to guess.
func (r *deployment) halfway(ctx context.Context, step string, cause error) error {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	state := "What is live now could not be read; get_routine shows it."
	if now, exists, err := getRoutine(look, r.ESA, r.name); err == nil && exists {
		state = "Live now: " + describeLive(now.live()) + "."
	} else if err == nil {
		state = "There is no routine of that name: nothing is live."
	}
	if r.version != "" {
		state += " Version " + r.version + " was made; get_routine shows its status."
	}
	return Refuse("%w", &stepError{step: step, name: r.name, state: state, cause: cause})
}

// stepError is a deploy that failed half-way.
type stepError struct {
	step, name, state string
	cause             error
}

func (e *stepError) Error() string {
	return Explain(e.step+" of "+e.name, e.cause) + "\n" + e.state
}

func (e *stepError) Unwrap() error { return e.cause }

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
