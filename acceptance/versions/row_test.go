package versions

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance"
	"brokerconn/application/broker"
)

// TestBrokersAreListedOnce also holds that the matrix of all brokers has those of ages.
func TestBrokersAreListedOnce(t *testing.T) {
	if len(acceptance.EveryRelease) != 40 {
		t.Errorf("got %d brokers, want 40", len(acceptance.EveryRelease))
	}
	seen := map[string]bool{}
	for _, s := range slices.Concat(acceptance.EveryRelease, otherPatches) {
		if seen[s.String()] {
			t.Errorf("%s is listed twice", s)
		}
		seen[s.String()] = true
	}
	for _, s := range ages {
		if !seen[s.String()] {
			t.Errorf("%s is in ages, and in no other list", s)
		}
	}
}

// TestWrong has one row for each fault.
func TestWrong(t *testing.T) {
	old, modern := acceptance.In(acceptance.ZooKeeper, "0.8.2.2")[0], acceptance.In(acceptance.KRaft, "3.4.1")[0]
	r34, r08 := broker.Release{Major: 3, Minor: 4}, broker.Release{Minor: 8, Patch: 2}
	for _, c := range []struct {
		name   string
		modern bool
		change func(*row)
		want   []string
	}{
		{"right", true, func(*row) {}, nil},
		{"right, and old", false, func(r *row) { r.cost.connections, r.cost.roundTrips = 7, 8 }, nil},
		{"lineage", true, func(r *row) { r.lineage = "KRaft broker" }, nil},
		{"another release", true, func(r *row) { r.text, r.exact = "3.3", broker.Release{Major: 3, Minor: 3} },
			[]string{`"3.3"`}},
		{"no exact one", true, func(r *row) { r.text, r.exact = "between 3.3 and 3.4", broker.Release{} },
			[]string{"between 3.3 and 3.4"}},
		{"an error", true, func(r *row) { r.answer, r.err = answer{}, errors.New("no such luck") },
			[]string{"no such luck"}},
		{"others know better", true, func(r *row) {
			r.exact = broker.Release{}
			r.other = []reply{{name: "one", text: "3.4"}, {name: "another", text: "at least 3.4"},
				{name: "third", text: "3.4", err: errors.New("cannot")}}
		}, []string{"want 3.4", "one says so"}},
		{"others know worse", true, func(r *row) { r.other = []reply{{name: "one", text: "3.3"}} }, nil},
		{"another lineage", true, func(r *row) { r.lineage = "KRaft controller" }, []string{"want a KRaft broker"}},
		{"two connections", true, func(r *row) { r.cost.connections = 2 },
			[]string{"got 2 connections, want at most 1"}},
		{"three round trips", true, func(r *row) { r.cost.roundTrips = 3 },
			[]string{"got 3 round trips, want at most 2"}},
		{"two round trips from 3.9 on", true, func(r *row) {
			r.Version, r.exact = "3.9.2", broker.Release{Major: 3, Minor: 9}
		}, []string{"got 2 round trips, want at most 1"}},
		{"eight connections", false, func(r *row) { r.cost.connections = 8 },
			[]string{"got 8 connections, want at most 7"}},
		{"a timeout", false, func(r *row) { r.cost.silences = 1 }, []string{"ended with a timeout"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := row{Variant: old, answer: answer{text: "0.8.2", exact: r08},
				cost: &tally{connections: 4, roundTrips: 4}}
			if c.modern {
				r = row{Variant: modern, answer: answer{text: "3.4", exact: r34},
					cost: &tally{connections: 1, roundTrips: 2}}
			}
			c.change(&r)
			got := r.wrong()
			if len(got) != len(c.want) {
				t.Fatalf("complaints %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("complaint %q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestTable(t *testing.T) {
	var got strings.Builder
	write(&got, []row{
		{Variant: acceptance.In(acceptance.ZooKeeper, "0.8.0")[0], err: errors.New("lost"),
			cost: &tally{connections: 6, roundTrips: 6}, took: 1234 * time.Microsecond,
			other: []reply{{name: "one", text: "0.8.0"}, {name: "another", err: errors.New("lost too")}}},
		{Variant: acceptance.In(acceptance.KRaft, "4.4.0")[0], cost: &tally{connections: 1, roundTrips: 1},
			answer: answer{"4.4", broker.Release{Major: 4, Minor: 4}, "KRaft broker",
				strings.Repeat("ä", 70) + "\nmore"},
			other: []reply{{name: "one", text: "2.6"}, {name: "another", text: "4.3"}}},
	})
	evidence := strings.Repeat("ä", 59)
	want := `BROKER  MODE       VERDICT  LINEAGE       CONNECTIONS  ROUND TRIPS  TIME  one    another  EVIDENCE
0.8.0   ZooKeeper  none     -             6            6            1ms   0.8.0  cannot   
4.4.0   KRaft      4.4      KRaft broker  1            1            0s    2.6    4.3      ` + evidence + `…
of 2 rows exact: ours 1, one 1, another 0
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
}

func TestReadPython(t *testing.T) {
	for line, want := range map[string]string{
		`{"version": "2.3.3", "release": [0, 8, 2], "error": ""}`:             "0.8.2",
		`{"version": "2.3.3", "release": [0, 9], "error": ""}`:                "0.9.0",
		`{"version": "2.3.3", "release": [0, 11], "error": ""}`:               "0.11.0",
		`{"version": "2.3.3", "release": [2, 6], "error": ""}`:                "2.6",
		`{"version": "2.3.3", "release": null, "error": "NodeNotReadyError"}`: "! NodeNotReadyError",

		`{"version": "3.0.12", "release": [2, 6], "error": ""}`:      "! got kafka-python 3.0.12, want 2.3.3",
		`{"version": "2.3.3", "release": [4], "error": ""}`:          "! got [4], want a release",
		`{"version": "2.3.3", "release": [4, 0, 0, 0], "error": ""}`: "! got [4 0 0 0], want a release",
		`Traceback`: `! got the line "Traceback"`,
	} {
		got, err := readPython([]byte(line), "2.3.3")
		if err != nil {
			got = "! " + err.Error()
		}
		if got != want && !(err != nil && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
