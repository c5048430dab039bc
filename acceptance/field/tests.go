package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// runTests runs the tests of the reports, a package after the other, and returns how each
// ended: pass, fail or skip. A test that did not run has no result.
func runTests(ctx context.Context, dir string, reports []report) (map[place]string, error) {
	tests := map[string][]string{} // the top tests of each package
	for _, r := range reports {
		top, _, _ := strings.Cut(r.at.test, "/")
		if quoted := regexp.QuoteMeta(top); !slices.Contains(tests[r.at.pkg], quoted) {
			tests[r.at.pkg] = append(tests[r.at.pkg], quoted)
		}
	}
	results := map[place]string{}
	for pkg, names := range tests {
		cmd := command(ctx, dir, "-json", "-count=1", "-run", "^("+strings.Join(names, "|")+")$", "./"+pkg)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if stderr.Len() > 0 {
			return nil, fmt.Errorf("%s: %s", pkg, bytes.TrimSpace(stderr.Bytes()))
		}
		if err := addResults(pkg, out, results); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// addResults adds the results of one package. See go doc test2json.
func addResults(pkg string, events []byte, results map[place]string) error {
	for decoder := json.NewDecoder(bytes.NewReader(events)); decoder.More(); {
		var e struct{ Action, Test string }
		if err := decoder.Decode(&e); err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
		switch e.Action {
		case "pass", "fail", "skip":
			results[place{pkg, e.Test}] = e.Action
		}
	}
	return nil
}
