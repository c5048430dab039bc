package domain_test

import (
	"go/ast"
	"go/types"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestSeamBetweenMachineAndConnection: the files of Connection use no field of Machine,
// and all other files no field of Connection.
func TestSeamBetweenMachineAndConnection(t *testing.T) {
	root, module := findModule(t)
	fset, std := source()
	world := &twoImporters{std: std, local: map[string]*types.Package{}}
	for _, dir := range []string{"ports", "domain/release", "domain"} {
		files := parseDir(t, fset, filepath.Join(root, dir))
		info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
		pkg, err := (&types.Config{Importer: world}).Check(path.Join(module, dir), fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		world.local[path.Join(module, dir)] = pkg
		for selector, s := range info.Selections {
			at := fset.Position(selector.Pos())
			ofConnection := strings.HasPrefix(filepath.Base(at.Filename), "connection")
			owner := strings.TrimPrefix(types.TypeString(s.Recv(), func(*types.Package) string { return "" }), "*")
			if s.Kind() == types.FieldVal && (owner == "Machine" && ofConnection ||
				owner == "Connection" && !ofConnection) {
				t.Errorf("%s uses %s.%s: want a method", at, owner, s.Obj().Name())
			}
		}
	}
}
