package generic

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// containers are the applications of the edge container service. None runs
// here: they are kept, and their states follow what is told.
func containers() []kind {
	app := "EdgeContainerApp"
	return []kind{
		{
			name: app, what: "container application", quota: quota.ContainerApps, id: "AppId", prefix: "app-8", unique: "Name",
			create: "CreateEdgeContainerApp", get: "GetEdgeContainerApp", remove: "DeleteEdgeContainerApp",
			list: "ListEdgeContainerApps", member: "Apps", wrap: "App",
			defaults: map[string]any{"Status": "created", "HealthCheckType": "l4"},
			check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
				for _, name := range []string{"ServicePort", "TargetPort"} {
					if err := within(name, it.fields[name], 1, 65535); err != nil {
						return err
					}
				}
				return length("Name", it.text("Name"), 128)
			},
			view: viewApp,
			verbs: map[string]change{
				"PublishEdgeContainerAppVersion":    publish,
				"RollbackEdgeContainerAppVersion":   publish,
				"RebuildEdgeContainerAppStagingEnv": func(context.Context, *sql.Tx, *Service, *item, api.Params) (map[string]any, error) { return nil, nil },
			},
			looks: map[string]change{
				"GetEdgeContainerAppStatus":           appStatus,
				"GetEdgeContainerAppResourceCapacity": idle("GetEdgeContainerAppResourceCapacity"),
				"GetEdgeContainerAppResourceStatus":   idle("GetEdgeContainerAppResourceStatus"),
				"GetEdgeContainerDeployRegions":       idle("GetEdgeContainerDeployRegions"),
				"GetEdgeContainerLogs":                idle("GetEdgeContainerLogs"),
				"GetEdgeContainerStagingDeployStatus": idle("GetEdgeContainerStagingDeployStatus"),
			},
		},
		{
			name: "EdgeContainerAppVersion", what: "version", quota: quota.ContainerVersions, id: "VersionId", prefix: "ver-", unique: "Name",
			parent: app, parentID: "AppId", create: "CreateEdgeContainerAppVersion", get: "GetEdgeContainerAppVersion",
			remove: "DeleteEdgeContainerAppVersion", list: "ListEdgeContainerAppVersions", member: "Versions", wrap: "Version",
			defaults: map[string]any{"Status": "created"},
			free: func(ctx context.Context, tx *sql.Tx, it *item) error {
				apps, err := find(ctx, tx, kindOf(app), `r.id = ?`, it.parent)
				if err != nil {
					return err
				}
				for _, env := range []string{"prod", "staging"} {
					if apps[0].text("Version/"+env) == it.key {
						return isDependent("version", "the environment "+env)
					}
				}
				return nil
			},
		},
		{
			name: "EdgeContainerAppImageSecret", what: "image secret", id: "Name", prefix: "secret-", parent: app, parentID: "AppId",
			create: "CreateEdgeContainerAppImageSecret", remove: "DeleteEdgeContainerAppImageSecret",
			list: "ListEdgeContainerAppImageSecrets", member: "ImageSecretList",
			check: func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) error {
				it.set("Password", nil) // nothing here pulls images
				return nil
			},
		},
		{
			name: "EdgeContainerAppRecord", what: "record of the application", id: "RecordName", unique: "RecordName", parent: app, parentID: "AppId",
			create: "CreateEdgeContainerAppRecord", remove: "DeleteEdgeContainerAppRecord",
			list: "ListEdgeContainerAppRecords", member: "Records",
			check: func(ctx context.Context, tx *sql.Tx, _ *Service, it *item, sent api.Params) (err error) {
				if it.site, it.siteName, err = siteByName(ctx, tx, sent, it.text("RecordName")); err != nil {
					return err
				}
				return ofSite("RecordName", it.text("RecordName"), it.siteName)
			},
			view: func(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
				m["Cname"], m["RecordCname"] = it.name+".container.localhost", it.name+".container.localhost"
				m["RecordId"], m["ConfigId"] = it.id, it.id
				return nil
			},
		},
	}
}

