package domain_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// TestSeamBetweenMachineAndConnection: the files of Connection use no field of Machine,
// and all other files no field of Connection.
func TestSeamBetweenMachineAndConnection(t *testing.T) {
	eachPackage(t, func(_ string, fset *token.FileSet, _ []*ast.File, info *types.Info) {
		for selector, s := range info.Selections {
			at := fset.Position(selector.Pos())
			ofConnection := strings.HasPrefix(filepath.Base(at.Filename), "connection")
			owner := strings.TrimPrefix(types.TypeString(s.Recv(), func(*types.Package) string { return "" }), "*")
			if s.Kind() == types.FieldVal && (owner == "Machine" && ofConnection ||
				owner == "Connection" && !ofConnection) {
				t.Errorf("%s uses %s.%s: want a method", at, owner, s.Obj().Name())
			}
		}
	})
}
