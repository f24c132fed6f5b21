package guard_test

import (
	"context"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// meddle has the local ESA ask before it carries a call out.
func (w *world) meddle(intercept func(action string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.intercept = intercept
}

func (w *world) intercepted(ctx context.Context, action string, also func(context.Context, string) error) error {
	w.mu.Lock()
	intercept := w.intercept
	w.mu.Unlock()
	if intercept != nil {
		if err := intercept(action); err != nil {
			return err
		}
	}
	if also != nil {
		return also(ctx, action)
	}
	return nil
}

// answer is an error of the service.
func answer(_ *world, status int, code string) error {
	return api.Errorf(status, code, "as a test wants it")
}

// another is a client of its own, past the guardrails.
func (w *world) another() *esa.Client { return w.patient(1) }

// patient is a client that sends a call up to that many times, without waiting.
func (w *world) patient(tries int) *esa.Client {
	w.Helper()
	info := w.local.Info()
	c, err := esa.New(esa.Config{Endpoint: info.Endpoint, MaxTries: tries,
		Credentials: esa.StaticCredentials(info.AccessKeyID, info.AccessKeySecret, ""),
		Sleep:       func(context.Context, time.Duration) error { return nil }})
	require.NoError(w, err)
	return c
}

// posted sends an operation with POST, whatever its method is, and returns the
// code of the refusal.
func (w *world) posted(action string) string {
	w.Helper()
	info := w.local.Info()
	host := info.Endpoint[len("http://"):]
	c, err := openapi.NewClient(&openapiutil.Config{
		AccessKeyId: &info.AccessKeyID, AccessKeySecret: &info.AccessKeySecret, Endpoint: &host, Protocol: dara.String("HTTP")})
	require.NoError(w, err)
	_, err = c.CallApi(&openapiutil.Params{
		Action: &action, Version: dara.String(catalog.Version), Protocol: dara.String("HTTP"), Pathname: dara.String("/"), Method: dara.String("POST"),
		AuthType: dara.String("AK"), Style: dara.String("RPC"), ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}, &openapiutil.OpenApiRequest{}, &dara.RuntimeOptions{})
	var refused *tea.SDKError
	require.ErrorAs(w, err, &refused)
	return tea.StringValue(refused.Code)
}
