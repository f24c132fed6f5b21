package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

func TestRefusals(t *testing.T) {
	form := "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		call   call
		status int
		code   string
	}{
		"verified":                    {call{action: "ListSites"}, 200, ""},
		"unknown action":              {call{action: "NoSuchThing"}, 404, "InvalidAction.NotFound"},
		"no action":                   {call{}, 400, "MissingAction"},
		"other path":                  {call{action: "ListSites", path: "/v2"}, 404, "InvalidAction.NotFound"},
		"catalogue action not here":   {call{action: "PurchaseRatePlan"}, 501, "NotInLocalESA"},
		"undocumented action":         {call{action: "GetMatchSite"}, 200, ""},
		"read by POST":                {call{action: "ListSites", method: "POST"}, 403, "UnsupportedHTTPMethod"},
		"delete by POST":              {call{action: "DeleteKv", method: "POST"}, 403, "UnsupportedHTTPMethod"},
		"routine read by POST":        {call{action: "GetErService", method: "POST"}, 200, ""},
		"routine write by GET":        {call{action: "CreateRoutine", query: url.Values{"Name": {"ab"}}}, 200, ""},
		"other write by GET":          {call{action: "VerifySite", query: url.Values{"SiteId": {"1"}}}, 200, ""},
		"PUT":                         {call{action: "ListSites", method: "PUT"}, 403, "UnsupportedHTTPMethod"},
		"other version":               {call{action: "ListSites", headers: map[string]string{"x-acs-version": "2019-01-01"}}, 400, "InvalidVersion"},
		"no version":                  {call{action: "ListSites", headers: map[string]string{"x-acs-version": ""}}, 400, "MissingVersion"},
		"required missing":            {call{action: "GetSite"}, 400, "MissingSiteId"},
		"required empty":              {call{action: "GetSite", query: url.Values{"SiteId": {""}}}, 400, "MissingSiteId"},
		"required blank":              {call{action: "GetSite", query: url.Values{"SiteId": {"  "}}}, 400, "MissingSiteId"},
		"long no number":              {call{action: "GetSite", query: url.Values{"SiteId": {"12a"}}}, 400, "InvalidSiteId"},
		"long too long":               {call{action: "GetSite", query: url.Values{"SiteId": {"9223372036854775808"}}}, 400, "InvalidSiteId"},
		"integer too long":            {call{action: "ListSites", query: url.Values{"PageSize": {"4294967296"}}}, 400, "InvalidPageSize"},
		"boolean":                     {call{action: "ListSites", query: url.Values{"OnlyEnterprise": {"yes"}}}, 400, "InvalidOnlyEnterprise"},
		"boolean in capitals":         {call{action: "ListSites", query: url.Values{"OnlyEnterprise": {"True"}}}, 200, ""},
		"no such body type":           {call{action: "CreateRoutine", method: "POST", contentType: "text/plain", body: "Name=ab"}, 415, "UnsupportedContentType"},
		"no body type":                {call{action: "CreateRoutine", method: "POST", body: "Name=ab"}, 415, "UnsupportedContentType"},
		"broken form":                 {call{action: "CreateRoutine", method: "POST", contentType: form, body: "Name=%zz"}, 400, "InvalidBody"},
		"broken JSON":                 {call{action: "CreateRoutine", method: "POST", contentType: "application/json", body: `{"Name":`}, 400, "InvalidBody"},
		"JSON list":                   {call{action: "CreateRoutine", method: "POST", contentType: "application/json", body: `[1]`}, 400, "InvalidBody"},
		"JSON twice":                  {call{action: "CreateRoutine", method: "POST", contentType: "application/json", body: `{"Name":"ab"}{}`}, 400, "InvalidBody"},
		"JSON null is missing":        {call{action: "CreateRoutine", method: "POST", contentType: "application/json", body: `{"Name":null}`}, 400, "MissingName"},
		"body too large":              {call{action: "CreateRoutine", method: "POST", contentType: form, body: strings.Repeat("a", maxBody+1)}, 413, "RequestBodyTooLarge"},
		"action in the query instead": {call{query: url.Values{"Action": {"ListSites"}}}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, New(testConfig()), c.call.request())
			require.Equal(t, c.status, got.status, "%v", got.body)
			require.Equal(t, "TEST-ID", got.body["RequestId"])
			require.Equal(t, "TEST-ID", got.header.Get("x-acs-request-id"))
			if c.code == "" {
				require.NotContains(t, got.body, "Code")
				return
			}
			require.Equal(t, c.code, got.body["Code"])
			require.NotEmpty(t, got.body["Message"])
			require.Equal(t, "127.0.0.1:4001", got.body["HostId"])
			require.Contains(t, got.body["Recommend"], url.QueryEscape(c.code))
		})
	}
}

func TestMessagesNameTheParameter(t *testing.T) {
	got := send(t, New(testConfig()), call{action: "GetSite"}.request())
	require.Equal(t, "SiteId is mandatory for this action.", got.body["Message"])
	got = send(t, New(testConfig()), call{action: "GetSite", query: url.Values{"SiteId": {"shop.example"}}}.request())
	require.Equal(t, `Specified parameter SiteId is not valid: it must be a 64-bit integer, not "shop.example".`, got.body["Message"])
}

