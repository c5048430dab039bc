package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Every credential of a test has one of the marks of acceptance/leaks in it, which looks for
// them in all that a run prints and leaves behind. Here it is checked that none lacks it, as
// far as a name, a function or a key of a text says that a text is a credential.

var (
	// secretName is a name of a variable or a field that holds a secret.
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|accesstoken|apikey|^pass)$`)
	// secretText is a setting in a text, with its value, and secretMember one in JSON.
	secretText   = regexp.MustCompile(`(?i)(?:password|passwd|secret)\s*=\s*[\\]?["']?([^\s"'\\;,&)]*)`)
	secretMember = regexp.MustCompile(`(?i)(?:password|passwd|secret)\\?"\s*:\s*\\?"([^"\\]*)`)
	// secretURL is the password in a URL.
	secretURL = regexp.MustCompile(`://[^/\s:@"]*:([^@/\s"]+)@`)
	// secretFlag is an argument of openssl, of kadmin or of keytool.
	secretFlag = regexp.MustCompile(`(?:\bpass:|-(?:pw|storepass|keypass) +)([^\s"']+)`)
	// placeholder is no value: a verb of fmt, a name in brackets, a variable.
	placeholder = regexp.MustCompile(`^(%|\$|<|\[|\{|\*|KEY|VALUE|(?i:true|false|none|null)$)`)
)

// shortest is the length from which a credential has a mark: shorter ones occur in any text.
const shortest = 4

// secretArgument is the position of a credential among the arguments of a function.
var secretArgument = map[string]int{
	"NewSecret": 0, "NewLogin": 1, "UserPassword": 1, "SetBasicAuth": 1, "Superuser": 2, "Password": 0,
}

// unmarked returns a line for each credential of a test without a mark that no exception
// allows: a path, a value as Go quotes it or "*", and a reason.
func unmarked(root string, exceptions []row) (broken []string, err error) {
	marks, err := readMarks(root)
	if err != nil {
		return nil, err
	}
	files, err := readTree(root, isTestInput)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		report := func(line int, value string) {
			marked := func(mark string) bool { return strings.Contains(strings.ToLower(value), mark) }
			excepted := func(r row) bool {
				return within(f.path, r[0]) && (strings.Trim(strconv.Quote(value), `"`) == r[1] || r[1] == "*")
			}
			if len(value) >= shortest && !placeholder.MatchString(value) && !slices.ContainsFunc(marks, marked) &&
				!slices.ContainsFunc(exceptions, excepted) {
				broken = append(broken, fmt.Sprintf("%s:%d: the credential %q has no mark: put canary into it",
					f.path, line, value))
			}
		}
		if !f.isGo() {
			for i, line := range strings.Split(string(f.text), "\n") {
				textCredentials(line, func(value string) { report(i+1, value) })
			}
			continue
		}
		if err := goCredentials(f, report); err != nil {
			return nil, err
		}
	}
	return broken, nil
}

// isTestInput reports whether a file belongs to tests alone.
func isTestInput(p string) bool {
	switch ext := path.Ext(p); {
	case strings.Contains("/"+p, "/testdata/"):
		return within(p, "application/properties") && ext == ".txt" || strings.Contains(p, "testdata/fuzz/")
	case ext != ".go" || within(p, "acceptance/house"):
		return false
	}
	return strings.HasSuffix(p, "_test.go") || within(p, "acceptance")
}

// readMarks returns the marks of acceptance/leaks.
func readMarks(root string) (marks []string, err error) {
	files, err := readTree(root, func(p string) bool { return p == "acceptance/leaks/main.go" })
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("acceptance/leaks/main.go: %d files (%v)", len(files), err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), files[0].path, files[0].text, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "marks" {
			return true
		}
		ast.Inspect(spec, func(n ast.Node) bool {
			if text, ok := literal(n); ok {
				marks = append(marks, text)
			}
			return true
		})
		return false
	})
	if len(marks) == 0 {
		return nil, fmt.Errorf("%s: no marks", files[0].path)
	}
	return marks, nil
}

// goCredentials reports the credentials in a Go file.
func goCredentials(f file, report func(line int, value string)) error {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, f.path, f.text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	at := func(n ast.Node, value string) { report(fset.Position(n.Pos()).Line, value) }
	value := func(name ast.Expr, e ast.Expr) {
		if id, ok := name.(*ast.Ident); !ok || !secretName.MatchString(id.Name) {
			return
		}
		if conversion, ok := e.(*ast.CallExpr); ok && len(conversion.Args) == 1 {
			e = conversion.Args[0] // []byte("...")
		}
		if text, ok := literal(e); ok {
			at(e, text)
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			value(n.Key, n.Value)
		case *ast.ValueSpec:
			for i := range n.Values {
				value(n.Names[min(i, len(n.Names)-1)], n.Values[i])
			}
		case *ast.AssignStmt:
			for i := range min(len(n.Lhs), len(n.Rhs)) {
				value(n.Lhs[i], n.Rhs[i])
			}
		case *ast.CallExpr:
			if i, ok := secretArgument[calledName(n)]; ok && i < len(n.Args) {
				if text, ok := literal(n.Args[i]); ok {
					at(n.Args[i], text)
				}
			}
		case *ast.BasicLit:
			if text, ok := literal(n); ok {
				textCredentials(text, func(value string) { at(n, value) })
			}
		}
		return true
	})
	return nil
}

// textCredentials reports the values of the keys and URLs in a text.
func textCredentials(text string, report func(value string)) {
	for _, pattern := range []*regexp.Regexp{secretText, secretMember, secretURL, secretFlag} {
		for _, found := range pattern.FindAllStringSubmatch(text, -1) {
			report(found[1])
		}
	}
}

func calledName(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}

// literal returns the text of a string literal.
func literal(n ast.Node) (string, bool) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// printUnmarked prints the credentials of tests without a mark.
func printUnmarked(root string, out io.Writer) error {
	exceptions, err := readTable("unmarked", 3)
	if err != nil {
		return err
	}
	broken, err := unmarked(root, exceptions)
	if err != nil {
		return err
	}
	return printBroken(out, broken)
}
