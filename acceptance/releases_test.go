//go:build acceptance

package acceptance

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
)

// TestOldRelease has one release with a ZooKeeper; make releases tries all of them.
func TestOldRelease(t *testing.T) { liveAndDie(t, Config{Version: "0.9.0.1"}) }

// liveAndDie starts a broker, restarts it after a kill and after a stop, and expects its
// topic each time; after Close nothing of it is left.
func liveAndDie(t *testing.T, config Config) {
	dir := tempDir(t)
	b := privateBroker(t, config)
	expectTopic(t, b, "made-by-asking")
	if b.release.mode == KRaft && config.Version == "2.8.2" {
		// The preview of KRaft cannot read its own registration once it is written.
		return
	}
	for _, end := range []func() error{b.Kill, func() error { return b.Stop(t.Context()) }} {
		fakebroker.Must(t, end())
		fakebroker.Must(t, b.Restart(t.Context()))
		expectTopic(t, b, "made-by-asking")
	}
	fakebroker.Must(t, b.Close())
	expectNothingLeft(t, dir)
}

// expectTopic asks for a topic with Metadata v0, which makes it if it is not there,
// until it has a leader.
func expectTopic(t *testing.T, b *Broker, name string) {
	t.Helper()
	eventually(t, "topic "+name, func() bool {
		response := call(t, b.Addr(), metadataOf(name)).(*kmsg.MetadataResponse)
		if len(response.Brokers) != 1 || len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
			return false
		}
		return response.Topics[0].Partitions[0].Leader == response.Brokers[0].NodeID
	})
}
