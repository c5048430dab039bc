package properties

import (
	"fmt"
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
// if they have letters, digits and characters like '.' only. Errors show nothing of the text
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
		class, err := l.next()
		switch {
		case err != nil:
			return nil, err
		case class.kind == jaasEnd && modules == nil:
			return nil, fmt.Errorf("no login module")
		case class.kind == jaasEnd:
			return modules, nil
		case class.kind != jaasWord:
			return nil, fmt.Errorf("the text begins with the class of a login module, such as " +
				"org.apache.kafka.common.security.plain.PlainLoginModule")
		}
		m := jaasModule{class: class.text}
		if m.options, err = l.entry(); err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
}

// entry reads the rest of an entry after the class: a flag, options, a semicolon.
func (l *jaasLexer) entry() (options []jaasOption, err error) {
	flag, err := l.next()
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(flag.text) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return nil, fmt.Errorf(`after the class comes "required"`)
	}
	after := `after "required"`
	for {
		name, err := l.next()
		if err != nil {
			return nil, err
		}
		switch name.kind {
		case jaasSemicolon:
			return options, nil
		case jaasEnd:
			return nil, fmt.Errorf("%s: a semicolon is missing at the end", after)
		case jaasEquals, jaasQuoted:
			return nil, fmt.Errorf(`%s: an option, as in username="alice", or the semicolon at the end`, after)
		}
		equals, err := l.next()
		if err != nil {
			return nil, err
		}
		if equals.kind != jaasEquals {
			return nil, fmt.Errorf(`%s: an option is name="value"`, after)
		}
		value, err := l.next()
		if err != nil {
			return nil, err
		}
		if value.kind != jaasWord && value.kind != jaasQuoted {
			return nil, fmt.Errorf(`%s: an option has no value: name="value"`, after)
		}
		options = append(options, jaasOption{name.text, value.text})
		after = fmt.Sprintf("after option %d", len(options))
	}
}

type jaasKind uint8

const (
	jaasEnd jaasKind = iota
	jaasWord
	jaasQuoted
	jaasEquals
	jaasSemicolon
)

type jaasToken struct {
	kind jaasKind
	text string
}

type jaasLexer struct{ rest string }

func (l *jaasLexer) next() (jaasToken, error) {
	if err := l.skip(); err != nil {
		return jaasToken{}, err
	}
	if l.rest == "" {
		return jaasToken{kind: jaasEnd}, nil
	}
	switch c := l.rest[0]; c {
	case '=':
		l.rest = l.rest[1:]
		return jaasToken{kind: jaasEquals}, nil
	case ';':
		l.rest = l.rest[1:]
		return jaasToken{kind: jaasSemicolon}, nil
	case '"', '\'':
		return l.quoted(c)
	}
	n := strings.IndexFunc(l.rest, func(r rune) bool { return !isJAASWord(r) })
	if n < 0 {
		n = len(l.rest)
	}
	if n == 0 {
		return jaasToken{}, fmt.Errorf(`a character that must be in quotes, as in name="value"`)
	}
	word := l.rest[:n]
	l.rest = l.rest[n:]
	return jaasToken{jaasWord, word}, nil
}

func isJAASWord(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("._-$", r) || r >= 0xa0 && r != utf8.RuneError
}

// skip skips spaces and comments.
func (l *jaasLexer) skip() error {
	for {
		l.rest = strings.TrimLeft(l.rest, " \t\r\n\f")
		switch {
		case strings.HasPrefix(l.rest, "//"):
			end := strings.IndexAny(l.rest, "\r\n")
			if end < 0 {
				end = len(l.rest)
			}
			l.rest = l.rest[end:]
		case strings.HasPrefix(l.rest, "/*"):
			end := strings.Index(l.rest[2:], "*/")
			if end < 0 {
				return fmt.Errorf("a comment is not closed")
			}
			l.rest = l.rest[2+end+2:]
		default:
			return nil
		}
	}
}

// jaasEscapes are those of StreamTokenizer. After a backslash any other character is itself,
// and up to three octal digits are a byte.
var jaasEscapes = map[byte]byte{'a': 7, 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

func (l *jaasLexer) quoted(quote byte) (jaasToken, error) {
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == quote:
			l.rest = l.rest[i+1:]
			return jaasToken{jaasQuoted, b.String()}, nil
		case c == '\n' || c == '\r':
			return jaasToken{}, fmt.Errorf("a quote is not closed on its line")
		case c != '\\':
			b.WriteByte(c)
		case i+1 < len(l.rest):
			i++
			r, n := jaasEscape(l.rest[i:])
			b.WriteString(r)
			i += n - 1
		}
	}
	return jaasToken{}, fmt.Errorf("a quote is not closed")
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
