//go:build acceptance && matrix

package acceptance

import "testing"

// TestEveryRelease takes half an hour, and fetches 800 MB of jars.
func TestEveryRelease(t *testing.T) {
	for _, v := range EveryRelease {
		t.Run(v.String(), func(t *testing.T) { liveAndDie(t, Config{Version: v.Version, Mode: v.Mode}) })
	}
}

// TestEverySecuredBroker has every listener that a release can have.
func TestEverySecuredBroker(t *testing.T) {
	for _, version := range securedAges {
		t.Run(version, func(t *testing.T) {
			b := secured(t, version)
			t.Logf("listeners %s, mechanisms %s", b.listeners, b.Mechanisms())
			allListenersServe(t, b)
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
