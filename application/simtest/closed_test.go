package simtest_test

import (
	"strings"
	"testing"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// A Conn that is not closed fails the seed, whatever the transport.
func TestConnLeftOpenFails(t *testing.T) {
	for name, c := range map[string]struct{ secure, blocks, closes bool }{
		"network":                {},
		"network, closed":        {closes: true},
		"blocking reads":         {blocks: true},
		"blocking reads, closed": {blocks: true, closes: true},
		"TLS":                    {secure: true},
		"TLS, closed":            {secure: true, closes: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := simtest.Check(t, simtest.Options{Seeds: 1, TLS: c.secure}, func(w *simtest.World) {
				cfg := w.Config(0)
				if c.blocks {
					cfg.Transport = w.Transport()
				}
				conn, err := broker.Dial(w.Context(), cfg)
				if err != nil {
					w.Fatalf("dial: %v", err)
				}
				w.Sleep(time.Minute)
				if c.closes {
					conn.Close()
				}
			})
			if got := f != nil && strings.Contains(f.Text, "Conn that was not closed"); got == c.closes {
				t.Errorf("got %v, want a failure: %v", f, !c.closes)
			}
		})
	}
}
