//go:build acceptance && matrix

package acceptance

import "testing"

// Every release that this package was tried with, each in the mode that is usual in
// it, and some in the other: half an hour, and 800 MB of jars.
func TestEveryRelease(t *testing.T) {
	for _, c := range []struct {
		mode     Mode
		versions []string
	}{
		{DefaultMode, []string{
			"0.8.0", "0.8.1.1", "0.8.2.2", "0.9.0.0", "0.9.0.1", "0.10.0.0", "0.10.0.1", "0.10.1.1", "0.10.2.2", "0.11.0.3",
			"1.0.2", "1.1.1", "2.0.1", "2.1.1", "2.2.2", "2.3.1", "2.4.1", "2.5.1", "2.6.3", "2.7.2", "2.8.2",
			"3.0.2", "3.1.2", "3.2.3", "3.3.2", "3.4.1", "3.5.2", "3.6.2", "3.7.2", "3.8.1", "3.9.2",
			"4.0.2", "4.1.2", "4.2.1", "4.3.1", "4.4.0",
		}},
		{ZooKeeper, []string{"3.4.1", "3.9.2"}},
		{KRaft, []string{"2.8.2", "3.0.2"}},
	} {
		for _, version := range c.versions {
			t.Run(version+" "+c.mode.String(), func(t *testing.T) {
				liveAndDie(t, Config{Version: version, Mode: c.mode})
			})
		}
	}
}

// What each age has of SASL and of TLS.
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
