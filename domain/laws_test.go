package domain_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The two laws of the house. TestImportsGoOneWay judges what each package
// imports; TestDomainIsPure walks the core's syntax for what would make it
// depend on the time, on random numbers or on scheduling. Each law is also shown to catch
// those who break it.

// std is every package of the standard library.
const std = "std"

// mayImport is the first law: what the non-test files of a package may import,
// by the longest prefix of its path within the module. "all" is no limit. The
// core may use of the standard library only what is named.
var mayImport = []struct {
	pkg     string
	allowed []string
}{
	{"ports", []string{std}},
	{"ports/porttest", []string{std, "ports"}},
	{"domain", []string{"ports", "ports/redact", "domain/release", "bytes", "cmp", "encoding/base64",
		"encoding/binary", "errors", "fmt", "math", "math/bits", "slices", "strconv", "strings", "time",
		"log/slog"}}, // the type of Error.LogValue; see findImpurities
	{"domain/release", []string{"ports", "cmp", "errors", "fmt", "slices", "strconv", "strings"}},
	{"mocks", []string{std, "ports", "github.com/golang/mock"}},
	{"adapters/netlink", []string{std, "ports", "ports/setting", "ports/redact"}},
	{"adapters/internal", []string{std, "ports"}},
	{"adapters/tcp", []string{std, "ports", "ports/setting", "adapters/netlink"}},
	{"adapters/tls", []string{std, "ports", "ports/setting", "adapters/netlink", "golang.org/x/crypto/scrypt"}},
	{"adapters/tls/keystore", []string{std, "adapters/tls/pemkey", "github.com/pavlo-v-chernykh/keystore-go/v4",
		"software.sslmate.com/src/go-pkcs12"}},
	{"adapters/socks5", []string{std, "ports", "adapters/netlink", "adapters/netlink/tunnel",
		"golang.org/x/net/proxy"}},
	{"adapters/httpconnect", []string{std, "ports", "adapters/netlink", "adapters/netlink/tunnel"}},
	{"adapters/unix", []string{std, "ports", "adapters/netlink"}},
	{"adapters/memory", []string{std, "ports"}},
	{"adapters/clock", []string{std, "ports"}},
	{"adapters/kafkacodec", []string{std, "ports", "github.com/twmb/franz-go/pkg/kmsg"}},
	{"adapters/sasl", []string{std, "ports"}},
	{"adapters/sasl/plain", []string{std, "ports", "ports/setting", "adapters/sasl"}},
	{"adapters/sasl/scram", []string{std, "ports", "ports/setting", "adapters/sasl",
		"github.com/xdg-go/scram", "github.com/xdg-go/stringprep"}},
	{"adapters/sasl/oauthbearer", []string{std, "ports", "ports/setting", "ports/redact", "adapters/sasl",
		"adapters/clock/system", "golang.org/x/oauth2"}},
	{"adapters/sasl/gssapi", []string{std, "ports", "ports/setting", "adapters/sasl",
		"github.com/jcmturner/gokrb5/v8"}},
	{"adapters/sasl/gssapi/krb5", []string{std, "ports", "adapters/sasl", "github.com/jcmturner/gokrb5/v8"}},
	{"adapters/sasl/franz", []string{std, "ports", "adapters/sasl", "github.com/twmb/franz-go/pkg/sasl"}},
	{"adapters/metrics/recorder", []string{std, "ports"}},
	{"adapters/metrics/sensors", []string{std, "ports"}},
	{"adapters/metrics/prometheus", []string{std, "ports", "github.com/prometheus/client_golang"}},
	{"adapters/simulation", []string{std, "ports"}},
	{"adapters/simulation/model", []string{std, "ports", "adapters/simulation"}},
	{"application/sim", []string{std, "ports", "domain", "adapters/simulation", "adapters/simulation/model",
		"adapters/kafkacodec", "adapters/sasl", "adapters/sasl/plain", "adapters/sasl/scram",
		"adapters/sasl/oauthbearer", "adapters/tls", "application/broker", "application/sim/servers",
		"application/sim/kerberos", "application/sim/sentences",
		"domain/release", "github.com/twmb/franz-go/pkg/kmsg"}},
	{"application/sim/servers", []string{std, "ports", "domain/release", "adapters/simulation/model",
		"adapters/kafkacodec", "github.com/twmb/franz-go/pkg/kmsg"}},
	{"application/simtest", []string{std, "ports", "domain", "domain/release", "application/broker", "application/sim",
		"application/sim/chart", "adapters/simulation", "adapters/simulation/model", "adapters/clock/system",
		"adapters/kafkacodec", "adapters/netlink", "adapters/tls", "adapters/sasl/plain", "adapters/sasl/scram",
		"adapters/sasl/oauthbearer", "github.com/twmb/franz-go/pkg/kmsg"}},
	{"application/broker", []string{std, "domain", "domain/release", "ports", "ports/setting",
		"adapters/tcp", "adapters/clock/system", "adapters/kafkacodec"}},
	{"application/logging", []string{std, "application/broker"}},
	{"application/properties", []string{"all"}},
	{"application/cli", []string{"all"}},
	{"acceptance", []string{"all"}},
}

