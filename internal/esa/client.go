package esa

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// Defaults of Config.
const (
	DefaultTimeout        = 30 * time.Second
	DefaultConnectTimeout = 10 * time.Second
	DefaultMaxTries       = 5
)

// Config says how to reach ESA. Its zero value is usable: the default endpoint,
// credentials from the environment.
type Config struct {
	// Endpoint is "https://host", a bare host name, or "http://host:port" for
	// a loopback host. Empty means the endpoint of Region.
	Endpoint string
	// Region is the account's region. Empty means ALIBABACLOUD_REGION_ID and
	// its other spellings, else DefaultRegion. It selects the endpoint only if
	// ESA has one there and Endpoint is empty.
	Region string
	// OpenPlatform is the endpoint that authorises file uploads. Empty means
	// openplatform.aliyuncs.com, or Endpoint if that is on loopback.
	OpenPlatform string
	// Credentials sign the calls; nil means EnvironmentCredentials.
	Credentials Credentials
	// Version is the program's version, for the user agent.
	Version string
	// Timeout limits one try of a call, and an upload's time without progress.
	Timeout time.Duration
	// ConnectTimeout limits the dialling, and the TLS handshake by itself.
	ConnectTimeout time.Duration
	// MaxTries is how often a call is sent at most; 1 turns repeating off.
	MaxTries int
	// Logger gets one debug line for each try, without parameters; nil is none.
	Logger *slog.Logger

	// Transport replaces the client's own connection pool.
	Transport http.RoundTripper
	// Proxy replaces the proxy settings of the environment.
	Proxy func(*http.Request) (*url.URL, error)
	// Now, Random (in [0,1)) and Sleep replace the clock, the jitter and the
	// wait between two tries.
	Now    func() time.Time
	Random func() float64
	Sleep  func(ctx context.Context, d time.Duration) error
}

// Client calls ESA. It is safe for concurrent use.
type Client struct {
	core         *openapi.Client // copied for each call: calling writes to it
	target       target
	openPlatform target
	region       string
	credentials  Credentials
	userAgent    string
	timeout      time.Duration
	maxTries     int
	log          *slog.Logger
	http         *http.Client
	now          func() time.Time
	random       func() float64
	sleep        func(ctx context.Context, d time.Duration) error
	sites        siteQueue
}

var _ Caller = (*Client)(nil)

// New makes a client. It touches neither the network nor the credentials; its
// only error is an endpoint that cannot be meant.
func New(cfg Config) (*Client, error) {
	cfg = withDefaults(cfg)
	t, err := endpointFor(cfg.Endpoint, cfg.Region)
	if err != nil {
		return nil, err
	}
	platform, err := openPlatformFor(cfg.OpenPlatform, t)
	if err != nil {
		return nil, err
	}
	if cfg.Endpoint == "" && !hasEndpoint(cfg.Region) {
		cfg.Logger.Warn("ESA has no endpoint in this region: the default one is used",
			"region", cfg.Region, "endpoint", t.String())
	}
	core, err := openapi.NewClient(&openapiutil.Config{RegionId: &cfg.Region})
	if err != nil {
		return nil, fmt.Errorf("set up the API library: %w", err)
	}
	return &Client{
		core: core, target: t, openPlatform: platform, region: cfg.Region,
		credentials: cfg.Credentials, userAgent: "esa-mcp/" + cfg.Version,
		timeout: cfg.Timeout, maxTries: cfg.MaxTries, log: cfg.Logger,
		http: &http.Client{
			Transport: cfg.Transport,
			// A signed request is for one host only.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		now: cfg.Now, random: cfg.Random, sleep: cfg.Sleep,
	}, nil
}

// Loopback returns the endpoint, such as http://127.0.0.1:4001, if it is on this
// machine: a local ESA, or a way to the real one.
func (c *Client) Loopback() (endpoint string, ok bool) { return c.target.String(), c.target.loopback() }

func withDefaults(cfg Config) Config {
	if cfg.Region == "" {
		cfg.Region = environmentRegion()
	}
	if cfg.Credentials == nil {
		cfg.Credentials = EnvironmentCredentials()
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	if cfg.MaxTries <= 0 {
		cfg.MaxTries = DefaultMaxTries
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport(cfg.ConnectTimeout, cfg.Proxy)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	return cfg
}

// Endpoint is the address that calls go to, such as
// "https://esa.cn-hangzhou.aliyuncs.com".
func (c *Client) Endpoint() string { return c.target.String() }

// Region is the region in use; never empty.
func (c *Client) Region() string { return c.region }

// Call sends one operation of the catalogue and returns its answer. Parameters
// are checked first: an unknown, missing or ill-typed one is an *Error with
// CodeInvalidArgument and nothing is sent. Every failure is an *Error.
//
// Transient failures are repeated with growing waits within ctx's deadline,
// unless repeating could carry out a create twice. A deletion that finds nothing
// after a try without an answer is a success, with a note that says so. Writes on
// one site are sent one after another.
func (c *Client) Call(ctx context.Context, action string, params Params) (Result, error) {
	op, w, err := prepare(action, params)
	if err != nil {
		return Result{}, err
	}
	return c.callEncoded(ctx, op, w)
}

// Check refuses what Call would refuse before anything is sent: an unknown
// operation, and parameters that are unknown, missing or ill-typed.
func Check(action string, params Params) error {
	_, _, err := prepare(action, params)
	return err
}

// prepare finds the operation and encodes its parameters.
func prepare(action string, params Params) (*catalog.Operation, wire, error) {
	op, err := catalog.Find(action)
	if err != nil {
		return nil, wire{}, &Error{Action: action, Code: CodeUnknownAction, Message: err.Error(),
			Hint: "Search the operations by subject and use the exact name."}
	}
	w, err := encode(op, params)
	if err == nil {
		err = w.requireAll(op)
	}
	if err != nil {
		return nil, wire{}, &Error{Action: op.Action, Code: CodeInvalidArgument, Message: err.Error()}
	}
	return op, w, nil
}

// callEncoded sends parameters that have been checked and encoded.
func (c *Client) callEncoded(ctx context.Context, op *catalog.Operation, w wire) (Result, error) {
	if site := w.site(); site != "" && op.Effect != catalog.Read {
		release, err := c.sites.enter(ctx, site)
		if err != nil {
			return Result{}, interrupted(op.Action, err, "while it waited for another write on the same site")
		}
		defer release()
	}
	return c.repeat(ctx, request{
		action: op.Action, version: catalog.Version, method: op.Method,
		query: w.query, form: w.form, target: c.target,
		writes: op.Effect != catalog.Read, deletes: op.Effect == catalog.Delete,
		repeatable: repeatable(op),
	})
}
