package matrix

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"sync"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/ports"
)

// transport returns that of the Conn of a cell.
func (w *wire) transport(proxy, proxyAt string, secure *httptest.Server) ports.Transport {
	switch {
	case proxy != "":
		return through(proxy, tcp.Dial(tcp.Options{}), proxyAt)
	case w.kind == "gap" && w.c.Phase != 'R':
		w.stop = newStop(framesBefore[w.c.Phase])
		fallthrough
	case w.kind == "hook":
		w.links = &links{Transport: tcp.New(tcp.Options{}), stop: w.stop}
		return w.links
	case w.kind == "narrow":
		return tcp.New(tcp.Options{SendBufferBytes: 4 << 10})
	case w.c.Phase == 'T':
		o := brokertls.Options{ServerName: "example.com"}
		if w.server.tls != nil {
			o.CAPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
		}
		transport, err := brokertls.New(tcp.New(tcp.Options{}), o)
		fakebroker.Must(w.t, err)
		return transport
	}
	return nil // the default
}

// links is a transport that keeps its last link.
type links struct {
	*netlink.Transport
	stop *stop // nil: the process is not stopped
	mu   sync.Mutex
	last ports.Link
}

func (l *links) Race(eps []ports.Endpoint, delay time.Duration) ports.RacingLink {
	link := l.Transport.Race(eps, delay)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = link
	if l.stop != nil {
		return l.stop.hold(link)
	}
	return link
}

// Prepare makes the connection use Race.
func (l *links) Prepare([]ports.Endpoint, time.Duration) ports.DrivenLink { return nil }

// unread reports whether something that has arrived lies there.
func (l *links) unread() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Is(l.last.(ports.Checker).Check(), ports.ErrUnread)
}
