package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A build is this program over one checkout of the library.
type build struct{ name, dir, binary string }

// compile builds this module in dir's image: a copy of it whose go.mod points to dir.
// A checkout from before Send took a context gets the file in testdata that fits it.
func (b *build) compile(tmp string) error {
	module := filepath.Join(tmp, b.name)
	if err := os.CopyFS(module, os.DirFS(".")); err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(b.dir, "application/broker/conn.go"))
	if err != nil {
		return err
	}
	if strings.Contains(string(source), "Send(req ports.Message) *Future") {
		old, err := os.ReadFile("testdata/659b910/async.go")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(module, "async.go"), old, 0o644); err != nil {
			return err
		}
	}
	b.binary = filepath.Join(tmp, b.name+".bin")
	overlay := filepath.Join(tmp, b.name+".json")
	replaced, err := relayOfToday(b.dir)
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, text, 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"mod", "edit", "-replace", "brokerconn=" + b.dir},
		{"build", "-overlay", overlay, "-o", b.binary, "."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = module, os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: go %s: %w", b.name, args[0], err)
		}
	}
	return nil
}

// relayOfToday replaces the files of acceptance/relay in a checkout, which may have an older one or none.
func relayOfToday(checkout string) (replaced map[string]string, err error) {
	const folder = "acceptance/relay"
	today, err := filepath.Abs("../relay")
	if err != nil {
		return nil, err
	}
	replaced = map[string]string{}
	for _, dir := range []string{filepath.Join(checkout, folder), today} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			by := "" // it is taken away
			if dir == today {
				by = file
			}
			replaced[filepath.Join(checkout, folder, filepath.Base(file))] = by
		}
	}
	return replaced, nil
}

// compare runs every scenario with every build in turn, rounds times.
func compare(rounds int, only string, args []string) error {
	tmp, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	var builds []*build
	for _, arg := range args {
		name, dir, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not NAME=CHECKOUT", arg)
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return err
		}
		b := &build{name: name, dir: dir}
		if err := b.compile(tmp); err != nil {
			return err
		}
		builds = append(builds, b)
	}
	if len(builds) == 0 {
		return errors.New("no build is named: NAME=CHECKOUT")
	}
	fmt.Printf("%-18s %-24s %9s %11s %11s %10s %8s %9s %7s\n", "scenario", "client",
		"per s", "p50", "p99", "CPU/req", "/floor", "switches", "allocs")
	for _, s := range scenarios {
		if only != "" && s.name != only {
			continue
		}
		if err := s.compare(builds, rounds); err != nil {
			return err
		}
	}
	return nil
}

func (s scenario) compare(builds []*build, rounds int) error {
	var names []string
	found := map[string][]result{}
	for range rounds {
		for i, b := range builds {
			for _, c := range s.clients {
				name := b.name + " " + c
				if !strings.HasPrefix(c, "conn") {
					if i > 0 {
						continue // the same for every build
					}
					name = c
				}
				r, err := b.run(s, c)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, name, err)
				}
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
				found[name] = append(found[name], r)
			}
		}
	}
	for _, name := range names {
		rs := found[name]
		ratio := "-"
		if floor := found["floor"]; floor != nil {
			ratios := make([]float64, len(rs))
			for i := range rs {
				ratios[i] = float64(rs[i].CPU) / float64(floor[i].CPU)
			}
			ratio = fmt.Sprintf("%.2f", median(ratios))
		}
		fmt.Printf("%-18s %-24s %9.0f %11v %11v %10v %8s %9.2f %7.1f\n", s.name, name,
			pick(rs, func(r result) float64 { return r.PerSecond }),
			time.Duration(pick(rs, func(r result) float64 { return float64(r.P50) })).Round(100*time.Nanosecond),
			time.Duration(pick(rs, func(r result) float64 { return float64(r.P99) })).Round(100*time.Nanosecond),
			time.Duration(pick(rs, func(r result) float64 { return float64(r.CPU) })).Round(100*time.Nanosecond),
			ratio,
			pick(rs, func(r result) float64 { return r.Switches }),
			pick(rs, func(r result) float64 { return r.Allocs }))
	}
	return nil
}

func pick(rs []result, of func(result) float64) float64 {
	values := make([]float64, len(rs))
	for i, r := range rs {
		values[i] = of(r)
	}
	return median(values)
}

func median(values []float64) float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values[len(values)/2]
}

// run runs one scenario with one client in a process of its own, against a canned
// broker in another.
func (b *build) run(s scenario, client string) (r result, err error) {
	server := exec.Command(b.binary, "serve")
	hold, err := server.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := server.Start(); err != nil {
		return r, err
	}
	defer func() {
		_ = hold.Close() // which ends it
		_ = server.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return r, err
	}
	addresses := strings.Fields(line)
	address := addresses[0]
	if s.relayed {
		address = addresses[1]
	}
	kind, with, _ := strings.Cut(client, " ")
	text, err := exec.Command(b.binary, "measure", "-client", kind, fmt.Sprintf("-cancelable=%v", with != ""),
		"-scenario", s.name, "-address", address).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return r, fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}
