package generic

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/certificate"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
	"github.com/esa-mcp/esa-mcp/internal/local/state"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// saas are custom host names, layer 4 applications and custom pages.
func saas() []kind {
	return []kind{
		{
			name: "CustomHostname", what: "custom host name", quota: quota.CustomHostnames, id: "HostnameId", unique: "Hostname", site: true, byID: true, full: true,
			create: "CreateCustomHostname", update: "UpdateCustomHostname", get: "GetCustomHostname", remove: "DeleteCustomHostname",
			list: "ListCustomHostnames", member: "Hostnames", wrap: "CustomHostnameModel",
			defaults: map[string]any{"Status": "pending"},
			check:    checkHostname, view: viewHostname,
			verbs: map[string]change{
				"VerifyCustomHostname": func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) (map[string]any, error) {
					it.set("Status", "active") // no DNS is asked: names are free to use locally
					if it.text("CertType") == "free" && it.text("CertStatus") == "Applying" {
						it.set("CertStatus", "OK") // which only waited for that
					}
					return map[string]any{"Passed": true}, nil
				},
				"ApplyCustomHostnameCertificate": func(_ context.Context, _ *sql.Tx, _ *Service, it *item, _ api.Params) (map[string]any, error) {
					if it.text("SslFlag") != "on" || it.text("CertType") != "free" {
						return nil, api.Errorf(400, "InvalidParameter.CertType", "Only a host name with SslFlag on and CertType free is given a certificate.")
					}
					it.set("CertStatus", "OK")
					return nil, nil
				},
			},
		},
		{
			name: "TransportLayerApplication", what: "layer 4 application", quota: quota.Layer4Applications, id: "ApplicationId", unique: "RecordName", site: true, full: true,
			create: "CreateTransportLayerApplication", update: "UpdateTransportLayerApplication", get: "GetTransportLayerApplication",
			remove: "DeleteTransportLayerApplication", list: "ListTransportLayerApplications", member: "Applications",
			defaults: map[string]any{"CrossBorderOptimization": "off", "IpAccessRule": "off", "Ipv6": "off", "KeepAliveProtection": "off", "StaticIp": "off"},
			check:    checkApplication,
			view: func(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
				m["RulesCount"], m["Status"], m["Cname"] = len(list(it.fields["Rules"])), "active", it.name+".layer4.localhost"
				m["StaticIpV4List"] = []any{}
				return nil
			},
		},
		{
			name: "Page", what: "custom page", quota: quota.Pages, id: "Id", unique: "Name", full: true,
			create: "CreatePage", update: "UpdatePage", get: "GetPage", remove: "DeletePage", list: "ListPages", member: "Pages",
			check: checkPage, free: freePage,
			view: func(_ context.Context, _ *sql.Tx, _ *item, m map[string]any) error {
				m["Kind"] = "custom"
				return nil
			},
		},
	}
}

