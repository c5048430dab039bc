package domain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRewordedPhrases: no phrase of testdata/reworded.txt is back in a conversation or in
// a string of the core.
func TestRewordedPhrases(t *testing.T) {
	mapping, err := os.ReadFile("testdata/reworded.txt")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{} // by file
	conversations, _ := filepath.Glob("testdata/conversations/*.txt")
	sources, _ := filepath.Glob("*.go")
	for _, file := range append(conversations, sources...) {
		text, err := os.ReadFile(file)
		switch {
		case err != nil:
			t.Fatal(err)
		case strings.HasSuffix(file, ".txt"):
			texts[file] = string(text)
		case !strings.HasSuffix(file, "_test.go"):
			texts[file] = stringsOf(t, file, text)
		}
	}
	for line := range strings.Lines(string(mapping)) {
		old, reworded, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " -> ")
		if !ok && !strings.HasPrefix(line, "#") {
			t.Errorf("got %q, want old phrase -> new phrase", line)
		}
		for file, text := range texts {
			if ok && strings.Contains(text, old) {
				t.Errorf("%s: got %q, want %q", file, old, reworded)
			}
		}
	}
}

// stringsOf returns the string literals of a source file, one a line.
func stringsOf(t *testing.T, file string, source []byte) string {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	ast.Inspect(parsed, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			b.WriteString(lit.Value + "\n")
		}
		return true
	})
	return b.String()
}
