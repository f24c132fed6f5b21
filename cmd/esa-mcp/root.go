package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/esa-mcp/esa-mcp/internal/guard"

	"github.com/esa-mcp/esa-mcp/internal/local/fault"
	"github.com/esa-mcp/esa-mcp/internal/local/quota"
)

// streams are the process's standard streams, so that tests can have others.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// failure is an error whose text is complete: it is printed as it is, with exit
// code 1, where other errors are bad usage.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

func failed(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &failure{text: "esa-mcp: " + err.Error(), err: err}
}

// settings are the global flags.
type settings struct {
	local      bool
	localDir   string
	endpoint   string
	region     string
	toolsets   string
	readOnly   bool
	faults     []string
	quotas     []string
	yes        bool
	guardrails string
	auditLog   string
	config     string
	logLevel   string
	timeout    time.Duration

	policy *guard.Policy // of the file config
	logger *slog.Logger
}

// envPrefix and the flag's name in capitals make its environment variable:
// --local-dir is ESA_MCP_LOCAL_DIR.
const envPrefix = "ESA_MCP_"

func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func newRoot(std streams) *cobra.Command {
	s := &settings{}
	root := &cobra.Command{
		Use:   "esa-mcp",
		Short: "MCP server for Alibaba Cloud ESA: pages, edge functions, edge KV, sites, DNS",
		Long: `esa-mcp lets an AI agent, or you at a shell, operate Alibaba Cloud ESA.
Without a sub-command it speaks MCP on standard input and output.

  esa-mcp demo         deploy a site on the embedded local ESA, no account needed
  esa-mcp dev DIR      serve a Pages or routine project with live reload, offline
  esa-mcp --local      serve MCP against the embedded local ESA
  esa-mcp              serve MCP against your account
  esa-mcp http         serve MCP over HTTP instead of the standard streams`,
		Args:          takes(0, 0),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd.Flags()); err != nil {
				return err
			}
			return s.complete(std.err)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), s, std) },
	}
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetIn(std.in)
	s.flags(root.PersistentFlags())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newCall(s, std), newTools(s, std), newLocal(s, std), newHTTP(s, std), newDemo(s, std), newDev(s, std), newRAMPolicy(s, std), newVersion(std))
	return root
}

// takes says how many arguments a command has, and refuses others with what to
// write.
func takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("an argument is missing: %s", cmd.UseLine())
		case len(args) <= most:
			return nil
		case !cmd.HasAvailableSubCommands():
			return fmt.Errorf("%q is too much: %s", args[most], cmd.UseLine())
		}
		cmd.SuggestionsMinimumDistance = 2
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return fmt.Errorf("there is no command %q: do you mean %s %s?", args[0], cmd.CommandPath(), near[0])
		}
		return fmt.Errorf("there is no command %q", args[0])
	}
}

func (s *settings) flags(f *pflag.FlagSet) {
	f.BoolVar(&s.local, "local", false, "work against the embedded local ESA instead of an account")
	f.StringVar(&s.localDir, "local-dir", "", `folder that keeps the local ESA's state; ":memory:" keeps nothing (default: a folder of esa-mcp in your configuration folder)`)
	f.StringVar(&s.endpoint, "endpoint", "", "API endpoint; http:// is accepted for loopback addresses only (default: that of the region)")
	f.StringVar(&s.region, "region", "", "cn-hangzhou (China site accounts) or ap-southeast-1 (international accounts); default from ALIBABACLOUD_REGION_ID")
	f.StringVar(&s.toolsets, "toolsets", "default", "tools to offer: toolset or tool names, default (day-to-day tools), all; +name adds, -name takes away")
	f.BoolVar(&s.readOnly, "read-only", false, "offer only tools that change nothing")
	f.StringArrayVar(&s.faults, "fault", nil, "a fault of the local ESA, such as 'action=PutKv code=TooQuickRequests rate=0.2'; may be given several times")
	f.StringArrayVar(&s.quotas, "quota", nil, "how much the local ESA allows, such as 'plan=basic cache_rules=3' or 'records=50'; may be given several times")
	f.BoolVar(&s.yes, "yes", false, "with call: confirm what would be asked")
	f.StringVar(&s.config, "config", "", "TOML file that allows or denies tools, actions and sites")
	f.StringVar(&s.auditLog, "audit-log", "", "append every change to this file, as JSON Lines without secrets; undo_change also works from it")
	f.StringVar(&s.guardrails, "guardrails", "on", "on, or off: calls are no longer mended, refused or warned about; what has to be confirmed is still asked")
	f.StringVar(&s.logLevel, "log-level", "warn", "what to log on standard error: debug, info, warn, error or off")
	f.DurationVar(&s.timeout, "timeout", 0, "longest time one tool call may take, such as 90s (default: no limit beyond those of its requests)")
}

// fromEnvironment sets each flag that was not given from its variable.
func fromEnvironment(flags *pflag.FlagSet) error {
	var failure error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := os.LookupEnv(envName(f.Name))
		if f.Changed || !ok || value == "" || failure != nil {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			failure = fmt.Errorf("environment variable %s: %w", envName(f.Name), err)
		}
	})
	return failure
}

// limits reads how much the local ESA is to allow.
func (s *settings) limits() (set quota.Set, err error) {
	for _, text := range s.quotas {
		if set, err = quota.Parse(set, text); err != nil {
			return set, fmt.Errorf("--quota: %w", err)
		}
	}
	return set, nil
}

// injected reads the faults that the local ESA is to have.
func (s *settings) injected() ([]fault.Fault, error) {
	var all []fault.Fault
	for _, text := range s.faults {
		faults, err := fault.ParseAll(text)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		all = append(all, faults...)
	}
	return all, nil
}

// complete checks the settings and makes the logger.
func (s *settings) complete(stderr io.Writer) error {
	if s.local && s.endpoint != "" {
		return fmt.Errorf("--local and --endpoint exclude each other: --local brings its own endpoint")
	}
	if s.timeout < 0 {
		return fmt.Errorf("--timeout must not be negative: %s", s.timeout)
	}
	if err := s.readPolicy(); err != nil {
		return err
	}
	if s.guardrails != "on" && s.guardrails != "off" {
		return fmt.Errorf("--guardrails must be on or off, not %q", s.guardrails)
	}
	if s.localDir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			base = os.TempDir()
		}
		s.localDir = filepath.Join(base, "esa-mcp", "local")
	}
	if s.logLevel == "off" {
		s.logger = slog.New(slog.DiscardHandler)
		return nil
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.logLevel)); err != nil {
		return fmt.Errorf("--log-level must be debug, info, warn, error or off, not %q", s.logLevel)
	}
	s.logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	return nil
}
