package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// Secrets that go in by files come out nowhere: not in results, projected or
// raw, not in errors, and not in the log at its most talkative.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	const accessKey, secretKey = "CANARY7f3aACCESS", "CANARY7f3aSECRET"
	r := newRig(t)
	s := start(t, r.env, "--toolsets", "all", "--log-level", "debug")
	site := newSite(t, s, "canary.example", "NS")
	auth := filepath.Join(t.TempDir(), "auth.json")
	require.NoError(t, os.WriteFile(auth, []byte(`{"auth_type":"private","access_key":"`+accessKey+`","secret_key":"`+secretKey+`"}`), 0o600))
	cert, key := pemPair(t, 90, "www.canary.example")
	pem, err := os.ReadFile(key)
	require.NoError(t, err)
	keyBody := strings.Split(string(pem), "\n")[1]

	var said []string
	call := func(tool string, args arguments) {
		text, _ := s.try(t, t.Context(), tool, with(args, arguments{"raw": true}))
		said = append(said, text)
	}
	call("create_record", arguments{"site_id": site.ID, "name": "files", "type": "CNAME", "value": "bucket.oss.example.net", "proxied": true, "source_type": "OSS", "auth_file": auth})
	call("create_record", arguments{"site_id": site.ID, "name": "files", "type": "CNAME", "value": "bucket.oss.example.net", "proxied": true, "source_type": "OSS", "auth_file": auth})
	record := callOK[tools.ListRecordsOutput](t, s, "list_records", arguments{"site_id": site.ID}).Records[0]
	for tool, args := range map[string]arguments{
		"get_record": {"record_id": record.ID}, "list_records": {"site_id": site.ID}, "export_records": {"site_id": site.ID},
		"update_record": {"record_id": record.ID, "comment": "c"}, "set_certificate": {"site_id": site.ID, "certificate_path": cert, "key_path": key},
		"upload_origin_client_cert": {"site_id": site.ID, "certificate_path": cert, "key_path": key}, "list_certificates": {"site_id": site.ID},
		"deploy_html": {"name": "canary", "html": "<p>x"}, "get_routine": {"name": "canary"}, "get_routine_service": {},
	} {
		call(tool, args)
	}
	for _, action := range []string{"GetRecord", "ListRecords"} {
		text, _ := s.try(t, t.Context(), "read_api", arguments{"action": action, "params": arguments{"RecordId": record.ID, "SiteId": site.ID}})
		said = append(said, text)
	}
	said = append(said, s.stderr.String())
	require.GreaterOrEqual(t, strings.Count(strings.Join(said, "\n"), `"raw":[`), 10, "the calls succeed")
	for _, text := range said {
		for name, secret := range map[string]string{"access key": accessKey, "secret key": secretKey, "private key": keyBody, "account's secret": r.info.AccessKeySecret} {
			require.NotContains(t, text, secret, name)
		}
	}
}