func TestImportsGoOneWay(t *testing.T) {
	root, module := findModule(t)
	packages := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && file != root {
			return orSkip(err)
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		packages++
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, broken := range validateImports(module, filepath.ToSlash(rel), importsOf(parsed)) {
			t.Errorf("%s: %s", file, broken)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if packages < 30 {
		t.Errorf("only %d files were judged: the walk missed some", packages)
	}
}

func orSkip(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}

func TestImportLawCatches(t *testing.T) {
	for _, c := range []struct{ pkg, imported, want string }{
		{"domain", "net", "domain may not import net"},
		{"domain", "math/rand/v2", "domain may not import math/rand/v2"},
		{"domain", "sync", "domain may not import sync"},
		{"domain", "context", "domain may not import context"},
		{"domain", "m/adapters/tcp", "domain may not import m/adapters/tcp"},
		{"domain", "github.com/twmb/franz-go/pkg/kmsg", "domain may not import github.com/twmb/franz-go/pkg/kmsg"},
		{"domain/release", "time", "domain/release may not import time"},
		{"domain/release", "os", "domain/release may not import os"},
		{"domain/release", "m/domain", "domain/release may not import m/domain"},
		{"ports", "m/domain", "ports may not import m/domain"},
		{"ports/porttest", "github.com/golang/mock/gomock",
			"ports/porttest may not import github.com/golang/mock/gomock"},
		{"adapters/netlink", "m/application/broker", "adapters/netlink may not import m/application/broker"},
		{"adapters/memory", "m/domain", "adapters/memory may not import m/domain"},
		{"adapters/tcp", "m/adapters/kafkacodec", "adapters/tcp may not import m/adapters/kafkacodec"},
		{"application/broker", "m/adapters/memory", "application/broker may not import m/adapters/memory"},
		{"adapters/novel", "fmt", "adapters/novel has no rule in mayImport"},
		{"domain", "fmt", ""},
		{"domain", "m/domain/release", ""},
		{"domain/release", "m/ports", ""},
		{"ports/porttest", "m/ports", ""},
		{"adapters/clock/fake", "time", ""},
		{"adapters/tcp", "m/adapters/netlink", ""},
		{"adapters/tcp", "m/adapters/internal/fault", ""},
		{"domain", "m/adapters/internal/fault", "domain may not import m/adapters/internal/fault"},
		{"adapters/internal/fault", "m/adapters/netlink", "adapters/internal/fault may not import m/adapters/netlink"},
		{"application/broker", "m/domain", ""},
	} {
		got := strings.Join(validateImports("m", c.pkg, []string{c.imported}), "; ")
		if got != c.want {
			t.Errorf("%s importing %s: got %q, want %q", c.pkg, c.imported, got, c.want)
		}
	}
}

func validateImports(module, pkg string, imports []string) (broken []string) {
	allowed := []string(nil)
	longest := ""
	for _, rule := range mayImport {
		if within(pkg, rule.pkg) && len(rule.pkg) > len(longest) {
			longest, allowed = rule.pkg, rule.allowed
		}
	}
	if longest == "" {
		return []string{pkg + " has no rule in mayImport"}
	}
	for _, imported := range imports {
		ok := false
		local, isLocal := strings.CutPrefix(imported, module+"/")
		for _, a := range allowed {
			switch {
			case a == "all":
				ok = true
			case isLocal:
				shared := within(pkg, "adapters") && within(local, "adapters/internal")
				ok = ok || local == a || within(local, longest) || shared
			case a == std:
				ok = ok || !strings.Contains(strings.Split(imported, "/")[0], ".")
			default:
				ok = ok || imported == a || strings.Contains(a, ".") && within(imported, a)
			}
		}
		if !ok {
			broken = append(broken, pkg+" may not import "+imported)
		}
	}
	return broken
}

func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

func importsOf(f *ast.File) (paths []string) {
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err)
		}
		paths = append(paths, p)
	}
	return paths
}

func TestDomainIsPure(t *testing.T) {
	eachPackage(t, func(dir string, fset *token.FileSet, files []*ast.File, info *types.Info) {
		if dir != "ports" {
			for _, impurity := range findImpurities(fset, files, info) {
				t.Error(impurity)
			}
		}
	})
}

// eachPackage checks the types of the core and of what it imports.
func eachPackage(t *testing.T, visit func(string, *token.FileSet, []*ast.File, *types.Info)) {
	t.Helper()
	root, module := findModule(t)
	fset, std := source()
	world := &twoImporters{std: std, local: map[string]*types.Package{}}
	for _, dir := range []string{"ports", "domain/release", "domain"} {
		files := parseDir(t, fset, filepath.Join(root, dir))
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{}}
		pkg, err := (&types.Config{Importer: world}).Check(path.Join(module, dir), fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		world.local[path.Join(module, dir)] = pkg
		visit(dir, fset, files, info)
	}
}

