package properties

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// What java.util.Properties makes of each text; blanks at the end of values
// excepted, which Kafka's clients cut off.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // key>value, separated by "|"
	}{
		{"", ""},
		{"a=b", "a>b"},
		{"a = b\n", "a>b"},
		{"a:b\nc : d", "a>b|c>d"},
		{"a b c", "a>b c"},
		{"a\tb", "a>b"},
		{"a", "a>"},
		{"a=", "a>"},
		{"=b", ">b"},
		{"a==b", "a>=b"},
		{"a=b=c:d", "a>b=c:d"},
		{"a  =  :b", "a>:b"},
		{"# no\n ! no\n\n \t\na=b", "a>b"},
		{"a=b # part of it", "a>b # part of it"},
		{"a=b\r\nc=d\re=f\n", "a>b|c>d|e>f"},
		{"\xef\xbb\xbfa=b", "a>b"},
		{"a=b, \\\n    c, \\\r\n\td", "a>b, c, d"},
		{"a=b\\\\\nc=d", `a>b\|c>d`},
		{"a=b\\\\\\\nc", `a>b\c`},
		{"a=b\\\n# no comment", "a>b# no comment"},
		{"a=b\\", "a>b"},
		{"\\\n# no\n\\\n\na=b", "a>b"},
		{"# no \\\na=b", "a>b"},
		{"; no\n ;no=no\na=b", "a>b"}, // not in Java
		{"a=b  \t ", "a>b"},
		{`a\ b\=c\:d=e`, "a b=c:d>e"},
		{`a=\u0063af\u00e9 \ud83d\ude00`, "a>café 😀"},
		{`a=\t\n\f\r.`, "a>\t\n\f\r."},
		{`a=\"\!\#\=\:\'\$`, `a>"!#=:'$`},
		{"a=é", "a>é"},
	} {
		all, err := Parse("f", []byte(c.text))
		if err != nil {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
			continue
		}
		var got []string
		for _, p := range all {
			if p.flaw != "" {
				t.Errorf("%q: got %s, want no flaw", c.text, p.flaw)
			}
			got = append(got, p.Key+">"+p.Value.Reveal())
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestParseNamesTheLine(t *testing.T) {
	all, err := Parse("f", []byte("\n# no\r\na=b\\\nc\n\nd=e"))
	if err != nil || len(all) != 2 || all[0].Where != "f:3" || all[1].Where != "f:6" {
		t.Errorf("%v %v", all, err)
	}
}

func TestParseRejects(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\xff\xfea\x00", "save it as UTF-8"},
		{"\xfe\xff\x00a", "save it as UTF-8"},
		{"\n {\"bootstrap.servers\": \"a:1\"}", "this is JSON"},
		{"<?xml version=\"1.0\"?>", "this is XML"},
		{"\xfe\xed\xfe\xed\x00\x00\x00\x02", "not a text file"},
		{"a=b\nc=\xe9", "f:2: this is not UTF-8"},
	} {
		if _, err := Parse("f", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// A backslash that Java drops, or cannot read, is rejected; to librdkafka it is a backslash.
func TestBackslashes(t *testing.T) {
	for _, value := range []string{`C:\keys`, `\u12`, `\ud83d`, `\ud83dx`, `\u+123`, `a\1`} {
		props := []Property{mustParse(t, "client.id="+value)}
		if _, err := Read(Java, props); err == nil || !strings.Contains(err.Error(), `write \\ for a backslash`) {
			t.Errorf("%s: %v", value, err)
		}
		s, err := Read(Librdkafka, props)
		if err != nil || s.Connection.ClientID != value {
			t.Errorf("%s: %v", value, err)
		}
	}
	s, err := Read(Librdkafka, []Property{mustParse(t, "client.id=a,\\\n  b")})
	if err != nil || s.Connection.ClientID != "a,b" {
		t.Errorf("continued: %+v %v", s, err)
	}
}

func mustParse(t *testing.T, text string) Property {
	t.Helper()
	all, err := Parse("f", []byte(text))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "client.properties")
	if _, err := ReadFile(name); err == nil || !strings.Contains(err.Error(), "client.properties") {
		t.Errorf("no file: %v", err)
	}
	write(t, name, "client.id=a\n")
	if all, err := ReadFile(name); err != nil || len(all) != 1 || all[0].Where != name+":1" {
		t.Errorf("%v %v", all, err)
	}
	write(t, name, strings.Repeat("#\n", MaxFileBytes/2)+"#")
	if _, err := ReadFile(name); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("too large: %v", err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAssignment(t *testing.T) {
	p, err := Assignment(` sasl.password =a\b = c `)
	if err != nil || p.Key != "sasl.password" || p.Value.Reveal() != `a\b = c ` || p.Where != "-X" {
		t.Errorf("got key %q, value %q and %v, want the value as it is", p.Key, p.Value.Reveal(), err)
	}
	for _, s := range []string{canary, "=" + canary, ""} {
		if _, err := Assignment(s); err == nil || strings.Contains(err.Error(), canary) ||
			!strings.Contains(err.Error(), "key=value") {
			t.Errorf("%q: got %v, want an error without the secret", s, err)
		}
	}
}

// Parse reads what java.util.Properties.store writes.
func TestParseReadsWhatJavaWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-z.=: #!\\\t]{1,10}`).Draw(t, "key")
		value := rapid.String().Draw(t, "value")
		text := stored(key, true) + "=" + stored(value, false)
		all, err := Parse("f", []byte("# header\n"+text+"\n"))
		if err != nil || len(all) != 1 {
			t.Fatalf("%q: %v %v", text, all, err)
		}
		if want := strings.TrimRight(value, blanks); all[0].Key != key || all[0].Value.Reveal() != want ||
			all[0].flaw != "" {
			t.Errorf("%q: got key %q, value %q and flaw %q, want %q and %q", text, all[0].Key, all[0].Value.Reveal(),
				all[0].flaw, key, want)
		}
	})
}

// stored escapes as Properties.store does: blanks everywhere in keys and at the
// start of values, and what is not printable ASCII as UTF-16.
func stored(s string, isKey bool) string {
	named := map[rune]string{'\t': `\t`, '\n': `\n`, '\r': `\r`, '\f': `\f`}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == ' ' && (isKey || i == 0), strings.ContainsRune(`\=:#!`, r):
			b.WriteString(`\` + string(r))
		case named[r] != "":
			b.WriteString(named[r])
		case r < ' ' || r > '~':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04X`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a=b", "a\\\n=b\\u00e9", "# x\r\n!y\n k : v \\", "\xef\xbb\xbfx",
		"a=\\ud83d\\ude00\\", "\\"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := Parse("f", text)
		if err != nil {
			return
		}
		for _, p := range all {
			if !utf8.ValidString(p.Key) || !utf8.ValidString(p.Value.Reveal()) {
				t.Errorf("not UTF-8: %q %q", p.Key, p.Value.Reveal())
			}
			if !strings.HasPrefix(p.Where, "f:") {
				t.Errorf("no place: %q", p.Where)
			}
		}
		for d := Guess; d <= lastDialect; d++ {
			settings, err := Read(d, all)
			if (settings == nil) == (err == nil) {
				t.Errorf("settings %v, error %v", settings, err)
			}
		}
	})
}
