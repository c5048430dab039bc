package properties

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"brokerconn/ports"
)

// The files are Java's .properties:
//
//	# a comment       ! another one
//	key=value         key: value         key value
//	long.key = first, \
//	           second
//	name = caf\u00e9, tab \t, backslash \\, and \: \= \# \! and \ as they are
//
// Five things differ from Java, which reads these silently as something else. The encoding
// is UTF-8, with or without a byte order mark, and not Latin-1. A backslash before any other
// letter or digit is an error: Java drops it, so that C:\keys becomes C:keys. A key that is
// given twice is an error: Java takes the last. A line that begins with a semicolon is a
// comment, and the header of a section, "[default]", is ignored with a warning, as in the INI
// files that programs in Python read for librdkafka. In librdkafka's dialect a backslash is a
// backslash unless it ends a line, since its files have no escapes.
//
// Spaces at the end of a value are removed, as by all these clients.

// MaxFileBytes bounds a file of properties.
const MaxFileBytes = 1 << 20

// ReadFile reads a file of properties. The error joins one for each line that cannot be
// read; Read checks keys and values.
func ReadFile(name string) ([]Property, error) {
	text, err := readBounded(name, MaxFileBytes)
	if err != nil {
		return nil, err
	}
	return Parse(name, text)
}

func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes, so not a file of this kind", name, limit)
	}
	return text, nil
}

// Parse reads the text of such a file; errors name it as name.
func Parse(name string, text []byte) ([]Property, error) { return parse(name, text, blanks) }

// parse is Parse; the characters of cut are removed from the ends of values.
func parse(name string, text []byte, cut string) ([]Property, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(text, []byte("\xfe\xff")) || bytes.HasPrefix(text, []byte("\xff\xfe")) {
		return nil, fmt.Errorf("%s: this is UTF-16: save it as UTF-8", name)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%s: this is not a text file: it has zero bytes", name)
	}
	for begin, format := range map[string]string{"{": "JSON", "<": "XML"} {
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte(begin)) {
			return nil, fmt.Errorf("%s: this is %s: write a line key=value for each setting", name, format)
		}
	}
	var all []Property
	var problems []error
	lines := &lines{rest: strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))}
	for {
		line, ok := lines.logical()
		if !ok {
			return all, errors.Join(problems...)
		}
		where := fmt.Sprintf("%s:%d", name, line.number)
		if !utf8.ValidString(line.text) {
			problems = append(problems, fmt.Errorf("%s: this is not UTF-8; Java reads such files as Latin-1: save "+
				"it as UTF-8, or write letters as \\u00e9", where))
			continue
		}
		p := line.property(cut)
		p.Where = where
		all = append(all, p)
	}
}

// lines returns logical lines: without comments and empty ones, and with continued ones
// joined.
type lines struct {
	rest   string
	number int // of the line returned last, from 1
}

type logicalLine struct {
	text      string
	number    int // of its first line
	continued bool
}

const blanks = " \t\f"

func (l *lines) logical() (line logicalLine, ok bool) {
	for {
		text, more := l.natural()
		if !more {
			return line, false
		}
		text = strings.TrimLeft(text, blanks)
		if text == "" || strings.IndexByte("#!;", text[0]) >= 0 {
			continue
		}
		line = logicalLine{text: text, number: l.number}
		if text == `\` {
			continue // nothing is continued: the next line begins a new one
		}
		for endsOpen(line.text) {
			line.text = line.text[:len(line.text)-1]
			if text, more = l.natural(); !more {
				break
			}
			line.text += strings.TrimLeft(text, blanks)
			line.continued = true
		}
		return line, true
	}
}

// natural returns the next line.
func (l *lines) natural() (line string, ok bool) {
	if l.rest == "" {
		return "", false
	}
	l.number++
	line, l.rest, _ = strings.Cut(l.rest, "\n")
	return line, true
}

// endsOpen reports whether a line is continued: an odd number of backslashes ends it, so that
// no other one escapes the last.
func endsOpen(line string) bool {
	bare := strings.TrimRight(line, `\`)
	return (len(line)-len(bare))%2 == 1
}

func (line logicalLine) property(cut string) Property {
	end := keyEnd(line.text)
	value := strings.TrimLeft(line.text[end:], blanks)
	bare := value == "" || value[0] != '=' && value[0] != ':'
	if !bare {
		value = strings.TrimLeft(value[1:], blanks)
	}
	key, flaw := unescape(line.text[:end])
	decoded, flawed := unescape(value)
	text := ports.NewSecret(strings.TrimRight(decoded, cut))
	p := Property{Key: key, Value: text, flaw: cmp.Or(flaw, flawed), bare: bare}
	if !line.continued && strings.Contains(value, `\`) {
		p.plain = ports.NewSecret(strings.TrimRight(value, cut))
	}
	return p
}

// keyEnd returns the index of the first separator that no backslash escapes.
func keyEnd(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '=', ':', ' ', '\t', '\f':
			return i
		}
	}
	return len(text)
}

var escapes = map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}

// unescape replaces the escapes of s. flaw describes an invalid one.
func unescape(s string) (text, flaw string) {
	if !strings.Contains(s, `\`) {
		return s, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			if s[i] != '\\' {
				b.WriteByte(s[i])
			}
			continue
		}
		i++
		switch c := s[i]; {
		case escapes[c] != 0:
			b.WriteByte(escapes[c])
		case c == 'u':
			r, n := unicodeEscape(s[i-1:])
			if n == 0 {
				return "", `\u takes four hexadecimal digits, and surrogates only in pairs; write \\ for a backslash`
			}
			b.WriteRune(r)
			i += n - 2
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
			return "", `a backslash before a letter or digit, which Java drops silently; write \\ for a backslash`
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// unicodeEscape reads \uXXXX at the start of s, or the two of a surrogate pair. n is its
// length, 0 if it is invalid.
func unicodeEscape(s string) (r rune, n int) {
	unit := func(s string) (rune, bool) {
		if len(s) < 6 || s[:2] != `\u` || strings.ContainsAny(s[2:6], "+-_") {
			return 0, false
		}
		u, err := strconv.ParseUint(s[2:6], 16, 16)
		return rune(u), err == nil
	}
	first, ok := unit(s)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(first):
		return first, 6
	}
	second, ok := unit(s[6:])
	if r = utf16.DecodeRune(first, second); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// Assignment reads "key=value", the argument of -X. The value has no escapes.
func Assignment(s string) (Property, error) {
	key, value, found := strings.Cut(s, "=")
	key = strings.TrimSpace(key)
	if !found || key == "" {
		// The argument may be a password, and is not printed.
		return Property{}, errors.New("-X takes key=value, as in -X client.id=probe")
	}
	return Property{Key: key, Value: ports.NewSecret(value), Where: "-X"}, nil
}
