package simtest

import (
	"hash/maphash"
	"net"
	"sync"
	"time"

	"brokerconn/ports"
)

// traffic is what was sent and received by the program under test, connection by connection.
type traffic struct {
	trafficMu sync.Mutex
	links     int
	passed    []passed
}

// passed is bytes that went one way.
type passed struct {
	at       time.Duration
	link     int
	address  string
	received bool
	bytes    int
	sum      uint64
}

var sumSeed = maphash.MakeSeed()

func (w *World) pass(link int, address string, received bool, p []byte) {
	if len(p) == 0 {
		return
	}
	w.trafficMu.Lock()
	defer w.trafficMu.Unlock()
	w.passed = append(w.passed, passed{w.Elapsed(), link, address, received, len(p),
		maphash.Bytes(sumSeed, p)})
}

// transport returns what World.Config has: the network, with a record of what passes.
func (w *World) transport() ports.Transport { return recorded{w} }

type recorded struct{ w *World }

func (r recorded) Resolve(host string, port uint16) ports.Lookup {
	return &recordedLookup{r.w.net.Resolve(host, port), r.w}
}

func (r recorded) Open(ep ports.Endpoint) ports.Link {
	return &recordedLink{r.w.net.Open(ep), r.w, r.w.newLink(), ep.Address}
}

func (w *World) newLink() (number int) {
	w.trafficMu.Lock()
	defer w.trafficMu.Unlock()
	w.links++
	return w.links
}

type recordedLink struct {
	ports.Link
	w       *World
	number  int
	address string
}

var _ ports.Watcher = (*recordedLink)(nil)

func (l *recordedLink) Send(p []byte) (int, error) {
	n, err := l.Link.Send(p)
	l.w.pass(l.number, l.address, false, p[:n])
	return n, err
}

func (l *recordedLink) Recv(p []byte) (int, error) {
	n, err := l.Link.Recv(p)
	l.w.pass(l.number, l.address, true, p[:n])
	return n, err
}

// Watch is that of the network's links.
func (l *recordedLink) Watch(f func()) { l.Link.(ports.Watcher).Watch(l.w.rousing(f)) }

type recordedLookup struct {
	ports.Lookup
	w *World
}

var _ ports.Watcher = (*recordedLookup)(nil)

// Watch is that of the network's lookups.
func (l *recordedLookup) Watch(f func()) { l.Lookup.(ports.Watcher).Watch(l.w.rousing(f)) }

// recordedConn is the same for those who dial.
type recordedConn struct {
	net.Conn
	w       *World
	number  int
	address string
}

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.w.pass(c.number, c.address, true, p[:n])
	return n, err
}

func (c *recordedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.w.pass(c.number, c.address, false, p[:n])
	return n, err
}

// Check is that of the network's conns.
func (c *recordedConn) Check() error { return c.Conn.(ports.Checker).Check() }
