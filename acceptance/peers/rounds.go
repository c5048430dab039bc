package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bench is a run of everything.
type bench struct {
	base          string
	rounds, times int
	only, chart   string
	profiles      string // a folder; "": none
	anyLoad       bool
	today, past   *build
	found         map[string]map[string][]result // by workload and client, a result for each round
}

// built builds this program, calls do, and removes what was built.
func (b *bench) built(do func(tmp string) error) error {
	tmp, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if b.today, err = today(tmp); err != nil {
		return err
	}
	if b.profiles != "" {
		if b.today.profiles, err = filepath.Abs(b.profiles); err != nil {
			return err
		}
	}
	return do(tmp)
}

func (b *bench) run(tmp string) (err error) {
	if b.base != "" {
		if b.past, err = earlier(tmp, b.base); err != nil {
			return err
		}
	}
	missed := map[string]int{}
	for range b.times {
		if err := b.measure(os.Stdout); err != nil {
			return err
		}
		for _, name := range b.print(os.Stdout) {
			missed[name]++
		}
	}
	if b.chart != "" {
		if err := b.draw(b.chart); err != nil {
			return err
		}
	}
	var failed []string
	for _, r := range rows {
		if missed[r.name] > 1 {
			failed = append(failed, r.name)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d rows missed more than once in %d runs: %s", len(failed), len(rows), b.times,
			strings.Join(failed, "; "))
	}
	return nil
}

// measure does all rounds. In each the clients of a workload run in random order.
func (b *bench) measure(out io.Writer) error {
	load, err := b.quiet()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %s, %d processors, load average before %s, %d rounds\n", time.Now().Format(time.DateTime),
		runtime.Version(), runtime.NumCPU(), load, b.rounds)
	return b.repeat(workloads, func(w workload, client string) (result, error) {
		if client == base {
			return b.past.run(b.today, w, "conn")
		}
		return b.today.run(b.today, w, client)
	})
}

// repeat runs workloads, rounds times.
func (b *bench) repeat(list []workload, run func(w workload, client string) (result, error)) error {
	b.found = map[string]map[string][]result{}
	for range b.rounds {
		for _, w := range list {
			if b.only != "" && w.name != b.only {
				continue
			}
			clients := w.clients
			if w.base && b.past != nil {
				clients = append(slices.Clone(clients), base)
			}
			if err := b.turns(w, clients, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// turns runs a workload once with each client, in random order.
func (b *bench) turns(w workload, clients []string, run func(w workload, client string) (result, error)) error {
	clients = slices.Clone(clients)
	rand.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	for _, c := range clients {
		r, err := run(w, c)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", w.name, c, err)
		}
		if b.found[w.name] == nil {
			b.found[w.name] = map[string][]result{}
		}
		b.found[w.name][c] = append(b.found[w.name][c], r)
	}
	return nil
}

// most is the load average for each processor of a machine that has nothing else to do.
const most = 0.3

// quiet waits until the machine has no other load, for five minutes at most.
func (b *bench) quiet() (load string, err error) {
	for range 60 {
		text, err := os.ReadFile("/proc/loadavg")
		if err != nil {
			return "unknown", nil // not Linux
		}
		load, _, _ = strings.Cut(string(text), " ")
		value, err := strconv.ParseFloat(load, 64)
		if err != nil {
			return "", err
		}
		if b.anyLoad || value < most*float64(runtime.NumCPU()) {
			return load, nil
		}
		time.Sleep(5 * time.Second)
	}
	return "", fmt.Errorf("the load average is %s: the figures would be those of the other load", load)
}

// values returns a figure of each round, in order of size.
func (b *bench) values(f figure) (list []float64) {
	client, in := f.client, f.thanIn
	if client == "" {
		client = "conn"
	}
	if in == "" {
		in = f.workload
	}
	for i, r := range b.found[f.workload][client] {
		value := f.of.of(r)
		if f.than != "" {
			others := b.found[in][f.than]
			if i >= len(others) {
				return nil
			}
			value /= f.of.of(others[i])
		}
		list = append(list, value)
	}
	slices.Sort(list)
	return list
}

// quartiles of a sorted list.
func quartiles(list []float64) (low, middle, high float64) {
	n := len(list)
	return list[n/4], list[n/2], list[n-1-n/4]
}
