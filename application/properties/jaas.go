package properties

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The language of sasl.jaas.config, as Kafka's client reads it:
//
//	org.apache.kafka.common.security.plain.PlainLoginModule required
//	  username="alice" password="it is \"quoted\"" // a comment
//	  ;
//
// Values are in double or single quotes, with the escapes of Java's StreamTokenizer, or bare
// if they begin with a letter, '_' or '$' and go on with these, digits, '.' and '-': a
// StreamTokenizer makes a number of what begins with another of them, and no value. Errors show nothing of the text
// but names of options: it has a password in it.

// jaasModule is one entry.
type jaasModule struct {
	class   string
	options []jaasOption
}

type jaasOption struct{ name, value string }

// maxJAASBytes bounds the text.
const maxJAASBytes = 64 << 10

func parseJAAS(text string) (modules []jaasModule, err error) {
	if len(text) > maxJAASBytes {
		return nil, fmt.Errorf("longer than %d bytes", maxJAASBytes)
	}
	l := &jaasLexer{rest: text}
	for {
		class := l.next()
		switch {
		case class.kind == jaasEnd && (modules == nil || l.err != nil):
			return nil, l.fail("no login module")
		case class.kind == jaasEnd:
			return modules, nil
		case class.kind != jaasWord:
			return nil, l.fail("the text begins with the class of a login module, such as " +
				"org.apache.kafka.common.security.plain.PlainLoginModule")
		}
		m := jaasModule{class: class.text}
		if m.options, err = l.entry(); err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
}

// jaasFlags come after the class. They mean the same where there is one entry.
var jaasFlags = []string{"required", "requisite", "sufficient", "optional"}

// entry reads the rest of an entry after the class: a flag, options, a semicolon.
func (l *jaasLexer) entry() (options []jaasOption, err error) {
	if !slices.Contains(jaasFlags, strings.ToLower(l.next().text)) {
		return nil, l.fail(`after the class comes "required"`)
	}
	after := `after "required"`
	for {
		name := l.next()
		switch name.kind {
		case jaasSemicolon:
			return options, nil
		case jaasEnd:
			return nil, l.fail("%s: a semicolon is missing at the end", after)
		case jaasEquals, jaasQuoted:
			return nil, l.fail(`%s: an option, as in username="alice", or the semicolon at the end`, after)
		}
		if l.next().kind != jaasEquals {
			return nil, l.fail(`%s: an option is name="value"`, after)
		}
		value := l.next()
		if value.kind != jaasWord && value.kind != jaasQuoted {
			return nil, l.fail(`%s: an option has no value: name="value"`, after)
		}
		options = append(options, jaasOption{name.text, value.text})
		after = fmt.Sprintf("after option %d", len(options))
	}
}

type jaasKind byte

const (
	jaasEnd       jaasKind = 0 // of the text, or an error
	jaasWord      jaasKind = 'w'
	jaasQuoted    jaasKind = 'q'
	jaasEquals    jaasKind = '='
	jaasSemicolon jaasKind = ';'
)

type jaasToken struct {
	kind jaasKind
	text string
}

type jaasLexer struct {
	rest string
	err  error // the first one
}

// fail returns the first error.
func (l *jaasLexer) fail(format string, args ...any) error {
	if l.err == nil {
		l.err = fmt.Errorf(format, args...)
	}
	return l.err
}

func (l *jaasLexer) next() jaasToken {
	l.skip()
	if l.rest == "" || l.err != nil {
		return jaasToken{}
	}
	switch c := l.rest[0]; c {
	case '=', ';':
		l.rest = l.rest[1:]
		return jaasToken{kind: jaasKind(c)}
	case '"', '\'':
		return l.quoted(c)
	}
	if c := l.rest[0]; '0' <= c && c <= '9' || c == '-' || c == '.' {
		_ = l.fail(`what begins with a digit, '-' or '.' must be in quotes, as in name="1a": Java reads a number`)
		return jaasToken{}
	}
	after := strings.TrimLeftFunc(l.rest, isJAASWord)
	word := l.rest[:len(l.rest)-len(after)]
	if l.rest = after; word == "" {
		_ = l.fail(`a character that must be in quotes, as in name="value"`)
		return jaasToken{}
	}
	return jaasToken{jaasWord, word}
}

func isJAASWord(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("._-$", r) || r >= 0xa0 && r != utf8.RuneError
}

// skip skips spaces and comments.
func (l *jaasLexer) skip() {
	for {
		l.rest = strings.TrimLeftFunc(l.rest, func(r rune) bool { return r <= ' ' })
		switch {
		case strings.HasPrefix(l.rest, "//"):
			l.rest = strings.TrimLeftFunc(l.rest, func(r rune) bool { return r != '\r' && r != '\n' })
		case strings.HasPrefix(l.rest, "/*"):
			_, after, closed := strings.Cut(l.rest[2:], "*/")
			if l.rest = after; !closed {
				_ = l.fail("a comment is not closed")
			}
		default:
			return
		}
	}
}

// jaasEscapes are those of StreamTokenizer. After a backslash any other character is itself,
// and up to three octal digits are a byte.
var jaasEscapes = map[byte]byte{'a': 7, 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

func (l *jaasLexer) quoted(quote byte) jaasToken {
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == quote:
			l.rest = l.rest[i+1:]
			return jaasToken{jaasQuoted, b.String()}
		case c == '\n' || c == '\r':
			_ = l.fail("a quote is not closed on its line")
			return jaasToken{}
		case c != '\\':
			b.WriteByte(c)
		case i+1 < len(l.rest):
			i++
			r, n := jaasEscape(l.rest[i:])
			b.WriteString(r)
			i += n - 1
		}
	}
	_ = l.fail("a quote is not closed")
	return jaasToken{}
}

// jaasEscape reads an escape after its backslash; n is its length.
func jaasEscape(s string) (text string, n int) {
	if escaped, found := jaasEscapes[s[0]]; found {
		return string(escaped), 1
	}
	octal := rune(0)
	for n < min(len(s), 3) && '0' <= s[n] && s[n] <= '7' && (n < 2 || s[0] <= '3') {
		octal = octal*8 + rune(s[n]-'0')
		n++
	}
	if n > 0 {
		return string(octal), n
	}
	return s[:1], 1
}
