// Package kafkapython installs releases of kafka-python from PyPI, for tests that compare
// the library with them.
//
// Each has a virtual environment in the cache of the brokers' jars, outside the
// repository. An environment is made under a temporary name and renamed, so that it is
// complete, and several processes may make the same one.
package kafkapython

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"brokerconn/acceptance"
)

// python38 is the oldest Python of kafka-python 3 and of the driver of acceptance/parity,
// which also makes kafka-python 2.0.2 run after 3.11.
const python38 = "(3, 8)"

// building bounds the installations, which take a few seconds with a fast network.
const building = 5 * time.Minute

//go:embed testdata
var testdata embed.FS

// Interpreters returns, by version, the Python that has that kafka-python, and installs
// the missing ones. testdata has the hash of each version. The error says what the machine
// lacks.
func Interpreters(ctx context.Context, versions ...string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, building)
	defer cancel()
	if runtime.GOOS == "windows" {
		return nil, errors.New("kafka-python is asked on Unix only: its driver waits with poll(2), which Windows " +
			"does not have")
	}
	base, release, err := findPython(ctx)
	if err != nil {
		return nil, err
	}
	cache, err := acceptance.CacheDir()
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, version := range versions {
		dir := filepath.Join(cache, "kafka-python-"+version+"-on-"+release)
		found[version] = filepath.Join(dir, "bin", "python")
		if check(ctx, found[version], version) == nil {
			continue
		}
		if err := install(ctx, base, dir, version); err != nil {
			return nil, fmt.Errorf("kafka-python %s cannot be installed in %s: %w", version, dir, err)
		}
		if err := check(ctx, found[version], version); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// findPython returns a Python that can make virtual environments, and its release.
func findPython(ctx context.Context) (path, release string, err error) {
	const need = "Python 3.8 or newer with venv is needed (Debian: apt-get install python3 python3-venv; " +
		"macOS: brew install python), found through PATH"
	const ask = "import sys, venv, ensurepip; assert sys.version_info >= " + python38 +
		"; print('%d.%d.%d' % sys.version_info[:3])"
	err = errors.New("no python3: " + need)
	for _, name := range []string{"python3", "python"} {
		path, missing := exec.LookPath(name)
		if missing != nil {
			continue
		}
		out, failed := command(ctx, path, "-I", "-c", ask)
		if failed == nil {
			return path, strings.TrimSpace(out), nil
		}
		err = fmt.Errorf("%s cannot be used (%w): %s", path, failed, need)
	}
	return "", "", err
}

// check checks the version of kafka-python in an environment.
func check(ctx context.Context, interpreter, version string) error {
	out, err := command(ctx, interpreter, "-I", "-c",
		"import importlib.metadata as m; print(m.version('kafka-python'))")
	if err == nil && strings.TrimSpace(out) != version {
		err = fmt.Errorf("%s has kafka-python %s, want %s", interpreter, strings.TrimSpace(out), version)
	}
	return err
}

func install(ctx context.Context, python, dir, version string) error {
	requirements, err := testdata.ReadFile("testdata/requirements-" + version + ".txt")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // it failed the check
		return err
	}
	beside, err := os.MkdirTemp(filepath.Dir(dir), "venv-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	list := filepath.Join(beside, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o666); err != nil {
		return err
	}
	if _, err := command(ctx, python, "-I", "-m", "venv", beside); err != nil {
		return err
	}
	_, err = command(ctx, filepath.Join(beside, "bin", "python"), "-I", "-m", "pip", "install", "--quiet",
		"--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps", "--only-binary", ":all:",
		"-r", list)
	if err != nil {
		return err
	}
	if err := os.Rename(beside, dir); err != nil && check(ctx, filepath.Join(dir, "bin", "python"), version) != nil {
		return err // no other process has made it meanwhile
	}
	return nil
}

// command runs a program; its error has the last line of standard error.
func command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return "", fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return string(out), nil
}
