package policy

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/esa-mcp/esa-mcp/"
)

// layers says which of our packages each folder may import. A folder stands for
// all below it, and may import within itself.
var layers = map[string][]string{
	"cmd": {"internal/mcpserver", "internal/local", "internal/esa", "internal/guard", "internal/catalog",
		"tools", "resources", "prompts", "testdata"},
	"internal/mcpserver": {"tools", "resources", "prompts", "internal/guard", "internal/esa"},
	"tools": {"internal/guard", "internal/esa", "internal/catalog", "internal/rule", "internal/pages",
		"resources/docs"}, // search_docs: the documents themselves, not the resources made of them
	"resources":      {"internal/guard", "internal/esa", "internal/catalog", "internal/rule"},
	"resources/docs": {},
	// What a resource or a prompt shows is what a tool answers.
	"resources/live":   {"tools", "internal/esa", "internal/catalog"},
	"prompts":          {"tools", "resources/live", "resources/docs", "internal/rule"},
	"internal/guard":   {"internal/esa", "internal/catalog", "internal/rule"},
	"internal/esa":     {"internal/catalog"},
	"internal/pages":   {},
	"internal/rule":    {},
	"internal/catalog": {},
	"internal/policy":  {},
	"internal/local":   {"internal/catalog", "internal/rule"},
	"testdata":         {},
}

// onlyIn says where a library may be imported outside tests.
var onlyIn = map[string][]string{
	"github.com/mark3labs/mcp-go":       {"internal/mcpserver", "tools/tool.go", "resources/resource.go", "cmd/esa-mcp/testdata/echo"},
	"github.com/alibabacloud-go":        {"internal/esa"},
	"github.com/aliyun":                 {"internal/esa"},
	"github.com/evanw/esbuild":          {"internal/pages"},
	"github.com/spf13/cobra":            {"cmd"},
	"modernc.org/sqlite":                {"internal/local/state", "resources/docs/search.go"}, // its full-text index
	"modernc.org/quickjs":               {"internal/local/runtime"},
	"github.com/nlnwa/whatwg-url":       {"internal/local/runtime"},
	"github.com/go-git/go-git":          {"internal/pages"},
	"github.com/stretchr/testify":       {},
	"github.com/klauspost/compress":     {"internal/pages", "internal/local/routine", "internal/local/edge"},
	"github.com/andybalholm/brotli":     {"internal/local/edge/compress.go"},
	"github.com/mileusna/useragent":     {"internal/local/agent"},
	"github.com/santhosh-tekuri":        {"tools"},
	"github.com/invopop/jsonschema":     {"tools"},
	"github.com/dlclark/regexp2":        {"internal/rule"},
	"github.com/tailscale/hujson":       {"internal/pages"},
	"github.com/corazawaf/libinjection": {"internal/local/attack"},
	"github.com/HugoSmits86/nativewebp": {"internal/local/edge/picture"},
	"golang.org/x/image":                {"internal/local/edge/picture"},
	"github.com/pelletier/go-toml":      {"internal/pages", "internal/guard/policy.go"},
	"github.com/alibabacloud-go/debug":  {},
	"github.com/itchyny/gojq":           {"tools"},
	"github.com/tiktoken-go":            {},
	"github.com/wcharczuk/go-chart":     {"tools/chart.go"},
}

type file struct {
	path    string // slash, from the root
	dir     string
	test    bool
	imports []string
	doc     bool
	pkg     string
}

func goFiles(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "out" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		ast, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		f := file{path: rel, dir: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(name, "_test.go"), pkg: ast.Name.Name}
		f.doc = ast.Doc != nil && len(ast.Doc.Text()) > 20
		for _, i := range ast.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		files = append(files, f)
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// within reports whether path is dir, a file of that name, or below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func layerOf(dir string) string {
	best := ""
	for l := range layers {
		if within(dir, l) && len(l) > len(best) {
			best = l
		}
	}
	return best
}

func TestImportsFollowTheLayers(t *testing.T) {
	for _, f := range goFiles(t) {
		layer := layerOf(f.dir)
		require.NotEmpty(t, layer, "%s is in no layer: add its folder to layers", f.path)
		if f.test {
			continue // a black-box test may put both sides of the wire together
		}
		for _, imp := range f.imports {
			rel, ours := strings.CutPrefix(imp, module)
			if !ours || within(rel, layer) {
				continue
			}
			allowed := slices.ContainsFunc(layers[layer], func(l string) bool { return within(rel, l) })
			require.True(t, allowed, "%s imports %s: %s may import only %v", f.path, rel, layer, layers[layer])
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, imp := range f.imports {
			for library, rooms := range onlyIn {
				if !within(imp, library) {
					continue
				}
				ok := slices.ContainsFunc(rooms, func(r string) bool { return within(f.path, r) })
				require.True(t, ok, "%s imports %s, which belongs in %v", f.path, imp, rooms)
			}
		}
	}
}

// The local ESA is the other side of the wire: even its tests must not meet the
// client inside its own packages, or a fault could hide in both.
func TestLocalNeverMeetsTheClient(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, imp := range f.imports {
			rel, ours := strings.CutPrefix(imp, module)
			if ours && within(f.dir, "internal/local") {
				require.False(t, within(rel, "internal/esa") || within(rel, "tools"), "%s imports %s", f.path, rel)
			}
			if ours && within(f.dir, "internal/esa") && !f.test {
				require.False(t, within(rel, "internal/local"), "%s imports %s", f.path, rel)
			}
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		documented[f.dir] = documented[f.dir] || f.doc
	}
	for dir, ok := range documented {
		require.True(t, ok, "package in %s has no comment that says what it is for", dir)
	}
}