func checkHostname(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	record := number(it.fields["RecordId"])
	var name string
	err := tx.QueryRowContext(ctx, `SELECT name FROM records WHERE id = ? AND site_id = ?`, record, it.site).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return api.Errorf(404, "Record.NotFound", "The site has no record %d.", record)
	}
	if err != nil {
		return fmt.Errorf("look up the record: %w", err)
	}
	it.set("RecordName", name)
	if !values.IsHost(it.text("Hostname")) {
		return values.Invalid("Hostname", "%q is no host name", it.text("Hostname"))
	}
	if ofSite("Hostname", it.text("Hostname"), it.siteName) == nil {
		return values.Invalid("Hostname", "%s is a name of the site itself: use a record", it.text("Hostname"))
	}
	others, err := find(ctx, tx, kindOf("CustomHostname"), `r.name = ? AND r.id <> ?`, it.text("Hostname"), it.id)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return api.Errorf(400, "CustomHostname.AlreadyExist", "A site has the custom host name %s already.", it.text("Hostname"))
	}
	if it.text("SslFlag") != "on" {
		return nil
	}
	switch it.text("CertType") {
	case "free":
		if it.text("CertStatus") == "" {
			it.set("CertStatus", "Applying")
		}
	case "upload":
		if it.text("Certificate") == "" || it.text("PrivateKey") == "" {
			return api.Errorf(400, "MissingCertificate", "Certificate and PrivateKey are mandatory here: CertType upload needs them.")
		}
		leaf, err := certificate.CheckPair(it.text("Certificate"), it.text("PrivateKey"))
		if err != nil {
			return err
		}
		if leaf.VerifyHostname(it.text("Hostname")) != nil {
			return values.Invalid("Certificate", "it is not for the host name %s", it.text("Hostname"))
		}
		it.set("CertStatus", "OK")
	case "cas":
		id := number(it.fields["CasId"])
		if id == 0 {
			return api.Errorf(400, "MissingCasId", "CasId is mandatory here: CertType cas needs it.")
		}
		known, err := certificate.InService(ctx, tx, id)
		if err != nil {
			return err
		}
		if !known {
			return api.Errorf(404, "InvalidCertificate.NotFound", "There is no certificate %d in the certificate service.", id)
		}
		it.set("CertStatus", "OK")
	default:
		return api.Errorf(400, "MissingCertType", "CertType is mandatory here: SslFlag on needs it.")
	}
	return nil
}

func viewHostname(_ context.Context, _ *sql.Tx, it *item, m map[string]any) error {
	m["VerifyCode"] = fmt.Sprintf("verify_%x", it.id)
	m["VerifyHost"] = "_esaauth." + it.text("Hostname")
	return nil
}

func checkApplication(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	if err := ofSite("RecordName", it.text("RecordName"), it.siteName); err != nil {
		return err
	}
	rules := list(it.fields["Rules"])
	if len(rules) == 0 {
		return values.Invalid("Rules", "an application has at least one rule")
	}
	for _, entry := range rules {
		rule := object(entry)
		if rule["RuleId"] != nil {
			continue
		}
		id, err := state.NextID(ctx, tx)
		if err != nil {
			return err
		}
		rule["RuleId"] = id
	}
	return nil
}

func checkPage(ctx context.Context, tx *sql.Tx, _ *Service, it *item, _ api.Params) error {
	if err := length("Name", it.text("Name"), 128); err != nil {
		return err
	}
	if _, err := base64.StdEncoding.DecodeString(it.text("Content")); err != nil {
		return values.Invalid("Content", "it is the page in Base64")
	}
	for _, id := range list(it.fields["SiteIds"]) {
		if _, err := siteOf(ctx, tx, number(id)); err != nil {
			return err
		}
	}
	return nil
}

// freePage refuses to delete a page that a rule answers with.
func freePage(ctx context.Context, tx *sql.Tx, it *item) error {
	for by, query := range map[string]string{
		"a custom response rule": `SELECT EXISTS (SELECT 1 FROM rule_configs WHERE family = 'CustomResponseCodeRule'
			AND CAST(json_extract(fields, '$.PageId') AS INTEGER) = ?)`,
		"a security rule": `SELECT EXISTS (SELECT 1 FROM waf_rules WHERE CAST(json_extract(config, '$.Actions.Response.Id') AS INTEGER) = ?)`,
	} {
		var used bool
		if err := tx.QueryRowContext(ctx, query, it.id).Scan(&used); err != nil {
			return fmt.Errorf("look for %s with the page: %w", by, err)
		}
		if used {
			return isDependent("custom page", by)
		}
	}
	return nil
}

// PageExists tells whether the account has a custom page of that id.
func PageExists(ctx context.Context, tx *sql.Tx, id int64) (bool, error) {
	pages, err := find(ctx, tx, kindOf("Page"), `r.id = ?`, id)
	return len(pages) > 0, err
}
