package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker in release builds: -ldflags "-X main.version=... ".
var (
	version string
	commit  string
	date    string
)

// build is what this binary is.
type build struct {
	Version, Commit, Date string
}

// thisBuild takes what the linker set, then what the Go tool recorded.
func thisBuild() build {
	b := build{version, commit, date}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	setting := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	if b.Commit == "" {
		b.Commit = setting["vcs.revision"]
		if b.Commit != "" && setting["vcs.modified"] == "true" {
			b.Commit += " (modified)"
		}
	}
	if b.Date == "" {
		b.Date = setting["vcs.time"]
	}
	return b
}

func newVersion(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and date of this binary",
		Args:  takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			fmt.Fprintf(std.out, "esa-mcp %s\n", b.Version)
			for _, line := range [][2]string{{"commit", b.Commit}, {"date", b.Date}} {
				if line[1] != "" {
					fmt.Fprintf(std.out, "%-8s%s\n", line[0], line[1])
				}
			}
			_, err := fmt.Fprintf(std.out, "%-8s%s %s/%s\n", "go", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
