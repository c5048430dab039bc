package main

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The language of the module is plain technical English. Two lists are kept in testdata:
// words.txt holds what is written nowhere, names.txt what no declaration is called.
// exceptions.txt holds the uses that stay, with a reason for each.

//go:embed testdata/words.txt testdata/names.txt testdata/exceptions.txt testdata/unmarked.txt
var tables embed.FS

// language is the three tables.
type language struct {
	words      *regexp.Regexp
	instead    []row // of the words
	names      []row
	exceptions []row
}

type row []string

// use is a place where a word or a name is used that is not allowed there.
type use struct {
	path    string
	line    int
	word    string // as it is written
	context string
	instead string
}

func (u use) String() string {
	return fmt.Sprintf("%s:%d: %q in %s (%s)", u.path, u.line, u.word, u.context, u.instead)
}

// readLanguage reads the tables.
func readLanguage() (*language, error) {
	var l language
	for _, t := range []struct {
		file    string
		columns int
		rows    *[]row
	}{{"words", 2, &l.instead}, {"names", 4, &l.names}, {"exceptions", 3, &l.exceptions}} {
		var err error
		if *t.rows, err = readTable(t.file, t.columns); err != nil {
			return nil, err
		}
	}
	var all []string
	for _, r := range l.instead {
		all = append(all, "("+strings.ReplaceAll(r[0], " ", `\s+`)+")")
	}
	words, err := regexp.Compile(`(?i)\b(?:` + strings.Join(all, "|") + `)\b`)
	l.words = words
	return &l, err
}

// readTable reads a table of testdata.
func readTable(name string, columns int) (rows []row, err error) {
	text, err := tables.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r := row(strings.Split(line, "\t"))
		if len(r) != columns {
			return nil, fmt.Errorf("%s.txt: %d columns, want %d: %q", name, len(r), columns, line)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// isProse reports whether a file that is not Go is read for words.
func isProse(p string) bool {
	return path.Ext(p) == ".md" || p == "Makefile" || within(p, ".ci") || strings.Contains(p, "testdata/conversations/")
}

// uses returns all uses in the files of the checkout at or below a path that no exception
// allows, in order.
func (l *language) uses(root, under string) (found []use, err error) {
	files, err := readTree(root, func(p string) bool {
		isGo := strings.HasSuffix(p, ".go") && !strings.Contains("/"+p, "/testdata/")
		return within(p, under) && (isGo || isProse(p))
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no files in %s", under)
	}
	for _, f := range files {
		ofFile, err := l.usesIn(f)
		if err != nil {
			return nil, err
		}
		found = append(found, ofFile...)
	}
	return slices.DeleteFunc(found, l.isException), nil
}

func (l *language) isException(u use) bool {
	return slices.ContainsFunc(l.exceptions, func(r row) bool {
		return within(u.path, r[0]) && strings.EqualFold(u.word, r[1])
	})
}

// usesIn returns the uses in one file, exceptions among them.
func (l *language) usesIn(f file) (found []use, err error) {
	report := func(line int, word, context, instead string) {
		found = append(found, use{f.path, line, word, context, instead})
	}
	l.match(spaced(strings.TrimSuffix(path.Base(f.path), path.Ext(f.path))), func(_ int, word, instead string) {
		report(1, word, "the name of the file", instead)
	})
	if !f.isGo() {
		text := string(f.text)
		l.match(text, func(at int, word, instead string) {
			line := 1 + strings.Count(text[:at], "\n")
			report(line, word, fmt.Sprintf("%q", strings.TrimSpace(strings.Split(text, "\n")[line-1])), instead)
		})
		return found, nil
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	texts := func(pos token.Pos, text, kind string) {
		first := fset.Position(pos).Line
		l.match(text, func(at int, word, instead string) {
			report(first+strings.Count(text[:at], "\n"), word, kind, instead)
		})
	}
	for _, group := range parsed.Comments {
		text := string(f.text[fset.Position(group.Pos()).Offset:fset.Position(group.End()).Offset])
		texts(group.Pos(), strings.ReplaceAll(text, "//", "  "), "a comment")
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			texts(lit.Pos(), lit.Value, "the string "+shortened(lit.Value))
		}
		return true
	})
	for _, name := range declared(parsed) {
		line := fset.Position(name.Pos()).Line
		l.match(spaced(name.Name), func(_ int, word, instead string) {
			report(line, word, "the name "+name.Name, instead)
		})
		if word, instead := l.retired(&f, name.Name); word != "" {
			report(line, word, "the name "+name.Name, instead)
		}
	}
	slices.SortStableFunc(found, func(a, b use) int { return a.line - b.line })
	return found, nil
}

// match calls report for each word of the list in a text, with its offset.
func (l *language) match(text string, report func(at int, word, instead string)) {
	for _, m := range l.words.FindAllStringSubmatchIndex(text, -1) {
		for i, r := range l.instead {
			if m[2*i+2] >= 0 {
				report(m[0], strings.Join(strings.Fields(text[m[0]:m[1]]), " "), r[1])
				break
			}
		}
	}
}

// retired returns the entry of names.txt that a declared name has or contains, or "".
func (l *language) retired(f *file, name string) (word, instead string) {
	for _, r := range l.names {
		about := slices.ContainsFunc(strings.Fields(r[2]), func(scope string) bool {
			return scope == "tests" && f.isTest() || within(f.path, scope)
		})
		is := name == r[0]
		if r[1] == "part" {
			is = slices.Contains(strings.Fields(spaced(name)), strings.ToLower(r[0]))
		}
		if about && is {
			return r[0], r[3]
		}
	}
	return "", ""
}

func shortened(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "..."
	}
	return text
}

// printWords prints the uses below a path.
func printWords(root, under string, out io.Writer) error {
	l, err := readLanguage()
	if err != nil {
		return err
	}
	found, err := l.uses(root, path.Clean(under))
	if err != nil {
		return err
	}
	for _, u := range found {
		fmt.Fprintln(out, u)
	}
	fmt.Fprintf(out, "%d uses\n", len(found))
	if len(found) > 0 {
		return errBroken
	}
	return nil
}
