package memory

import (
	"net"

	"brokerconn/ports"
)

type lookup struct {
	t         *Transport
	fallback  ports.Endpoint
	settled   bool
	endpoints []ports.Endpoint
	err       error
	watch     func()
}

var _ ports.Lookup = (*lookup)(nil)
var _ ports.Watcher = (*lookup)(nil)

// settle ends the lookup as scripted and returns the watcher to call.
func (l *lookup) settle(s *script) (wake func()) {
	if l.settled {
		return nil // closed while held
	}
	l.settled = true
	switch {
	case s.err != nil:
		l.err = s.err
	case len(s.endpoints) > 0:
		l.endpoints = append(l.endpoints, s.endpoints...)
	default:
		l.endpoints = []ports.Endpoint{l.fallback}
	}
	wake, l.watch = l.watch, nil
	return wake
}

// Result returns the addresses once they are known.
func (l *lookup) Result() ([]ports.Endpoint, error) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if !l.settled {
		return nil, ports.ErrWouldBlock
	}
	return l.endpoints, l.err
}

// Watch requests a call of f when the addresses are known.
func (l *lookup) Watch(f func()) {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	if l.settled {
		go f()
		return
	}
	l.watch = f
}

// Close ends a lookup in progress and drops its watcher.
func (l *lookup) Close() {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	l.watch = nil
	if !l.settled {
		l.settled, l.err = true, net.ErrClosed
	}
}
