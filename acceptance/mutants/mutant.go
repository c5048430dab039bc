package main

import (
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one change of one file.
//
// Its id is a hash of package, function, operator, text and ordinal, so that it stays
// the same when the code moves to another line or another file of the package.
type mutant struct {
	id           string
	pkg          string // path within the module, such as "application/broker"
	file         string // path within the module
	line, column int
	operator     string
	function     string // "Machine.drop", "New", "var known"
	text         string // source of the changed node on one line; of a constant, of the node around it
	ordinal      int    // among the mutants with the same function, operator and text

	start, end  int // byte offsets of what is replaced
	lo, hi      int // and of the changed node
	replacement string
}

// apply returns the source with the change in it.
func (m *mutant) apply(source []byte) []byte {
	changed := append([]byte(nil), source[:m.start]...)
	changed = append(changed, m.replacement...)
	return append(changed, source[m.end:]...)
}

// String returns the place and the change, as "domain/frame.go:12:5 compare Machine.drop: a < b".
func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d:%d %s %s: %s", m.file, m.line, m.column, m.operator, m.function, m.text)
}

// findMutants returns all mutants of the non-test files of a package, in the order of
// files and positions, and the number of lines of these files.
func findMutants(root, pkg string) (found []*mutant, lines int, err error) {
	files, err := sourcesOf(root, pkg)
	if err != nil {
		return nil, 0, err
	}
	seen := map[string]int{}
	for _, file := range files {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return nil, 0, err
		}
		ofFile, err := mutantsOf(pkg, file, source)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range ofFile {
			key := strings.Join([]string{pkg, m.function, m.operator, m.text}, "\x00")
			m.ordinal = seen[key]
			seen[key]++
			m.id = fmt.Sprintf("%.6x", sha256.Sum256(fmt.Append(nil, key, "\x00", m.ordinal)))
		}
		found = append(found, ofFile...)
		lines += strings.Count(string(source), "\n")
	}
	if lines == 0 {
		return nil, 0, fmt.Errorf("no Go files in %s", filepath.Join(root, filepath.FromSlash(pkg)))
	}
	return found, lines, nil
}

// sourcesOf returns the non-test files of a package that are compiled on this system.
func sourcesOf(root, pkg string) (files []string, err error) {
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*.go"))
	for _, name := range names {
		here, err := build.Default.MatchFile(filepath.Split(name))
		if !strings.HasSuffix(name, "_test.go") && (err != nil || here) {
			files = append(files, pkg+"/"+filepath.Base(name))
		}
	}
	return files, err
}

// mutantsOf returns the mutants of one file, without ordinal and id.
func mutantsOf(pkg, file string, source []byte) (found []*mutant, err error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, decl := range parsed.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				f := finder{fset: fset, source: source, function: functionName(d)}
				f.walk(d.Body)
				found = append(found, f.found...)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					f := finder{fset: fset, source: source, function: d.Tok.String() + " " + v.Names[0].Name}
					f.walk(v)
					found = append(found, f.found...)
				}
			}
		}
	}
	for _, m := range found {
		m.pkg, m.file = pkg, file
	}
	return found, nil
}

// functionName returns "Type.Method" or "Function".
func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}
