package probe

import (
	"fmt"
	"sync"
	"time"

	"brokerconn/application/broker"
)

// diary notes what the hooks of a connection tell.
type diary struct {
	lost chan struct{} // told each time the connection is lost

	mu       sync.Mutex
	last     time.Time // when the present part began
	setUp    []part
	connects int
}

// part is one part of setting up a connection.
type part struct {
	name   string
	took   time.Duration
	detail string
}

func (d *diary) hooks() *broker.Hooks {
	return &broker.Hooks{
		ResolveStart: func(string, uint16) { d.start() },
		ResolveDone: func(endpoints []broker.Endpoint, err error) {
			d.end("resolve", fmt.Sprintf("%d address(es)", len(endpoints)), err)
		},
		DialStart: func(broker.Endpoint) { d.start() },
		DialDone:  func(e broker.Endpoint, err error) { d.end("dial", e.Network+" "+e.Address, err) },
		Versions: func(_ broker.Endpoint, v *broker.Versions) {
			d.end("versions", fmt.Sprintf("ApiVersions v%d answered", v.RequestVersion()), nil)
		},
		StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			switch to {
			case broker.Connected:
				d.connects++
			case broker.Disconnected:
				select {
				case d.lost <- struct{}{}:
				default:
				}
			}
		},
	}
}

func (d *diary) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = time.Now()
}

// end ends a part, and begins the next.
func (d *diary) end(name, detail string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.connects > 0 || err != nil {
		return // later connections, and failures, are told otherwise
	}
	now := time.Now()
	d.setUp = append(d.setUp, part{name, now.Sub(d.last), detail})
	d.last = now
}

func (d *diary) parts() []part {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setUp
}

func (d *diary) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.connects
}
