package properties

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"brokerconn/ports"
)

// The files in testdata are configurations as users write them, and what becomes of them.

// canary is the secret in every configuration that has one. No error may show it.
const canary = "canary-4711"

const (
	plainJAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required " +
		`username="u" password="` + canary + `";`
	certText = "-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----"
	keyText  = "-----BEGIN PRIVATE KEY-----MA==-----END PRIVATE KEY-----"
)

// TestAccepted reads configurations in their own dialect, those of one source also in a
// guessed one. Keys that exclude each other are rejected if they are in one source.
func TestAccepted(t *testing.T) {
	dir := filepath.ToSlash(stores(t))
	for _, c := range readRecorded(t, "testdata/accepted.txt", dir) {
		dialects := []Dialect{c.dialect, Guess}
		if len(c.sources) > 1 {
			dialects = dialects[:1]
			one := strings.Join(c.sources, "\n")
			if s, err := Read(c.dialect, written(t, "", one)); err == nil && len(c.marked["~"]) > 0 {
				t.Errorf("in one source: got %q, want an error\nof %q", rendered(s), one)
			}
		}
		for _, dialect := range dialects {
			s, err := readSources(t, dialect, "", c.sources...)
			if err != nil {
				t.Errorf("%v: got %v\nof %q", dialect, err, c.sources)
				continue
			}
			if got := rendered(s); s.Dialect != c.dialect || !slices.Equal(got, c.marked["="]) {
				t.Errorf("%v: got %q\nwant %q\nof %q", dialect, got, c.marked["="], c.sources)
			}
			var ignored []string
			for _, i := range s.Ignored {
				ignored = append(ignored, i.Key)
				if i.Why == "" || strings.Contains(i.Why, canary) || !strings.HasPrefix(i.Where, "test.properties:") {
					t.Errorf("got %+v ignored, want a reason and a place, and no secret", i)
				}
			}
			if !slices.Equal(ignored, c.marked["~"]) {
				t.Errorf("%v: got %q ignored, want %q\nof %q", dialect, ignored, c.marked["~"], c.sources)
			}
		}
	}
}

func TestRejected(t *testing.T) {
	dir := filepath.ToSlash(stores(t))
	cases := readRecorded(t, "testdata/rejected.txt", dir)
	if len(cases) < 150 {
		t.Errorf("got %d rejected configurations, want at least 150", len(cases))
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if name := c.dialect.String() + c.sources[0]; seen[name] {
			t.Errorf("got %q twice, want it once", c.sources[0])
		} else {
			seen[name] = true
		}
		t.Run(c.key, func(t *testing.T) {
			settings, err := Read(c.dialect, written(t, "", c.sources[0]))
			all := problems(t, err)
			if len(all) != 1 || settings != nil || all[0].Key != c.key {
				t.Fatalf("got %v, want one error of %s\nof %q", err, c.key, c.sources[0])
			}
			t.Log(err)
			for _, word := range c.marked["!"] {
				if !strings.Contains(all[0].Problem, word) {
					t.Errorf("got %q, want %q in it", all[0].Problem, word)
				}
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want no secret and one line", err.Error())
			}
			if given := strings.Contains(c.sources[0], c.key+"="); given &&
				!strings.Contains(all[0].Where, "test.properties:") {
				t.Errorf("got %v, want its place", err)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Read(Guess, written(t, t.TempDir(), "security.protocol=SASL_SSL", "sasl.mechanism=PLAN",
		"reconnect.backoff.ms=x", "ssl.truststore.location=DIR/none.jks", "foo.bar=1", "security.protocol=SSL"))
	var keys []string
	for _, e := range problems(t, err) {
		keys = append(keys, e.Where+" "+e.Key)
	}
	want := []string{
		"test.properties:5 foo.bar", "test.properties:6 security.protocol", "test.properties:3 reconnect.backoff.ms",
		"test.properties:2 sasl.mechanism", "test.properties:4 ssl.truststore.location",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
}

// rendered returns the fields that are set, a line each, with the secrets in clear: they are
// the test's.
func rendered(s *Settings) []string {
	var lines []string
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if v.IsZero() {
			return
		}
		v = reflect.Indirect(v)
		text := fmt.Sprint(v)
		switch value := v.Interface().(type) {
		case []Ignored, Dialect:
			return
		case ports.Secret:
			text = value.Reveal()
		case func() ([]byte, error):
			password, _ := value()
			text = string(password)
		default:
			if v.Kind() == reflect.Struct {
				for field, member := range v.Fields() {
					if !field.IsExported() {
						continue
					}
					walk(strings.TrimPrefix(path+"."+field.Name, "."), member)
				}
				return
			}
		}
		lines = append(lines, strings.ReplaceAll(path+" "+text, "\n", `\n`))
	}
	walk("", reflect.ValueOf(*s))
	return lines
}

// recorded is a case of a file in testdata: a line that begins it, and indented lines, some of
// which have a mark.
type recorded struct {
	dialect Dialect
	key     string
	sources []string // separated by lines "--"
	marked  map[string][]string
}

// readRecorded returns the cases of a file, in which DIR is a folder.
func readRecorded(t *testing.T, file, dir string) (all []recorded) {
	t.Helper()
	for line := range strings.SplitSeq(strings.ReplaceAll(contents(t, file), "DIR", dir), "\n") {
		text, indented := strings.CutPrefix(line, "\t")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case !indented:
			name, key, _ := strings.Cut(line, ": ")
			dialect, err := ParseDialect(name)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, recorded{dialect: dialect, key: key, sources: []string{""},
				marked: map[string][]string{}})
			continue
		}
		c := &all[len(all)-1]
		if mark, rest, found := strings.Cut(text, " "); found && strings.Contains("!=~", mark) {
			c.marked[mark] = append(c.marked[mark], rest)
		} else if text == "--" {
			c.sources = append(c.sources, "")
		} else {
			last := &c.sources[len(c.sources)-1]
			*last = strings.TrimPrefix(*last+"\n"+text, "\n")
		}
	}
	return all
}
