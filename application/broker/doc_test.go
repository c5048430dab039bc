package broker_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brokerconn/application/broker"
)

// aliases are the types of other packages that users see as types of this one.
var aliases = map[string]reflect.Type{
	"BrokerError":    reflect.TypeFor[broker.BrokerError](),
	"Check":          reflect.TypeFor[broker.Check](),
	"Endpoint":       reflect.TypeFor[broker.Endpoint](),
	"Error":          reflect.TypeFor[broker.Error](),
	"FrameError":     reflect.TypeFor[broker.FrameError](),
	"Lineage":        reflect.TypeFor[broker.Lineage](),
	"LoginInfo":      reflect.TypeFor[broker.LoginInfo](),
	"MechanismError": reflect.TypeFor[broker.MechanismError](),
	"Release":        reflect.TypeFor[broker.Release](),
	"RequestInfo":    reflect.TypeFor[broker.RequestInfo](),
	"Sent":           reflect.TypeFor[broker.Sent](),
	"State":          reflect.TypeFor[broker.State](),
	"Stats":          reflect.TypeFor[broker.Stats](),
	"Verdict":        reflect.TypeFor[broker.Verdict](),
	"VerdictKind":    reflect.TypeFor[broker.VerdictKind](),
	"VersionError":   reflect.TypeFor[broker.VersionError](),
	"Versions":       reflect.TypeFor[broker.Versions](),
}

// A member's line in the comment of an alias: a tab, the names, the type, and, after two
// spaces or more, the text.
var memberLine = regexp.MustCompile(`^\t([A-Z]\w*(?:, [A-Z]\w*)*)(.*?)\s{2,}(\S.*)$`)

// undocumented returns the exported fields and methods of typ that the comment does not
// describe, and the lines that describe what typ does not have.
func undocumented(comment string, typ reflect.Type) (faults []string) {
	text := map[string]string{}
	for entry := range strings.Lines(comment) {
		if m := memberLine.FindStringSubmatch(strings.TrimRight(entry, "\n")); m != nil {
			for name := range strings.SplitSeq(m[1], ", ") {
				text[name] = m[3]
			}
		}
	}
	var members []string
	if typ.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(typ) {
			if f.IsExported() {
				members = append(members, f.Name)
			}
		}
	}
	for m := range reflect.PointerTo(typ).Methods() {
		members = append(members, m.Name)
	}
	for _, name := range members {
		if words := strings.Fields(strings.ToLower(text[name])); len(words) < 2 ||
			!slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(strings.ToLower(name), w) }) {
			faults = append(faults, name)
		}
		delete(text, name)
	}
	for name := range text {
		faults = append(faults, "no such member: "+name)
	}
	return faults
}

// Each exported type has a comment on each of its exported fields and methods in this
// package, where go doc prints it.
func TestEveryMemberIsDocumented(t *testing.T) {
	seen := 0
	inspectPackage(t, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok {
			return true
		}
		for _, s := range decl.Specs {
			spec, ok := s.(*ast.TypeSpec)
			switch {
			case !ok || !spec.Name.IsExported():
			case spec.Assign.IsValid():
				typ, known := aliases[spec.Name.Name]
				if seen++; !known {
					t.Errorf("the alias %s is not in the table of this test", spec.Name)
					continue
				}
				for _, f := range undocumented(decl.Doc.Text(), typ) {
					t.Errorf("comment of %s: got no text for %s", spec.Name, f)
				}
			default:
				for _, f := range undocumentedFields(spec.Type) {
					t.Errorf("%s.%s: got no comment", spec.Name, f)
				}
			}
		}
		return true
	})
	assert(t, seen == len(aliases), "got %d aliases, the table has %d", seen, len(aliases))
}

// undocumentedFields returns the exported fields of a struct that have no comment.
func undocumentedFields(typ ast.Expr) (faults []string) {
	s, ok := typ.(*ast.StructType)
	if !ok {
		return nil
	}
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			if name.IsExported() && f.Doc.Text() == "" && f.Comment.Text() == "" {
				faults = append(faults, name.Name)
			}
		}
	}
	return faults
}

// The check finds a field that was planted, a text that repeats the name, and a line that
// is left over.
func TestUndocumentedFindsPlanted(t *testing.T) {
	type planted struct {
		Good, Repeated, Missing int
	}
	got := undocumented("Planted is a test.\n\n\tGood int       how good it is\n\tRepeated int   repeated\n\tGone "+
		"int       was there once\n", reflect.TypeFor[planted]())
	if want := []string{"Repeated", "Missing", "no such member: Gone"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	source, err := parser.ParseExprFrom(token.NewFileSet(), "", "struct { A int; b int; C int // says what it is\n}",
		parser.ParseComments)
	must(t, err)
	if got, want := undocumentedFields(source), []string{"A"}; !slices.Equal(got, want) {
		t.Errorf("fields: got %q, want %q", got, want)
	}
}

// inspectPackage calls f for the syntax of each file of the package that is not a test.
func inspectPackage(t *testing.T, f func(ast.Node) bool) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	must(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		must(t, err)
		ast.Inspect(file, f)
	}
}
