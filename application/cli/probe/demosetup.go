package probe

import (
	"fmt"
	"time"

	"brokerconn/application/broker"
)

// setupLog records, by the hooks of a connection, how long each part of its first setup
// took, and when it was lost. The hooks of a connection are called one after the other, and
// the parts are read when it is ready.
type setupLog struct {
	lost chan struct{} // receives when the connection is lost

	partBegan time.Time
	parts     []demoStep
	connected bool
}

func (l *setupLog) hooks() *broker.Hooks {
	return &broker.Hooks{
		ResolveStart: func(string, uint16) { l.start() },
		ResolveDone: func(endpoints []broker.Endpoint, err error) {
			l.end("resolve", fmt.Sprintf("%d address(es)", len(endpoints)), err)
		},
		DialStart: func(broker.Endpoint) { l.start() },
		DialDone:  func(e broker.Endpoint, err error) { l.end("dial", e.Network+" "+e.Address, err) },
		Versions: func(_ broker.Endpoint, v *broker.Versions) {
			l.end("versions", fmt.Sprintf("ApiVersions v%d answered", v.RequestVersion()), nil)
		},
		StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
			l.connected = l.connected || to == broker.Connected
			if to == broker.Disconnected {
				select {
				case l.lost <- struct{}{}:
				default:
				}
			}
		},
	}
}

func (l *setupLog) start() { l.partBegan = time.Now() }

// end records a part, and starts the next. Later connections and failures are not
// recorded.
func (l *setupLog) end(name, detail string, err error) {
	if l.connected || err != nil {
		return
	}
	now := time.Now()
	l.parts = append(l.parts, demoStep{name, millis(now.Sub(l.partBegan)), detail})
	l.partBegan = now
}
