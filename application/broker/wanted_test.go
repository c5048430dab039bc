package broker_test

import (
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// TestSendWhileAHookRunsAndThePeerGoes: the loss waits behind the hook, and the request
// for a connection, which comes meanwhile, must outlive it.
func TestSendWhileAHookRunsAndThePeerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		slow.Store(true)
		cfg := (&fakebroker.Scripted{Answer: func(peer net.Conn, _ int16, _ int32) []byte {
			if slow.Load() {
				time.AfterFunc(time.Second, func() { peer.Close() })
				time.Sleep(time.Minute) // no answer
			}
			return make([]byte, 6)
		}}).Piped()
		cfg.Hooks = &broker.Hooks{RequestWritten: func(broker.RequestInfo) {
			if slow.Load() {
				time.Sleep(3 * time.Second)
			}
		}}
		conn := dial(t, cfg)
		time.Sleep(5 * time.Second) // the Conn's own reader is at work: it notices the loss
		go heartbeat(t.Context(), conn)
		time.Sleep(2 * time.Second)
		_, err := sendAndWait(t.Context(), conn, ask())
		slow.Store(false)
		wantError(t, err, broker.ErrNotConnected)
		time.Sleep(time.Minute)
		assert(t, conn.State() == broker.Connected, "a minute later: %v", conn.State())
	})
}
