package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// constantTypes returns the types of the integer constants of a package, as they are written in their file,
// by file and offset. Those that the compiler must know are left out, and those whose type has no name there.
func constantTypes(ctx context.Context, root, pkg string, files []string) (map[string]map[int]string, error) {
	exports, err := exportsOf(ctx, root, pkg)
	if err != nil {
		return nil, err
	}
	fset, info := token.NewFileSet(), &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	var parsed []*ast.File
	for _, name := range files {
		f, err := parser.ParseFile(fset, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
	}
	lookup := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	checked, err := conf.Check(pkg, fset, parsed, info)
	if err != nil {
		return nil, err
	}
	all := map[string]map[int]string{}
	for i, f := range parsed {
		all[files[i]] = map[int]string{}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				return n.Tok != token.CONST
			case *ast.ArrayType:
				return n.Len == nil
			case *ast.BasicLit:
				if name := nameOf(info.Types[n].Type, checked, f); name != "" {
					all[files[i]][fset.Position(n.Pos()).Offset] = name
				}
			}
			return true
		})
	}
	return all, nil
}

// nameOf returns how a file of a package writes a type; "" if it cannot.
func nameOf(t types.Type, pkg *types.Package, file *ast.File) string {
	if t == nil {
		return ""
	}
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		return ""
	}
	named := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		for _, spec := range file.Imports {
			if strings.Trim(spec.Path.Value, `"`) == p.Path() {
				if spec.Name != nil {
					return spec.Name.Name
				}
				return p.Name()
			}
		}
		named = false
		return p.Name()
	})
	if !named {
		return ""
	}
	return name
}

// exportsOf returns the files with the compiled declarations of what a package imports, by path.
func exportsOf(ctx context.Context, root, pkg string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "./"+pkg)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export ./%s: %w", pkg, err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			exports[path] = file
		}
	}
	return exports, nil
}
