package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the charts of testdata/charts")

// kafkaprobe builds the command with a defect in it.
func kafkaprobe(t *testing.T, name string) (command string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	d, err := readDefect(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	overlay, err := d.overlay(root, work)
	if err != nil {
		t.Fatal(err)
	}
	command = filepath.Join(work, "kafkaprobe")
	if runtime.GOOS == "windows" {
		command += ".exe"
	}
	build := exec.Command("go", "build", "-pgo=off", "-overlay", overlay, "-o", command, "./application/cli/kafkaprobe")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return command
}

// output runs a command that must exit with a code.
func output(t *testing.T, code int, command string, args ...string) string {
	t.Helper()
	cmd := exec.Command(command, args...)
	out, err := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%q: got exit code %d (%v) and\n%s\nwant %d", args, got, err, out, code)
	}
	return string(out)
}

// TestChartsOfDefects draws the plans of two defects: a reader who knows neither the plan nor the
// defect finds out what is wrong.
func TestChartsOfDefects(t *testing.T) {
	for _, name := range []string{"any-id", "within-login"} {
		t.Run(name, func(t *testing.T) {
			command, base := kafkaprobe(t, name), filepath.Join("testdata", "charts", name)
			svg := filepath.Join(t.TempDir(), "chart.svg")
			text := output(t, 0, command, "sim", "chart", base+".plan")
			output(t, 0, command, "sim", "chart", base+".plan", "--svg", svg)
			drawing, err := os.ReadFile(svg)
			if err != nil {
				t.Fatal(err)
			}
			for file, got := range map[string][]byte{base + ".chart": []byte(text), base + ".svg": drawing} {
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if want, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got another chart than %s (%v): if that is meant, -update\n%s", file, err, got)
				}
			}
			if !strings.Contains(output(t, 1, command, "sim", "replay", base+".plan"), "does not hold") {
				t.Error("got a replay without the failure")
			}
			reproduces(t, command)
		})
	}
}

var reproduce = regexp.MustCompile(`(?m)^reproduce: kafkaprobe (.*)$`)

// reproduces checks that the line that sim prints fails in the same way.
func reproduces(t *testing.T, command string) {
	t.Helper()
	first := output(t, 1, command, "sim")
	m := reproduce.FindStringSubmatch(first)
	if m == nil {
		t.Fatalf("got no line that reproduces the failure:\n%s", first)
	}
	if again := output(t, 1, command, strings.Fields(m[1])...); again != first {
		t.Errorf("%s: got\n%s\nwant\n%s", m[0], again, first)
	}
}
