package main

import (
	"slices"
	"strings"
	"testing"
)

// TestCredentialsHaveMarks: acceptance/leaks finds a secret in an output by its mark.
func TestCredentialsHaveMarks(t *testing.T) {
	for _, broken := range must(unmarked(root, must(readTable("unmarked", 3)))) {
		t.Error(broken)
	}
}

// TestUnmarkedIsFound plants credentials with and without a mark.
func TestUnmarkedIsFound(t *testing.T) {
	const leaks = "package main\n\nvar marks = []string{\n\t\"canary\", // of ours\n}\n"
	code := func(lines ...string) map[string]string {
		return map[string]string{"acceptance/leaks/main.go": leaks,
			"a/a_test.go": "package a\n\nfunc f() {\n" + strings.Join(lines, "\n") + "\n}\n"}
	}
	for _, line := range []string{
		`ports.NewSecret("hunter22")`,
		`_ = T{Username: "alice", Password: "hunter22"}`,
		`_ = T{ClientSecret: ports.NewSecret("hunter22")}`,
		`const proxyPassword = "hunter22"`,
		`sslPassword := []byte("hunter22")`,
		`kfake.Superuser("PLAIN", "alice", "hunter22")`,
		`tunnel.NewLogin("alice", "hunter22")`,
		`f("sasl.password=hunter22")`,
		"f(`username=\"alice\" password=\"hunter22\";`)",
		"f(`{\"client_secret\": \"hunter22\"}`)",
		`f("http://alice:hunter22@proxy:3128")`,
		`_ = T{User: "alice", Pass: "hunter22"}`,
		`openssl("-passout", "pass:hunter22")`,
		`kadmin("addprinc -pw hunter22 alice")`,
		`keytool("-genkey -storepass hunter22")`,
	} {
		house(t, plant(t, code(line)), 1, `"hunter22" has no mark`, "unmarked")
		house(t, plant(t, code(strings.ReplaceAll(line, "hunter22", "my-Canary"))), 0, "", "unmarked")
	}
	const text = "application/properties/testdata/accepted.txt"
	house(t, plant(t, map[string]string{"acceptance/leaks/main.go": leaks, text: "x\nsasl.password=hunter22\n"}),
		1, text+":2: ", "unmarked")
	const found = "ports/redact/testdata/fuzz/FuzzSpellings/0123456789abcdef"
	house(t, plant(t, map[string]string{"acceptance/leaks/main.go": leaks,
		found: "go test fuzz v1\nstring(\"password=\\\"hunter22\\\"\")\n"}), 1, found+":2: ", "unmarked")
	none := `f("password=%s", "the password: not given", "password=KEY", "secret=abc")`
	house(t, plant(t, code(none)), 0, "", "unmarked")
	house(t, plant(t, map[string]string{"a/a.go": "package a\n"}), 2, "acceptance/leaks/main.go", "unmarked")
}

// TestUnmarkedExceptionsAreUsed fails for a row of unmarked.txt that nothing needs any longer.
func TestUnmarkedExceptionsAreUsed(t *testing.T) {
	all := must(unmarked(root, nil))
	for _, r := range must(readTable("unmarked", 3)) {
		if !slices.ContainsFunc(all, func(line string) bool {
			return strings.HasPrefix(line, r[0]+":") && (r[1] == "*" || strings.Contains(line, `"`+r[1]+`"`))
		}) {
			t.Errorf("unmarked.txt: got no credential %s in %s, want one", r[1], r[0])
		}
	}
}
