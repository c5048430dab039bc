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
	must(t, err)
	readme := read(t, filepath.Join(root, "README.md"))
	lines := fenced(t, readme, "```go\n")
	module := fenced(t, readme, "```\nrequire ")
	path, _, _ := strings.Cut(module, " ")

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
	require(t, strings.Contains(program, fmt.Sprint(cfg.Port)) && broker.DefaultPort == 9092,
		"the README's lines name no port")

	dir := t.TempDir()
	goMod := "module reader\n\ngo 1.26\n\nrequire " + strings.Replace(module, "../brokerconn", root, 1)
	write(t, filepath.Join(dir, "go.mod"), goMod)
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root, "go.sum")))
	write(t, filepath.Join(dir, "main.go"), program)
	run := exec.Command("go", "run", "-mod=mod", ".")
	run.Dir = dir
	out, err := run.CombinedOutput()
	assert(t, err == nil && strings.HasSuffix(string(out), "1 brokers\n"), "%v\n%s\n%s\n%s", err, out, goMod, program)
}

// TestReadmeFileMap: every folder with Go files is in the file map, and every
// folder in the map has some; findings has scripts.
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
	for _, pattern := range []string{"*/*.go", "*/*/*.go", "*/*/*/*.go", "*/*/*/*/*.go", "findings/*.sh"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		must(t, err)
		for _, f := range files {
			if strings.Contains(filepath.ToSlash(f), "/testdata/") {
				continue
			}
			rel, err := filepath.Rel(root, filepath.Dir(f))
			must(t, err)
			seen[filepath.ToSlash(rel)] = true
		}
	}
	for name := range seen {
		assert(t, mapped[name], "%s is not in the README's file map", name)
	}
	for name := range mapped {
		assert(t, seen[name], "the README's file map has %s, which has no files", name)
	}
	for s := broker.Disconnected; s <= broker.Closed; s++ {
		assert(t, strings.Contains(readme, s.String()), "state %v is not in the README", s)
	}
}

// TestReadmeTasks: every example in the list of tasks exists.
func TestReadmeTasks(t *testing.T) {
	readme := read(t, "../../README.md")
	links := regexp.MustCompile(`\[(Example\w+)\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1)
	assert(t, len(links) >= 15, "got %d links to examples, want 15 or more", len(links))
	for _, l := range links {
		if !strings.Contains(read(t, filepath.Join("../..", l[2])), "func "+l[1]+"(") {
			t.Errorf("%s: got no %s", l[2], l[1])
		}
	}
}

// TestReadmeSimulation: the test that the README shows is the one that runs.
func TestReadmeSimulation(t *testing.T) {
	shown := fenced(t, read(t, "../../README.md"), "leaders that move:\n\n```go\n")
	example := read(t, "../simtest/example_leader_test.go")
	require(t, strings.Contains(example, shown), "got another test in the README than in the example:\n%s", shown)
}

// fenced returns the first block of the text that begins so, without the fences.
func fenced(t *testing.T, text, begin string) string {
	t.Helper()
	_, block, ok := strings.Cut(text, begin)
	block, _, closed := strings.Cut(block, "```")
	require(t, ok && closed, "the README has no block that begins with %q", begin)
	return block
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	return string(text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(text), 0o600))
}
