//go:build acceptance

package versions

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"brokerconn/acceptance"
	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/kafkapython"
	"brokerconn/acceptance/need"
	"brokerconn/adapters/netlink"
)

// interpreters are the Pythons with a kafka-python, by its version; empty without Python.
var interpreters map[string]string

func TestMain(m *testing.M) {
	if run, code := acceptance.Gate(os.Stdout); !run {
		os.Exit(code)
	}
	var missing error
	interpreters, missing = kafkapython.Interpreters(context.Background(), kafkaPythons...)
	python := need.Extra{Name: "Python 3.8", Variable: "PARITY", Or: "ACCEPTANCE",
		Untested: "kafka-python is not asked which release a broker is."}
	if run, code := python.Package(os.Stdout, missing); !run && code != 0 {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

// TestVersionsOfAges has a broker for each way to detect a release; make version-matrix
// has all.
func TestVersionsOfAges(t *testing.T) { matrix(t, ages) }

func matrix(t *testing.T, subjects []acceptance.Variant) {
	asked := references(interpreters)
	var rows []row
	for _, s := range subjects {
		t.Run(s.String(), func(t *testing.T) {
			r := try(t, s, asked)
			rows = append(rows, r)
			for _, complaint := range r.wrong() {
				t.Error(complaint)
			}
		})
	}
	var table strings.Builder
	write(&table, rows)
	t.Logf("\n%s", &table)
}

// patience bounds the answer of this library, which has its own timeouts.
const patience = 20 * time.Second

// try starts a broker, has all libraries detect its release, and ends it.
func try(t *testing.T, s acceptance.Variant, asked []reference) row {
	t.Helper()
	b, err := acceptance.Start(t.Context(), acceptance.Config{Version: s.Version, Mode: s.Mode})
	fakebroker.Must(t, err)
	defer func() {
		fakebroker.Must(t, b.Close())
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := row{Variant: s, cost: new(tally)}
	began := time.Now()
	cfg := fakebroker.ConfigFor(t, b.Addr())
	cfg.Transport = &netlink.Transport{Dial: r.cost.dial}
	r.answer, r.err = ask(ctx, cfg)
	r.took = time.Since(began)
	r.other = make([]reply, len(asked))
	var all sync.WaitGroup // with 0.8 and 0.9 some wait for their timeouts
	for i, other := range asked {
		all.Go(func() {
			text, err := other.ask(t.Context(), b.Addr())
			if err != nil {
				t.Logf("%s: %v", other.name, err)
			}
			r.other[i] = reply{other.name, text, err}
		})
	}
	all.Wait()
	return r
}