// TestDocumentedBooleans takes 1 and 0 for the booleans whose documented example
// is 1, and for no others.
func TestDocumentedBooleans(t *testing.T) {
	cfg := testConfig()
	cfg.Table["ListCertificates"], cfg.Table["ListRecords"] = echo, echo
	for text, want := range map[string]string{"1": "true", "0": "false", "true": "true"} {
		got := send(t, New(cfg), call{action: "ListCertificates", method: "POST", query: url.Values{"SiteId": {"1"}, "ValidOnly": {text}}}.request())
		require.Equal(t, map[string]any{"SiteId": "1", "ValidOnly": want}, got.body["Params"], got.body)
	}
	got := send(t, New(cfg), call{action: "ListRecords", query: url.Values{"SiteId": {"1"}, "Proxied": {"1"}}}.request())
	require.Equal(t, "InvalidProxied", got.body["Code"])
}

func TestParametersOfAllSources(t *testing.T) {
	g := New(testConfig())
	got := send(t, g, call{action: "PutKv", method: "POST", contentType: "application/x-www-form-urlencoded; charset=utf-8",
		query: url.Values{"Namespace": {"n s"}, "Key": {"k~*+/ü"}, "Base64": {"true"}, "Tag.1.Key": {"a"}}, body: "Value=v%26+w"}.request())
	require.Equal(t, 200, got.status, "%v", got.body)
	require.Equal(t, map[string]any{"Namespace": "n s", "Key": "k~*+/ü", "Base64": "true", "Tag.1.Key": "a", "Value": "v& w"}, got.body["Params"])
	require.Equal(t, "http://127.0.0.1:4001", got.body["BaseURL"])

	got = send(t, g, call{action: "CreateRoutineWithAssetsCodeVersion", method: "POST", contentType: "application/json",
		query: url.Values{"Name": {"query"}}, body: `{"Name":"body","BuildId":12345678901234567,"ConfOptions":{"NotFoundStrategy":"404Page"}}`}.request())
	require.Equal(t, 200, got.status, "%v", got.body)
	require.Equal(t, "body", got.body["Params"].(map[string]any)["Name"])
	require.Equal(t, map[string]any{"NotFoundStrategy": "404Page"}, got.body["Params"].(map[string]any)["ConfOptions"])
}

func TestHandlerOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		handle api.Handler
		status int
		code   string
	}{
		"nil answer":   {func(context.Context, *api.Request) (any, error) { return nil, nil }, 200, ""},
		"empty answer": {func(context.Context, *api.Request) (any, error) { return struct{}{}, nil }, 200, ""},
		"list answer":  {func(context.Context, *api.Request) (any, error) { return []int{1}, nil }, 500, "InternalException"},
		"no JSON":      {func(context.Context, *api.Request) (any, error) { return func() {}, nil }, 500, "InternalException"},
		"api error":    {func(context.Context, *api.Request) (any, error) { return nil, api.Errorf(429, "TooQuickRequests", "x") }, 429, "TooQuickRequests"},
		"other error":  {func(context.Context, *api.Request) (any, error) { return nil, errors.New("hidden cause") }, 500, "InternalException"},
		"panic":        {func(context.Context, *api.Request) (any, error) { panic("hidden cause") }, 500, "InternalException"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			cfg := testConfig()
			cfg.Table = api.Table{"ListSites": c.handle}
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			got := send(t, New(cfg), call{action: "ListSites"}.request())
			require.Equal(t, c.status, got.status)
			if c.code == "" {
				require.Equal(t, map[string]any{"RequestId": "TEST-ID"}, got.body)
				return
			}
			require.Equal(t, c.code, got.body["Code"])
			require.NotContains(t, got.body["Message"], "hidden cause")
			if name == "panic" || name == "other error" {
				require.Contains(t, log.String(), "hidden cause")
				require.Contains(t, log.String(), "TEST-ID")
			}
		})
	}
}

func TestIntercept(t *testing.T) {
	var seen []string
	cfg := testConfig()
	cfg.Intercept = func(_ context.Context, action string) error {
		seen = append(seen, action)
		if action == "ListSites" && len(seen) == 1 {
			return api.Errorf(http.StatusServiceUnavailable, "Throttling.User", "slow down")
		}
		return nil
	}
	g := New(cfg)
	require.Equal(t, "Throttling.User", send(t, g, call{action: "ListSites"}.request()).body["Code"])
	require.Equal(t, 200, send(t, g, call{action: "ListSites"}.request()).status)
	send(t, g, call{action: "GetSite"}.request())                    // refused before
	send(t, g, call{action: "ListSites", secret: "wrong"}.request()) // refused before
	require.Equal(t, []string{"ListSites", "ListSites"}, seen)
}

func TestRandomRequestIDs(t *testing.T) {
	a, b := randomUUID(), randomUUID()
	require.Regexp(t, `^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`, a)
	require.NotEqual(t, a, b)
}
