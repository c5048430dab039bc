package acceptance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fetchTimeout bounds one run of Maven. A download of 45 MB takes 13 s at best.
const fetchTimeout = 10 * time.Minute

// buildClasspath is the Maven goal that resolves a project's dependencies and
// writes their paths into a file.
const buildClasspath = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"

// jars are artifacts of Maven Central that are resolved together.
type jars struct {
	name string // in the cache: "kafka-4.4.0"
	// artifacts are "group:artifact:version". exclusions are "group:artifact" to leave out of
	// their dependencies.
	artifacts, exclusions []string
}

// Fetch fetches the jars of a release into the cache, unless they are there, and returns
// the class path for java. Several processes may call it at the same time: one fetches. It
// runs Maven with the settings of the user (mirrors, proxies).
func Fetch(ctx context.Context, version string) (classpath string, err error) {
	rel, err := releaseOf(version, DefaultMode) // the jars of both modes are the same
	if err != nil {
		return "", err
	}
	paths, err := rel.jars(version).paths(ctx)
	return strings.Join(paths, string(os.PathListSeparator)), err
}

// FetchArtifacts does the same for other programs: artifacts are "group:artifact:version",
// fetched with their dependencies, and name is that of the set in the cache. sums are the
// lines that sha256sum prints for the jars, by their base names; another set of jars is an
// error.
func FetchArtifacts(ctx context.Context, name, sums string, artifacts ...string) (classpath string, err error) {
	paths, err := jars{name: name, artifacts: artifacts}.paths(ctx)
	if err != nil {
		return "", err
	}
	if err := checkSums(paths, sums); err != nil {
		return "", fmt.Errorf("acceptance: the jars of %s: %w", name, err)
	}
	return strings.Join(paths, string(os.PathListSeparator)), nil
}

// checkSums compares files with the lines of sha256sum.
func checkSums(paths []string, sums string) error {
	want := map[string]string{}
	for line := range strings.Lines(sums) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.Base(path)
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != want[name] {
			return fmt.Errorf("%s has the SHA-256 sum %s, want %q", path, got, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		return fmt.Errorf("mvn names no %s", strings.Join(slices.Sorted(maps.Keys(want)), ", "))
	}
	return nil
}

// paths returns the paths of the jars, and fetches the missing ones.
func (j jars) paths(ctx context.Context) ([]string, error) {
	c, err := openCache()
	if err != nil {
		return nil, err
	}
	paths, err := c.whole(j.name)
	if err != nil || paths != nil {
		return paths, err
	}
	return c.repair(ctx, j)
}

// repair removes the broken jars and fetches the missing ones, under the lock of the
// cache.
func (c cache) repair(ctx context.Context, j jars) ([]string, error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// Another process may have done it while this one waited.
	paths, err := c.whole(j.name)
	if err != nil || paths != nil {
		return paths, err
	}
	if paths, err = c.fetch(ctx, j); err != nil {
		return nil, fmt.Errorf("acceptance: fetch %s into %s: %w", j.name, c, err)
	}
	return paths, nil
}

// fetch has Maven fetch what is missing. The lock is held.
func (c cache) fetch(ctx context.Context, j jars) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	known, err := c.load(j.name)
	if err != nil {
		return nil, err
	}
	bad := broken(known)
	// Twice: an earlier run that was killed, or ran out of disk, can have left a broken jar
	// that is in no class path and that Maven trusts.
	for range 2 {
		if err := remove(bad); err != nil {
			return nil, err
		}
		paths, err := c.resolve(ctx, j)
		if err != nil {
			return nil, err
		}
		if bad = broken(paths); bad == nil {
			return paths, c.store(j.name, paths)
		}
	}
	return nil, fmt.Errorf("fetched again and still broken: %s", strings.Join(bad, ", "))
}

// remove takes jars out of Maven's repository, each with its directory, where
// Maven notes that it has it.
func remove(jars []string) error {
	for _, jar := range jars {
		if err := os.RemoveAll(filepath.Dir(jar)); err != nil {
			return err
		}
	}
	return nil
}

// resolve runs Maven and returns the jars that it names.
func (c cache) resolve(ctx context.Context, j jars) ([]string, error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(string(c), "fetch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	pom, list := filepath.Join(dir, "pom.xml"), filepath.Join(dir, "classpath")
	if err := os.WriteFile(pom, j.pom(), 0o666); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd := exec.Command(mvn, "--batch-mode", "--quiet", "-Dstyle.color=never",
		// Ask again for what was not there last time, which Maven remembers.
		"--update-snapshots",
		"--file", pom, "-Dmaven.repo.local="+c.m2(),
		buildClasspath, "-DincludeScope=runtime", "-Dmdep.outputFile="+list)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := run(ctx, cmd); err != nil {
		return nil, mavenError(ctx, err, out.String())
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	paths := filepath.SplitList(strings.TrimSpace(string(text)))
	if len(paths) == 0 {
		return nil, errors.New("mvn names no jar")
	}
	return paths, nil
}

// mavenError reduces the output of Maven to its first error.
func mavenError(ctx context.Context, err error, output string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mvn was given up: %w", err)
	}
	for line := range strings.Lines(output) {
		// Some versions of Maven put terminal codes before it, whatever the options are.
		if _, reason, ok := strings.Cut(line, "[ERROR] "); ok {
			reason, _, _ = strings.Cut(strings.TrimSpace(reason), " -> [Help")
			return fmt.Errorf("mvn: %w: %s", err, reason)
		}
	}
	return fmt.Errorf("mvn: %w: %s", err, tail(output))
}

// pom writes the project whose dependencies are the jars.
func (j jars) pom() []byte {
	type artifact struct {
		Group    string `xml:"groupId"`
		Artifact string `xml:"artifactId"`
		Version  string `xml:"version,omitempty"`
	}
	type dependency struct {
		artifact
		Exclusions []artifact `xml:"exclusions>exclusion"`
	}
	parse := func(coordinates string) artifact {
		group, rest, _ := strings.Cut(coordinates, ":")
		name, version, _ := strings.Cut(rest, ":")
		return artifact{Group: group, Artifact: name, Version: version}
	}
	var exclusions []artifact
	for _, e := range j.exclusions {
		exclusions = append(exclusions, parse(e))
	}
	var dependencies []dependency
	for _, a := range j.artifacts {
		dependencies = append(dependencies, dependency{artifact: parse(a), Exclusions: exclusions})
	}
	text, err := xml.MarshalIndent(struct {
		XMLName struct{} `xml:"http://maven.apache.org/POM/4.0.0 project"`
		Model   string   `xml:"modelVersion"`
		artifact
		Packaging    string       `xml:"packaging"`
		Dependencies []dependency `xml:"dependencies>dependency"`
	}{
		Model:        "4.0.0",
		artifact:     artifact{Group: "brokerconn", Artifact: j.name, Version: "1"},
		Packaging:    "pom",
		Dependencies: dependencies,
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return text
}
