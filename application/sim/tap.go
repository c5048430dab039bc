package sim

import (
	"errors"
	"io"

	"brokerconn/ports"
)

// tap is a transport that counts what it gives to the connection.
type tap struct {
	ports.Transport
	c *Coverage
}

func (t tap) Resolve(host string, port uint16) ports.Lookup {
	return &tappedLookup{t.Transport.Resolve(host, port), t.c}
}

func (t tap) Open(ep ports.Endpoint) ports.Link {
	return &tappedLink{Link: t.Transport.Open(ep), c: t.c}
}

type tappedLookup struct {
	ports.Lookup
	c *Coverage
}

func (l *tappedLookup) Result() (eps []ports.Endpoint, err error) {
	if eps, err = l.Lookup.Result(); !errors.Is(err, ports.ErrWouldBlock) {
		l.c.event(eventLookup)
	}
	return eps, err
}

func (l *tappedLookup) Watch(f func()) { l.Lookup.(ports.Watcher).Watch(f) }

type tappedLink struct {
	ports.Link
	c     *Coverage
	stage ports.Stage
	short bool // the last Send did not take all
}

func (l *tappedLink) Stage() (ports.Stage, error) {
	stage, err := l.Link.Stage()
	switch {
	case err != nil && !errors.Is(err, ports.ErrWouldBlock):
		l.c.event(eventNoStage)
	case stage != l.stage:
		l.c.event(eventStage)
	}
	l.stage = stage
	return stage, err
}

func (l *tappedLink) Send(p []byte) (int, error) {
	n, err := l.Link.Send(p)
	if l.short && n > 0 {
		l.c.event(eventWritable)
	}
	l.short = n < len(p)
	l.failed(err)
	return n, err
}

func (l *tappedLink) Recv(p []byte) (int, error) {
	n, err := l.Link.Recv(p)
	if n > 0 {
		l.c.event(eventReadable)
	}
	l.failed(err)
	return n, err
}

func (l *tappedLink) failed(err error) {
	switch {
	case err == nil, errors.Is(err, ports.ErrWouldBlock):
	case errors.Is(err, io.EOF):
		l.c.event(eventEnd)
	default:
		l.c.event(eventReset)
	}
}

func (l *tappedLink) Watch(f func()) { l.Link.(ports.Watcher).Watch(f) }
