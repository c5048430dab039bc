package broker_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brokerconn/application/broker"
)

// TestReadmeInAnotherModule does what the README says: a module
// of one's own, require and replace, and the lines of the first screen.
func TestReadmeInAnotherModule(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme := read(t, filepath.Join(root, "README.md"))
	lines := fenced(t, readme, "```go\n")
	require := fenced(t, readme, "```\nrequire ")
	path, _, _ := strings.Cut(require, " ")

	cfg := fakeKafka(t)
	program := fmt.Sprintf(`package main

import (
	"context"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/kmsg"

	%q
)

func main() {
%s}
`, path+"/application/broker", strings.Replace(lines, "9092", fmt.Sprint(cfg.Port), 1))
	if !strings.Contains(program, fmt.Sprint(cfg.Port)) || broker.DefaultPort != 9092 {
		t.Fatal("the README's lines name no port")
	}

	dir := t.TempDir()
	goMod := "module reader\n\ngo 1.26\n\nrequire " + strings.Replace(require, "../brokerconn", root, 1)
	write(t, filepath.Join(dir, "go.mod"), goMod)
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root, "go.sum")))
	write(t, filepath.Join(dir, "main.go"), program)
	run := exec.Command("go", "run", "-mod=mod", ".")
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "1 brokers\n") {
		t.Errorf("%v\n%s\n%s\n%s", err, out, goMod, program)
	}
}

// TestReadmeFileMap: every folder with Go files is in the file map, and every
// folder in the map has some.
func TestReadmeFileMap(t *testing.T) {
	root := "../.."
	readme := read(t, filepath.Join(root, "README.md"))
	_, table, _ := strings.Cut(readme, "| folder | what is in it |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	mapped := map[string]bool{}
	for row := range strings.Lines(table) {
		for i, name := range strings.Split(strings.Split(row, "|")[1], "`") {
			if i%2 == 1 {
				mapped[name] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, pattern := range []string{"*/*.go", "*/*/*.go", "*/*/*/*.go", "*/*/*/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.Contains(filepath.ToSlash(f), "/testdata/") {
				continue
			}
			rel, err := filepath.Rel(root, filepath.Dir(f))
			if err != nil {
				t.Fatal(err)
			}
			seen[filepath.ToSlash(rel)] = true
		}
	}
	for name := range seen {
		if !mapped[name] {
			t.Errorf("%s is not in the README's file map", name)
		}
	}
	for name := range mapped {
		if !seen[name] {
			t.Errorf("the README's file map has %s, which has no Go files", name)
		}
	}
	for s := broker.Disconnected; s <= broker.Closed; s++ {
		if !strings.Contains(readme, s.String()) {
			t.Errorf("state %v is not in the README", s)
		}
	}
}

// TestReadmeTasks: every example in the list of tasks exists.
func TestReadmeTasks(t *testing.T) {
	readme := read(t, "../../README.md")
	links := regexp.MustCompile(`\[(Example\w+)\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1)
	if len(links) < 15 {
		t.Errorf("got %d links to examples, want 15 or more", len(links))
	}
	for _, l := range links {
		if !strings.Contains(read(t, filepath.Join("../..", l[2])), "func "+l[1]+"(") {
			t.Errorf("%s: got no %s", l[2], l[1])
		}
	}
}

// fenced returns the first block of the text that begins so, without the fences.
func fenced(t *testing.T, text, begin string) string {
	t.Helper()
	_, block, ok := strings.Cut(text, begin)
	block, _, closed := strings.Cut(block, "```")
	if !ok || !closed {
		t.Fatalf("the README has no block that begins with %q", begin)
	}
	return block
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
