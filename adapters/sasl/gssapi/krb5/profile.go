package krb5

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"brokerconn/adapters/internal/wholefile"
)

// The language of krb5.conf, as MIT's library reads it: sections of "name = value" and of
// "name = { ... }" to any depth, include directives, and comments on lines of their own.
// A name that occurs again adds a value, and a section or block that occurs again
// continues the first one. gokrb5's own parser knows three sections and one depth, and
// panics on other files.
//
// Three things are read that MIT 1.20 ignores or refuses: a first section that is indented,
// one behind a byte order mark, and a comment behind the name of a section.

// node is a relation, or a section or block with relations in it. A nil node is empty.
type node struct {
	name, text string
	block      bool
	inner      []*node
	final      bool // later files add nothing to the block
	sealed     bool // final, and its file has been read
}

// seal ends a file: what is final in it takes nothing from those that are read later.
func (n *node) seal() {
	n.sealed = n.final
	for _, c := range n.inner {
		c.seal()
	}
}

// child returns the block of a name, or nil.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	if i := slices.IndexFunc(n.inner, func(c *node) bool { return c.block && c.name == name }); i >= 0 {
		return n.inner[i]
	}
	return nil
}

// open returns the block of a name, which it adds if it is missing. One that is sealed stays
// as it is.
func (n *node) open(name string) *node {
	c := n.child(name)
	switch {
	case c != nil && c.sealed:
		return &node{name: name, block: true}
	case c == nil:
		c = &node{name: name, block: true}
		n.inner = append(n.inner, c)
	}
	return c
}

// values returns the values of a name.
func (n *node) values(name string) (all []string) {
	if n != nil {
		for _, c := range n.inner {
			if !c.block && c.name == name {
				all = append(all, c.text)
			}
		}
	}
	return all
}

// value returns the first value of a name.
func (n *node) value(name string) (string, bool) {
	all := n.values(name)
	return strings.Join(all[:min(len(all), 1)], ""), len(all) > 0
}

// foldedValue is value, or else the value of the name in other capitals.
func (n *node) foldedValue(name string) (value string, ok bool) {
	value, ok = n.value(name)
	for i := 0; n != nil && !ok && i < len(n.inner); i++ {
		c := n.inner[i]
		value, ok = c.text, !c.block && strings.EqualFold(c.name, name)
	}
	return value, ok
}

var (
	include = regexp.MustCompile(`^(include|includedir)\s+(\S.*?)\s*$`)
	// snippet excludes the files of editors and package managers in an includedir.
	snippet = regexp.MustCompile(`^([A-Za-z0-9_-]+|[^.].*\.conf)$`)
)

const (
	maxIncludes    = 8
	maxConfigBytes = 1 << 20
)

// include reads a file into n, the root.
func (n *node) include(path string, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("include directives are nested more than %d deep", maxIncludes)
	}
	if path == os.DevNull {
		return nil
	}
	text, _, err := wholefile.Read(path, maxConfigBytes)
	if err != nil {
		return err
	}
	if err := n.read(string(text), depth); err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	return nil
}

// profileReader is the state of the lines of one file.
type profileReader struct {
	root    *node
	within  []*node // the section and the open blocks in it; empty before the first section
	pending bool    // the next line is the brace of a block
}

func (n *node) read(text string, depth int) error {
	r := profileReader{root: n}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimRight(line, " \t\r\n\v\f")
		var err error
		if m := include.FindStringSubmatch(line); m != nil {
			err = n.follow(m[1], m[2], depth)
		} else {
			err = r.line(strings.TrimLeft(line, " \t\r\v\f"))
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return nil
}

func (n *node) follow(directive, path string, depth int) error {
	if directive == "include" {
		return n.include(path, depth+1)
	}
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); !snippet.MatchString(e.Name()) || err == nil && info.IsDir() {
			continue
		}
		if err := n.include(file, depth+1); err != nil {
			return err
		}
	}
	return err
}

func (r *profileReader) line(line string) error {
	switch {
	case r.pending:
		if !strings.HasPrefix(line, "{") {
			return errors.New(`a name without a value: "{" must follow on the next line`)
		}
		r.pending = false
	case line == "", line[0] == '#', line[0] == ';':
	case line[0] == '[':
		return r.section(line[1:])
	case len(r.within) == 0: // all before the first section is a comment
	case line[0] == '}':
		if len(r.within) == 1 {
			return errors.New(`"}" without a "{" before it`)
		}
		block := r.within[len(r.within)-1]
		block.final = block.final || strings.HasPrefix(line, "}*")
		r.within = r.within[:len(r.within)-1]
	default:
		return r.relation(line)
	}
	return nil
}

func (r *profileReader) section(line string) error {
	name, rest, closed := strings.Cut(line, "]")
	rest, final := strings.CutPrefix(rest, "*")
	rest = strings.TrimLeft(rest, " \t")
	switch {
	case len(r.within) > 1:
		return fmt.Errorf(`the section %.40q begins within a block: a "}" is missing before it`, name)
	case !closed, rest != "" && rest[0] != '#' && rest[0] != ';':
		return errors.New("a section is a name in brackets on a line of its own")
	}
	section := r.root.open(strings.TrimSpace(name))
	section.final = section.final || final
	r.within = []*node{section}
	return nil
}

// relation reads "name = value" or the start of a block. A "*" after the name of a block, as
// after its brace or after the name of a section, keeps later files of KRB5_CONFIG from
// adding to it. After the name of a value it has no effect, as with MIT.
func (r *profileReader) relation(line string) error {
	name, value, found := strings.Cut(line, "=")
	name = strings.TrimRight(name, " \t")
	if !found || name == "" || strings.ContainsAny(name, " \t") {
		return errors.New("neither name = value nor a comment, which begins with #")
	}
	name, final := strings.CutSuffix(name, "*")
	value = strings.TrimLeft(value, " \t")
	in := r.within[len(r.within)-1]
	switch {
	case value == "", value[0] == '{' && strings.TrimLeft(value[1:], " \t") == "":
		r.pending = value == ""
		block := in.open(name)
		block.final = block.final || final
		r.within = append(r.within, block)
		return nil
	case value[0] == '"':
		value = unquoted(value[1:])
	}
	in.inner = append(in.inner, &node{name: name, text: value})
	return nil
}

// unquoted returns a value up to the quote that ends it.
func unquoted(text string) string {
	var b strings.Builder
	for i := 0; i < len(text) && text[i] != '"'; i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			i++
			if c = text[i]; strings.IndexByte("ntb", c) >= 0 {
				c = "\n\t\b"[strings.IndexByte("ntb", c)]
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
