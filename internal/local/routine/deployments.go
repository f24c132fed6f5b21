package routine

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

const strategyPercentage = "percentage"

// Share is one deployed version and its part of the requests, in percent.
type Share struct {
	CodeVersion string
	Percentage  int64
}

// UnmarshalJSON takes both values as text or number: clients send either.
func (s *Share) UnmarshalJSON(raw []byte) error {
	var in struct {
		CodeVersion flexible
		Percentage  flexible
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	s.CodeVersion = string(in.CodeVersion)
	if in.Percentage == "" {
		return fmt.Errorf("an element has no Percentage")
	}
	n, err := json.Number(in.Percentage).Int64()
	if err != nil {
		return fmt.Errorf("the Percentage must be a whole number, not %.40q", string(in.Percentage))
	}
	s.Percentage = n
	return nil
}

// flexible is the text of a JSON string or number.
type flexible string

func (f *flexible) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*f = flexible(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return err
	}
	*f = flexible(number)
	return nil
}

type deploymentAnswer struct {
	DeploymentID string `json:"DeploymentId"`
	Strategy     string
	CodeVersions []Share
}

func (s *Service) createDeployment(ctx context.Context, r *api.Request) (any, error) {
	env, err := envOf("Env", r.Params.String("Env"))
	if err != nil {
		return nil, err
	}
	if strategy := r.Params.String("Strategy"); strategy != strategyPercentage {
		return nil, api.Errorf(400, "InvalidStrategy", "Strategy must be percentage, not %.80q.", strategy)
	}
	var shares []Share
	sent, err := r.Params.JSON("CodeVersions", &shares)
	if err != nil {
		return nil, err
	}
	if !sent {
		return nil, api.Errorf(400, "MissingCodeVersions", "CodeVersions is mandatory for this action.")
	}
	if err := checkShares(shares); err != nil {
		return nil, err
	}
	id, err := s.deploy(ctx, r.Params, env, shares)
	if err != nil {
		return nil, err
	}
	return deploymentAnswer{id, strategyPercentage, shares}, nil
}

func checkShares(shares []Share) error {
	if len(shares) == 0 || len(shares) > 2 {
		return api.Errorf(400, "InvalidCodeVersions", "CodeVersions must have 1 or 2 versions, not %d.", len(shares))
	}
	var sum int64
	for _, share := range shares {
		if share.CodeVersion == "" {
			return api.Errorf(400, "InvalidCodeVersions", "CodeVersions has an element without CodeVersion.")
		}
		if share.Percentage < 1 || share.Percentage > 100 {
			return api.Errorf(400, "InvalidCodeVersions", "Percentage must be from 1 to 100, not %d.", share.Percentage)
		}
		sum += share.Percentage
	}
	if len(shares) == 2 && shares[0].CodeVersion == shares[1].CodeVersion {
		return api.Errorf(400, "InvalidCodeVersions", "CodeVersions has the version %.80q twice.", shares[0].CodeVersion)
	}
	if sum != 100 {
		return api.Errorf(400, "InvalidCodeVersions", "The percentages of CodeVersions must add up to 100, not %d.", sum)
	}
	return nil
}

// publishVersion is the older way to deploy one version to all requests.
func (s *Service) publishVersion(ctx context.Context, r *api.Request) (any, error) {
	env, err := envOf("Env", r.Params.String("Env"))
	if err != nil {
		return nil, err
	}
	codeVersion, err := required(r.Params, "CodeVersion")
	if err != nil {
		return nil, err
	}
	if _, err := s.deploy(ctx, r.Params, env, []Share{{codeVersion, 100}}); err != nil {
		return nil, err
	}
	return struct{ CodeVersion string }{codeVersion}, nil
}

// deploy replaces what is live in env and returns the deployment's id.
func (s *Service) deploy(ctx context.Context, p api.Params, env Env, shares []Share) (deploymentID string, err error) {
	text, err := json.Marshal(shares)
	if err != nil {
		return "", fmt.Errorf("write deployment: %w", err)
	}
	err = s.store.Tx(ctx, func(tx *sql.Tx) error {
		id, name, err := routineID(ctx, tx, p)
		if err != nil {
			return err
		}
		for _, share := range shares {
			if err := checkAvailable(ctx, tx, id, name, share.CodeVersion); err != nil {
				return err
			}
		}
		if deploymentID, err = s.nextID(ctx, tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO routine_deployments
			(routine_id, env, deployment_id, strategy, code_versions, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
			id, env, deploymentID, strategyPercentage, string(text), s.cfg.Now().UnixNano())
		if err != nil {
			return fmt.Errorf("store deployment: %w", err)
		}
		return nil
	})
	return deploymentID, err
}

func checkAvailable(ctx context.Context, q querier, routineID int64, name, codeVersion string) error {
	var status, reason string
	err := q.QueryRowContext(ctx, `SELECT status, reason FROM routine_versions WHERE routine_id = ? AND code_version = ?`,
		routineID, codeVersion).Scan(&status, &reason)
	if isNoRows(err) {
		return noVersion(name, codeVersion)
	}
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	switch status {
	case statusAvailable:
		return nil
	case statusFailed:
		return api.Errorf(400, codeNotAvailable, "The code version %s cannot be deployed, its build failed: %s.", codeVersion, reason)
	}
	return api.Errorf(400, codeNotAvailable, "The code version %s is not available yet: its status is %s.", codeVersion, status)
}

// readShares returns what is live in an environment; none if nothing is.
func readShares(ctx context.Context, q querier, routineID int64, env Env) ([]Share, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT code_versions FROM routine_deployments WHERE routine_id = ? AND env = ?`, routineID, env).Scan(&text)
	if isNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read deployment: %w", err)
	}
	return parseShares(text)
}

func parseShares(text string) ([]Share, error) {
	var shares []Share
	if err := json.Unmarshal([]byte(text), &shares); err != nil {
		return nil, fmt.Errorf("read deployment: %w", err)
	}
	return shares, nil
}

// readDeploy gathers what GetRoutine shows of one environment.
func readDeploy(ctx context.Context, q querier, routineID int64, env Env) (codeDeploy, error) {
	out := codeDeploy{CodeVersions: []deployedVersion{}}
	var text string
	var created int64
	err := q.QueryRowContext(ctx, `SELECT deployment_id, strategy, code_versions, created_at FROM routine_deployments
		WHERE routine_id = ? AND env = ?`, routineID, env).Scan(&out.DeployID, &out.Strategy, &text, &created)
	if isNoRows(err) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("read deployment: %w", err)
	}
	out.CreationTime = timeText(created)
	shares, err := parseShares(text)
	if err != nil {
		return out, err
	}
	for _, share := range shares {
		v := deployedVersion{CodeVersion: share.CodeVersion, Percentage: share.Percentage}
		var made int64
		err := q.QueryRowContext(ctx, `SELECT description, created_at FROM routine_versions WHERE routine_id = ? AND code_version = ?`,
			routineID, share.CodeVersion).Scan(&v.Description, &made)
		if err != nil {
			return out, fmt.Errorf("read deployed version: %w", err)
		}
		v.CreateTime = timeText(made)
		out.CodeVersions = append(out.CodeVersions, v)
	}
	return out, nil
}
