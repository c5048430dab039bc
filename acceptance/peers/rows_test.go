package main

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRowsAreMeasured: each figure of a row is of a workload and of clients that bench measures there.
func TestRowsAreMeasured(t *testing.T) {
	measured := func(name, client string) bool {
		i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
		return i >= 0 && (slices.Contains(workloads[i].clients, client) || client == base && workloads[i].base)
	}
	for _, r := range rows {
		for _, f := range r.figures {
			client, in := f.client, f.thanIn
			if client == "" {
				client = "conn"
			}
			if in == "" {
				in = f.workload
			}
			if !measured(f.workload, client) || f.than != "" && !measured(in, f.than) {
				t.Errorf("%s: nothing measures %v", r.name, f)
			}
			if (f.atLeast > 0) == (f.atMost > 0) {
				t.Errorf("%s: %v is at least %g and at most %g, want one of these", r.name, f, f.atLeast, f.atMost)
			}
		}
	}
	for name := range strings.SplitSeq(strings.Trim(charted, "|"), "|") {
		if !measured(name, "conn") || !measured(name, "floor") {
			t.Errorf("the chart has %s, which nothing measures", name)
		}
	}
}

// TestRatiosAreOfOneRound: a ratio is that of two results of the same round, and a figure the median of the ratios.
func TestRatiosAreOfOneRound(t *testing.T) {
	b := bench{found: map[string]map[string][]result{"64 async": {
		"conn":  {{PerSecond: 10}, {PerSecond: 200}, {PerSecond: 90}},
		"floor": {{PerSecond: 20}, {PerSecond: 1000}, {PerSecond: 100}},
	}}}
	f := figure{workload: "64 async", of: perSecond, than: "floor", atLeast: 0.5}
	got := b.values(f)
	if want := []float64{0.2, 0.5, 0.9}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if low, middle, high := quartiles(got); low != 0.2 || middle != 0.5 || high != 0.9 {
		t.Errorf("got the quartiles %v, %v, %v, want 0.2, 0.5, 0.9", low, middle, high)
	}
	var text strings.Builder
	missed := b.print(&text)
	const line = "0.50 (0.20 to 0.90)  at least 0.8  misses"
	if !slices.Contains(missed, "64 async, requests/s") || !strings.Contains(text.String(), line) {
		t.Errorf("got %q and\n%s, want that 0.50 misses 0.8", missed, text.String())
	}
}

// TestBrokerAnswersEachClient: each workload comes to an end with each of its clients, and counts what it did.
func TestBrokerAnswersEachClient(t *testing.T) {
	in, hold := pipe(t)
	out, addresses := pipe(t)
	done := make(chan error, 1)
	go func() { done <- serve(in, addresses, time.Millisecond) }()
	at := read(t, out)
	for _, c := range []string{"floor", "conn", "typed", "borrower", "polled", "franz", "sarama", "kafka-go"} {
		for _, link := range []linkKind{plain, secure, relayed} {
			if link != plain && (c == "polled" || c == "sarama" || c == "kafka-go") {
				continue
			}
			connected, err := dial(c, link, at, 5)
			if err != nil {
				t.Errorf("%s, %v: %v", c, link, err)
				continue
			}
			if err := connected.(caller).heartbeat(t.Context()); err != nil {
				t.Errorf("%s, %v: %v", c, link, err)
			}
			if p, ok := connected.(pipeliner); ok {
				for _, what := range []kind{small, produce, fetch, borrow} {
					if c == "typed" || c == "polled" && what != small || c == "franz" && what == borrow {
						continue
					}
					if err := p.pipeline(t.Context(), what, 5, 12); err != nil {
						t.Errorf("%s, %v, %v: %v", c, link, what, err)
					}
				}
			}
			connected.close()
		}
	}
	_ = hold.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func read(t *testing.T, from *os.File) addresses {
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Fields(line)
	return addresses{at[0], at[1], at[2], at[3]}
}