// siteByName finds the site that a call names, or else the one that a host name
// is under.
func siteByName(ctx context.Context, tx *sql.Tx, sent api.Params, host string) (id int64, name string, err error) {
	if sent.String("SiteId") != "" {
		if id, err = sent.Int("SiteId", 0); err != nil {
			return 0, "", err
		}
		name, err = siteOf(ctx, tx, id)
		return id, name, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, name FROM sites ORDER BY length(name) DESC`)
	if err != nil {
		return 0, "", fmt.Errorf("look for the site of %s: %w", host, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&id, &name); err != nil {
			return 0, "", fmt.Errorf("read a site: %w", err)
		}
		if ofSite("RecordName", host, name) == nil {
			return id, name, nil
		}
	}
	if err := rows.Err(); err != nil {
		return 0, "", err
	}
	return 0, "", values.Invalid("RecordName", "%q is under no site of the account", host)
}

func viewApp(ctx context.Context, tx *sql.Tx, it *item, m map[string]any) error {
	versions, err := find(ctx, tx, kindOf("EdgeContainerAppVersion"), `r.parent_id = ?`, it.id)
	if err != nil {
		return err
	}
	m["VersionCount"], m["GatewayType"], m["DomainName"], m["QuicCid"] = len(versions), "l7", it.key+".container.localhost", "off"
	check := map[string]any{}
	for name, value := range it.fields {
		if rest, ok := strings.CutPrefix(name, "HealthCheck"); ok {
			check[rest] = value
		}
	}
	check["Uri"] = check["URI"]
	m["HealthCheck"] = check
	return nil
}

// publish makes a version that of an environment.
func publish(ctx context.Context, tx *sql.Tx, s *Service, it *item, sent api.Params) (map[string]any, error) {
	version, err := s.one(ctx, tx, kindOf("EdgeContainerAppVersion"), api.Params{"AppId": it.key, "VersionId": sent["VersionId"]})
	if err != nil {
		return nil, err
	}
	env := sent.String("PublishEnv")
	if env == "" {
		env = "prod" // a rollback
	}
	it.set("Version/"+env, version.key)
	it.set("Time/"+env, stamp(s.clock()))
	it.set("Status", "online")
	return nil, nil
}

func appStatus(_ context.Context, _ *sql.Tx, _ *Service, it *item, sent api.Params) (map[string]any, error) {
	env := sent.String("PublishEnv")
	if env == "" {
		env = "prod"
	}
	status := map[string]any{"PublishEnv": env, "DeployStatus": "undeploy", "PublishStatus": "none"}
	if version := it.text("Version/" + env); version != "" {
		status = map[string]any{"PublishEnv": env, "DeployStatus": "deployed", "PublishStatus": "success", "DeployedVersion": version,
			"PublishingVersion": version, "PublishPercentage": 100, "ExpectPercentage": 100, "FullRelease": true, "PublishType": "percentage",
			"PublishTime": it.text("Time/" + env), "DeployTime": it.text("Time/" + env)}
	}
	return map[string]any{"AppStatus": status}, nil
}

// idle answers what there is to say of an application that does not run.
func idle(action string) change {
	return func(context.Context, *sql.Tx, *Service, *item, api.Params) (map[string]any, error) {
		return nothing(shapeOf(action), nil), nil
	}
}

// containerRecords answers ListEdgeContainerRecords: those of a site, of any
// application.
func containerRecords(ctx context.Context, tx *sql.Tx, s *Service, r *api.Request) (map[string]any, error) {
	page, err := r.Params.Page(500, 500)
	if err != nil {
		return nil, err
	}
	k := kindOf("EdgeContainerAppRecord")
	found, err := find(ctx, tx, k, `r.site_id = ?`, r.Params.String("SiteId"))
	if err != nil {
		return nil, err
	}
	how := r.Params.String("RecordMatchType")
	entries := []any{}
	for _, it := range found {
		if name := r.Params.String("RecordName"); name != "" && !matches(how, it.name, name) {
			continue
		}
		m, err := s.members(ctx, tx, k, it)
		if err != nil {
			return nil, err
		}
		entries = append(entries, m)
	}
	total := int64(len(entries))
	first := min(page.Offset(), total)
	return map[string]any{"Records": entries[first:min(first+page.Size, total)], "PageNumber": page.Number, "PageSize": page.Size, "TotalCount": total}, nil
}

// containerSettings are what an application, or the account, has once.
func containerSettings() []setting {
	return []setting{
		{
			name: "EdgeContainer", get: "GetEdgeContainer", set: []string{"OpenEdgeContainer"},
			defaults: map[string]any{"Status": "NotOpened"},
			check: func(_ context.Context, _ *sql.Tx, s *Service, fields map[string]any) error {
				fields["Status"], fields["BillingMode"], fields["InstanceId"] = "Running", "PREPAY", "esa-ec-"+s.store.Account().Hash
				return nil
			},
		},
		{
			name: "LogRiver", get: "GetEdgeContainerAppLogRiver", set: []string{"UpdateEdgeContainerAppLogRiver"},
			of: []string{"AppId"}, holder: "EdgeContainerApp", defaults: map[string]any{"Path": "", "Stdout": false},
		},
		{
			name: "ResourceReserve", get: "GetEdgeContainerAppResourceReserve", set: []string{"UpdateEdgeContainerAppResourceReserve"},
			of: []string{"AppId"}, holder: "EdgeContainerApp",
			defaults: map[string]any{"Enable": false, "Forever": false, "DurationTime": "", "ReserveSet": []any{}},
		},
	}
}
