//go:build depsanchor

package internal

import (
	_ "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	_ "github.com/aliyun/credentials-go/credentials"
	_ "github.com/evanw/esbuild/pkg/api"
	_ "github.com/go-git/go-git/v5/plumbing/format/gitignore"
	_ "github.com/invopop/jsonschema"
	_ "github.com/klauspost/compress/flate"
	_ "github.com/mark3labs/mcp-go/client"
	_ "github.com/mark3labs/mcp-go/server"
	_ "github.com/pelletier/go-toml/v2"
	_ "github.com/santhosh-tekuri/jsonschema/v6"
	_ "github.com/spf13/cobra"
	_ "github.com/stretchr/testify/require"
	_ "github.com/tailscale/hujson"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/text/message"
	_ "golang.org/x/time/rate"
	_ "modernc.org/sqlite"
)
