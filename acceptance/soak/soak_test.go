//go:build acceptance && matrix

package soak

import (
	"flag"
	"testing"
	"time"

	"brokerconn/acceptance"
	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/need"
)

var (
	last = flag.Duration("soak.for", time.Hour, "how long the load lasts")
	seed = flag.Uint64("soak.seed", uint64(time.Now().UnixNano()), "what the callers do and which faults happen")
)

// maxSentences bounds the sentences that are printed of a soak in which much is broken.
const maxSentences = 40

// TestSoak is make soak.
func TestSoak(t *testing.T) {
	java := need.Extra{Name: "Java and Maven", Variable: "ACCEPTANCE", Untested: "No real broker was tried."}
	java.Test(t, acceptance.Requirements())
	t.Logf("make soak SOAK=%v SEED=%d", *last, *seed)
	b, err := acceptance.Start(t.Context(), Config())
	fakebroker.Must(t, err)
	defer func() { fakebroker.Must(t, b.Close()) }()
	broken, err := Run(t.Context(), Options{Broker: b, For: *last, Seed: *seed,
		Print: func(text string) { t.Log(text) }})
	for i, sentence := range broken {
		if i == maxSentences {
			t.Errorf("and %d more", len(broken)-i)
			break
		}
		t.Error(sentence)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, b.Log())
	}
}
