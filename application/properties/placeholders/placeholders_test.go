package placeholders

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kafka are the providers of Kafka, under the names that its documentation uses.
func kafka() Providers {
	return Providers{"file": {Class: kafkas + "FileConfigProvider"}, "dir": {Class: kafkas + "DirectoryConfigProvider"},
		"env": {Class: kafkas + "EnvVarConfigProvider"}, "noclass": {}, "vault": {Class: "com.example.Vault"}}
}

// parse is a file with one key.
func parse(name string) (map[string]string, error) {
	if name != "s.properties" {
		return nil, errors.New("no file " + name)
	}
	return map[string]string{"pw": "right", "nest": "${env:MYVAR}"}, nil
}

// The results are those that AbstractConfig of kafka-clients 4.4.0 printed for the same
// providers; where it left the placeholder as it was, there is an error here.
func TestResolve(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"pw": "line\n", ".h": "hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MYVAR", "vv")
	t.Setenv("EMPTY", "")
	for _, c := range []struct{ text, want, problem string }{
		{"${file:s.properties:pw}", "right", ""},
		{"x${file:s.properties:pw}y${file:s.properties:pw}", "xrightyright", ""},
		{"${file:s.properties:nest}", "${env:MYVAR}", ""},
		{"${file:s.properties:none}", "", `"s.properties" has no key "none"`},
		{"${file:none.properties:pw}", "", "no file none.properties"},
		{"${file:s.properties:a:b}", "", `no key "a:b"`},
		{"${file:pw}", "", "names no path"},
		{"${dir:DIR:pw}", "line\n", ""},
		{"${dir:DIR:.h}", "hidden", ""},
		{"${dir:DIR:none}", "", "none"},
		{"${dir:DIR:sub}", "", "not a regular file"},
		{"${dir:DIR:../s.properties}", "", "not the name of a file"},
		{"${dir:DIR/none:pw}", "", "pw"},
		{"${dir::pw}", "", "names no path"},
		{"${env:MYVAR}", "vv", ""},
		{"a${env:EMPTY}b", "ab", ""},
		{"${env:NO_SUCH_VARIABLE}", "", `no variable "NO_SUCH_VARIABLE"`},
		{"${env:x:MYVAR}", "", "has no path"},
		{"${noclass:x}", "", "config.providers.noclass.class is not given"},
		{"${vault:a:b}", "", "com.example.Vault is a Java class"},
		{"${nope:canary-4711:b}", "", "config.providers does not name"},
		{"${file:s.properties:pw", "${file:s.properties:pw", ""},
		{"$ {file:s.properties:pw}", "$ {file:s.properties:pw}", ""},
		{"${MYVAR}", "${MYVAR}", ""},
	} {
		got, err := kafka().Resolve(strings.ReplaceAll(c.text, "DIR", dir), parse)
		switch {
		case c.problem == "" && (err != nil || got != c.want):
			t.Errorf("%s: got %q and %v, want %q", c.text, got, err, c.want)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%s: got %q and %v, want an error with %q", c.text, got, err, c.problem)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: got %v, want nothing of the text in it", c.text, err)
		}
	}
	if _, err := (Providers{}).Resolve("${env:MYVAR}", parse); err == nil ||
		!strings.Contains(err.Error(), "give config.providers=env and config.providers.env.class") {
		t.Errorf("without providers: got %v, want how to declare one", err)
	}
}

func TestParametersLimit(t *testing.T) {
	t.Setenv("MYVAR", "vv")
	providers := kafka()
	limit := func(name, param, value string) {
		p := providers[name]
		p.Params = map[string]string{param: value}
		providers[name] = p
	}
	dir := t.TempDir()
	limit("file", "allowed.paths", dir+", "+dir)
	limit("dir", "allowed.paths", "relative")
	for _, allowed := range []string{"MY", "MYVAR|X["} {
		limit("env", "allowlist.pattern", allowed)
		for _, text := range []string{"${file:s.properties:pw}", "${file:" + dir + "/../s.properties:pw}",
			"${dir:" + dir + ":pw}", "${env:MYVAR}"} {
			if got, err := providers.Resolve(text, parse); err == nil {
				t.Errorf("%s: got %q, want an error", text, got)
			}
		}
	}
	limit("env", "allowlist.pattern", "MY.*")
	if got, err := providers.Resolve("${env:MYVAR}", parse); err != nil || got != "vv" {
		t.Errorf("got %q and %v, want the variable that matches", got, err)
	}
}
