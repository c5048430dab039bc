package properties

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports/setting"
)

// declaring are the structs whose fields are declared by rows.
var declaring = []struct {
	folder string // of the module
	zero   interface{ Settings() setting.Rows }
}{
	{"application/broker", broker.Config{}},
	{"adapters/tcp", tcp.Options{}},
	{"adapters/tls", tls.Options{}},
	{"adapters/netlink/tunnel", tunnel.Options{}},
	{"adapters/sasl/scram", scram.Options{}},
	{"adapters/sasl/gssapi", gssapi.Options{}},
	{"adapters/sasl/oauthbearer", oauthbearer.Options{}},
	{"adapters/sasl/oauthbearer", oauthbearer.ClientCredentials{}},
}

func TestFieldsHaveRowsAndComments(t *testing.T) {
	for _, d := range declaring {
		of := reflect.TypeOf(d.zero)
		comments := fieldComments(t, d.folder, of.Name())
		for field := range of.Fields() {
			if !field.IsExported() {
				continue
			}
			row, comment := d.zero.Settings().Row(field.Name), comments[field.Name]
			if row == nil || comment == "" {
				t.Errorf("%v.%s: got row %v and comment %q, want both", of, field.Name, row, comment)
			}
		}
	}
}

// aZero is how a comment of broker.Config or tcp.Options names what zero means.
var aZero = regexp.MustCompile(`If (?:zero|empty|nil|false), `)

// The comments of Config name the defaults of its rows, in one form.
func TestCommentsNameTheDefaults(t *testing.T) {
	comments := fieldComments(t, "application/broker", "Config")
	for _, row := range (broker.Config{}).Settings() {
		comment := comments[row.Field]
		want := "the default is " + row.Text()
		switch kind := reflect.ValueOf(row.Default).Kind(); {
		case row.Field == "SoftwareVersion": // depends on SoftwareName
		case kind == reflect.Struct, kind == reflect.Func:
			want = "the default is "
			fallthrough
		case row.Default != nil:
			if !strings.Contains(comment, want) {
				t.Errorf("%s: got %q, want %q in it", row.Field, comment, want)
			}
		case row.Zero != "" && row.Zero != "false" && !aZero.MatchString(comment):
			t.Errorf("%s: got %q, want what zero means in it", row.Field, comment)
		}
		if negative := "If negative, there is " + row.Negative; row.Negative != "" &&
			!strings.Contains(comment, negative) {
			t.Errorf("%s: got %q, want %q in it", row.Field, comment, negative)
		}
	}
}

// fieldComments returns the comments of a struct's fields, each on one line.
func fieldComments(t *testing.T, folder, name string) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, file := range shipped(t, folder) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			previous := ""
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				text := strings.Join(strings.Fields(field.Doc.Text()), " ")
				if text == "" {
					text = previous // one comment for fields on successive lines
				}
				previous = text
				for _, ident := range field.Names {
					comments[ident.Name] = text
				}
			}
			return false
		})
	}
	return comments
}

// No default or bound of Config is written anywhere but in its row: neither the same
// expression, nor another default for a field that has one.
func TestDefaultsAreWrittenOnce(t *testing.T) {
	folders := []string{"domain", "application/broker", "application/properties"}
	written := map[string]int{}
	declared := map[string]bool{}
	var others []string
	for _, folder := range folders {
		for _, file := range shipped(t, folder) {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BinaryExpr:
					written[printed(n)]++
				case *ast.KeyValueExpr:
					if key := printed(n.Key); key == "Default" || key == "Min" || key == "Max" {
						ast.Inspect(n.Value, func(n ast.Node) bool {
							if expr, ok := n.(*ast.BinaryExpr); ok {
								declared[printed(expr)] = true
								return false
							}
							return true
						})
					}
				case *ast.CallExpr:
					if field, isDefault := defaulted(n); isDefault {
						others = append(others, folder+": "+field)
					}
				}
				return true
			})
		}
	}
	if len(declared) < 7 {
		t.Errorf("got %d expressions in rows, want at least 7: %v", len(declared), declared)
	}
	for expr := range declared {
		if written[expr] != 1 {
			t.Errorf("got %s written %d times in %v, want once", expr, written[expr], folders)
		}
	}
	if len(others) > 0 {
		t.Errorf("got %q, want no default beside the rows", others)
	}
}

// defaulted finds cmp.Or(c.Field, literal), for a field whose row has a default.
func defaulted(call *ast.CallExpr) (field string, ok bool) {
	if printed(call.Fun) != "cmp.Or" || len(call.Args) != 2 {
		return "", false
	}
	selector, isField := call.Args[0].(*ast.SelectorExpr)
	if _, isLiteral := call.Args[1].(*ast.BasicLit); !isField || !isLiteral {
		return "", false
	}
	row := (broker.Config{}).Settings().Row(selector.Sel.Name)
	return selector.Sel.Name, row != nil && row.Default != nil
}

// TestDefaultedCatches: a second default is found.
func TestDefaultedCatches(t *testing.T) {
	for text, want := range map[string]bool{
		"cmp.Or(c.MaxInFlight, 5)": true, "cmp.Or(c.Host, \"x\")": true, "cmp.Or(c.Host, name)": false,
		"cmp.Or(c.PingInterval, 5)": false, "max(c.MaxInFlight, 5)": false,
	} {
		expr, err := parser.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := defaulted(expr.(*ast.CallExpr)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

// Each key sets a field that exists, and reading it changes no other one.
func TestKeysSetTheirFields(t *testing.T) {
	eachName(keys(), func(k *key, d Dialect, name string) {
		for _, value := range []string{"1000", "0.10", "false", "x"} {
			s, err := Read(d, Pairs(map[string]string{name: value}))
			if err != nil {
				continue
			}
			for field, v := range reflect.ValueOf(s.Connection).Fields() {
				if !v.IsZero() && !slices.Contains(strings.Fields(k.to), "Config."+field.Name) {
					t.Errorf("%s=%s: got %s set, want %s", name, value, field.Name, k.to)
				}
			}
		}
	})
	for _, k := range keys() {
		for to := range strings.FieldsSeq(k.to) {
			if k.object == "" {
				if field, _ := new(Settings).field(to); !field.IsValid() {
					t.Errorf("%s: got no field %s, want one", k.name(Java), to)
				}
			}
		}
	}
}

func printed(n ast.Node) string {
	var text bytes.Buffer
	if err := printer.Fprint(&text, token.NewFileSet(), n); err != nil {
		panic(err)
	}
	return strings.ReplaceAll(text.String(), " ", "")
}

// shipped parses the files of a folder of the module, without tests.
func shipped(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: got %v and %d files, want some", folder, err, len(names))
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
