package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build is this program over one checkout of the library.
type build struct{ binary, profiles string }

// today builds it over the checkout that it is in.
func today(tmp string) (*build, error) { return compile(tmp, "today", "../..", "") }

// earlier builds it over a commit, in a worktree of git. What that commit calls otherwise is in testdata, in a folder
// of its name; without one it calls all as today.
func earlier(tmp, commit string) (*build, error) {
	tree := filepath.Join(tmp, "tree")
	if err := worktree("add", "--quiet", "--detach", tree, commit); err != nil {
		return nil, err
	}
	instead := filepath.Join("testdata", commit)
	if _, err := os.Stat(instead); errors.Is(err, os.ErrNotExist) {
		instead = ""
	}
	b, err := compile(tmp, "base", tree, instead)
	if err != nil && instead == "" {
		err = fmt.Errorf("%w: there is no testdata/%s: what does that commit call otherwise?", err, commit)
	}
	return b, errors.Join(err, worktree("remove", "--force", tree))
}

func worktree(args ...string) error {
	out, err := exec.Command("git", append([]string{"worktree"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("git worktree %s: %w: %s", args[0], err, out)
	}
	return nil
}

// compile builds a copy of this module whose go.mod points to a checkout of the library, with the files of a folder
// in place of those of the same name.
func compile(tmp, name, checkout, instead string) (*build, error) {
	module := filepath.Join(tmp, name)
	if err := os.CopyFS(module, os.DirFS(".")); err != nil {
		return nil, err
	}
	if err := overwrite(module, instead); err != nil {
		return nil, err
	}
	checkout, err := filepath.Abs(checkout)
	if err != nil {
		return nil, err
	}
	overlay := filepath.Join(tmp, name+".json")
	if err := writeOverlay(overlay, checkout); err != nil {
		return nil, err
	}
	b := &build{binary: filepath.Join(tmp, name+".bin")}
	for _, args := range [][]string{
		{"mod", "edit", "-replace", "brokerconn=" + checkout},
		{"build", "-overlay", overlay, "-o", b.binary, "."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = module, os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: go %s: %w", name, args[0], err)
		}
	}
	return b, nil
}

// overwrite puts the files of a folder in place of those of the same name; "": there is no such folder.
func overwrite(module, instead string) error {
	if instead == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(instead, "*.go"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there is no file of Go in %s", instead)
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(module, filepath.Base(file)), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeOverlay puts today's acceptance/relay in place of that of a checkout, which may have an older one or none.
func writeOverlay(file, checkout string) error {
	const folder = "acceptance/relay"
	today, err := filepath.Abs("../relay")
	if err != nil {
		return err
	}
	replaced := map[string]string{}
	for _, dir := range []string{filepath.Join(checkout, folder), today} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return err
		}
		for _, file := range files {
			by := "" // it is taken away
			if dir == today {
				by = file
			}
			replaced[filepath.Join(checkout, folder, filepath.Base(file))] = by
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// run runs one workload with one client in a process of its own, against a canned broker in another.
func (b *build) run(server *build, w workload, client string) (r result, err error) {
	serving := exec.Command(server.binary, "serve")
	serving.Stderr = os.Stderr
	hold, err := serving.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := serving.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := serving.Start(); err != nil {
		return r, err
	}
	defer func() {
		_ = hold.Close() // which ends it
		_ = serving.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return r, err
	}
	at := strings.Fields(line)
	return b.measure(w, client, "-plain", at[0], "-secure", at[1], "-relayed", at[2], "-authority", at[3])
}

// measure runs one workload with one client in a process of its own, against what the arguments say.
func (b *build) measure(w workload, client string, args ...string) (r result, err error) {
	args = append([]string{"measure", "-client", client, "-workload", w.name}, args...)
	if b.profiles != "" {
		name := strings.ReplaceAll(w.name, " ", "-") + "." + client + ".prof"
		args = append(args, "-profile", filepath.Join(b.profiles, name))
	}
	text, err := exec.Command(b.binary, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return r, fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}