func TestPurityLawCatches(t *testing.T) {
	for _, c := range []struct{ code, want string }{
		{`func f() { _ = time.Now() }`, "time.Now"},
		{`func f(a time.Time) { _ = time.Since(a) }`, "time.Since"},
		{`func f(a time.Time) { _ = time.Until(a) }`, "time.Until"},
		{`func f() { time.Sleep(1) }`, "time.Sleep"},
		{`func f() { <-time.After(1) }`, "time.After"},
		{`func f() { time.AfterFunc(1, func() {}) }`, "time.AfterFunc"},
		{`func f() { time.NewTimer(1) }`, "time.NewTimer"},
		{`func f() { _ = time.Tick(1) }`, "time.Tick"},
		{`var now = time.Now`, "time.Now"},
		{`func f() { go f() }`, "go statement"},
		{`func f(m map[int]int) { for range m {} }`, "range over a map"},
		{`type set map[string]bool; func f(s set) { for k := range s { _ = k } }`, "range over a map"},
		{`func f() { slog.Info("x") }`, "slog.Info"},
		{`func f() { slog.Default().Info("x") }`, "slog.Default"},
		{`func f() slog.Value { return slog.GroupValue(slog.String("a", "b")) }`, ""},
		{`func f(a time.Time, d time.Duration) time.Time { return a.Add(d) }`, ""},
		{`func f(s []int, m map[int]int) { for range s { _ = m[1] } }`, ""},
	} {
		fset, std := source()
		const head = "package x\nimport (\"log/slog\"; \"time\")\nvar _ time.Time\nvar _ slog.Value\n"
		f, err := parser.ParseFile(fset, "x.go", head+c.code, 0)
		if err != nil {
			t.Fatal(err)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		if _, err := (&types.Config{Importer: std}).Check("x", fset, []*ast.File{f}, info); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(findImpurities(fset, []*ast.File{f}, info), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.code, got, c.want)
		}
	}
}

// findImpurities is the second law.
func findImpurities(fset *token.FileSet, files []*ast.File, info *types.Info) (found []string) {
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.GoStmt:
				what = "go statement"
			case *ast.RangeStmt:
				if _, ok := info.Types[n.X].Type.Underlying().(*types.Map); ok {
					what = "range over a map: its order is random"
				}
			case *ast.Ident:
				fn, ok := info.Uses[n].(*types.Func)
				if ok && (readsTheClock(fn) || logs(fn)) {
					what = fn.Pkg().Name() + "." + fn.Name()
				}
			}
			if what != "" {
				found = append(found, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), what))
			}
			return true
		})
	}
	return found
}

// logs reports whether a function of log/slog does more than make a value.
func logs(fn *types.Func) bool {
	if fn.Pkg() == nil || fn.Pkg().Path() != "log/slog" {
		return false
	}
	return !slices.Contains([]string{"String", "Int", "Duration", "GroupValue"}, fn.Name())
}

func readsTheClock(fn *types.Func) bool {
	if fn.Pkg() == nil || fn.Pkg().Path() != "time" || fn.Signature().Recv() != nil {
		return false
	}
	name := fn.Name()
	return slices.Contains([]string{"Now", "Since", "Until", "Sleep", "Tick"}, name) ||
		strings.HasPrefix(name, "After") || strings.HasPrefix(name, "New")
}

// source reads the standard library from its source, once for all tests: that
// takes a while.
var source = sync.OnceValues(func() (*token.FileSet, types.Importer) {
	fset := token.NewFileSet()
	return fset, importer.ForCompiler(fset, "source", nil)
})

type twoImporters struct {
	std   types.Importer
	local map[string]*types.Package
}

func (i *twoImporters) Import(path string) (*types.Package, error) {
	if pkg, ok := i.local[path]; ok {
		return pkg, nil
	}
	return i.std.Import(path)
}

func parseDir(t *testing.T, fset *token.FileSet, dir string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatalf("no Go files in %s", dir)
	}
	return files
}

// findModule returns the root of the module and its path, whatever that is: the
// owner may rename it.
func findModule(t *testing.T) (root, module string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			return root, strings.TrimSpace(name)
		}
	}
	t.Fatal("go.mod names no module")
	return "", ""
}

// TestTopLevel: the owner named every entry of the top level; dotfiles apart,
// there are no others.
func TestTopLevel(t *testing.T) {
	root, _ := findModule(t)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && e.Name() != "bin" { // what make builds; ignored by git
			got = append(got, e.Name())
		}
	}
	want := []string{"Makefile", "README.md", "acceptance", "adapters", "application", "domain",
		"findings", "go.mod", "go.sum", "mocks", "ports"}
	if !slices.Equal(got, want) {
		t.Errorf("top level is %q, want %q", got, want)
	}
}
