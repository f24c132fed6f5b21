package tools

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

// source is this package as the type checker sees it alone: what other packages
// declare stays unknown, which is enough to follow its own functions.
type source struct {
	info  *types.Info
	files []*ast.File
	// bodies are the functions, methods and variables of the package.
	bodies map[types.Object]ast.Node
	named  map[types.Object]map[string]bool // operations named below, when known
}

type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

func readSource(t *testing.T) *source {
	t.Helper()
	s := &source{
		info: &types.Info{
			Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{},
		},
		bodies: map[types.Object]ast.Node{}, named: map[types.Object]map[string]bool{},
	}
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	fset := token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		require.NoError(t, err)
		s.files = append(s.files, file)
	}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	_, _ = config.Check("tools", fset, s.files, s.info) // errors are those of the unknown imports
	for _, file := range s.files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Body != nil {
					s.bodies[s.info.Defs[d.Name]] = d.Body
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, name := range v.Names {
							s.bodies[s.info.Defs[name]] = v
						}
					}
				}
			}
		}
	}
	return s
}

// operations collects the operations that a node names, and that what it uses
// names, and so on.
func (s *source) operations(node ast.Node, seen map[types.Object]bool, into map[string]bool) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(x.Value); err == nil && x.Kind == token.STRING {
				if _, ok := catalog.Lookup(text); ok {
					into[text] = true
				}
			}
		case *ast.KeyValueExpr:
			// What a tool declares is no use of it.
			if key, ok := x.Key.(*ast.Ident); ok && key.Name == "Calls" {
				return false
			}
		case *ast.Ident:
			object := s.info.Uses[x]
			if f, ok := object.(*types.Func); ok {
				object = f.Origin()
			}
			body, ours := s.bodies[object]
			if object == nil || !ours || seen[object] {
				return true
			}
			seen[object] = true
			s.operations(body, seen, into)
		}
		return true
	})
}

// definitions are the calls of Define, by the name of the tool.
func (s *source) definitions() map[string]*ast.CallExpr {
	found := map[string]*ast.CallExpr{}
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			name, ok := call.Fun.(*ast.Ident)
			if !ok || name.Name != "Define" {
				return true
			}
			meta, ok := call.Args[0].(*ast.CompositeLit)
			if !ok {
				return true
			}
			for _, element := range meta.Elts {
				field, _ := element.(*ast.KeyValueExpr)
				if key, ok := field.Key.(*ast.Ident); ok && key.Name == "Name" {
					if text, ok := field.Value.(*ast.BasicLit); ok {
						tool, _ := strconv.Unquote(text.Value)
						found[tool] = call
					}
				}
			}
			return true
		})
	}
	return found
}

// mentions are operations that a tool's code names without sending them: in a
// text, or in code that another tool shares. Each needs a reason.
func mentions() map[string][]string {
	return map[string][]string{
		"create_site":     {"ListSites"},                                // the site's id is known, so it is not looked up by name
		"batch_put_kv":    {"PutKv"},                                    // only for values that are not text, which its arguments cannot be
		"diagnose_domain": {"UpdateWaitingRoom", "EditSiteWafSettings"}, // in fixes, for write_api
	}
}

// No tool's code names an operation that the tool does not declare, however deep
// in the functions it uses.
func TestToolsDeclareWhatTheyCall(t *testing.T) {
	s := readSource(t)
	defined := s.definitions()
	followed := 0
	for _, tool := range All() {
		m := tool.Meta()
		call, ok := defined[m.Name]
		if !ok || tool.Reach() != Declared || m.OpenWorld == No {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			found := map[string]bool{}
			s.operations(call.Args[1], map[types.Object]bool{}, found)
			followed += len(found)
			for _, action := range slices.Sorted(maps.Keys(found)) {
				if !slices.Contains(mentions()[m.Name], action) {
					require.Contains(t, m.Calls, action, "the code of %s names %s, which Calls does not declare; if it is never sent, say so in mentions", m.Name, action)
				}
			}
		})
	}
	require.Greater(t, followed, len(All()), "the code was not followed")
}
