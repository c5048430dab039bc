package sim

import (
	"errors"
	"io"

	"brokerconn/ports"
)

// tap is a transport that counts what it gives to the connection. It ends a step in which the
// connection does not come to rest.
type tap struct {
	ports.Transport
	r *run
}

func (t tap) Resolve(host string, port uint16) ports.Lookup {
	return &tappedLookup{t.Transport.Resolve(host, port), t.r}
}

func (t tap) Open(ep ports.Endpoint) ports.Link {
	return &tappedLink{Link: t.Transport.Open(ep), r: t.r}
}

type tappedLookup struct {
	ports.Lookup
	r *run
}

func (l *tappedLookup) Result() (eps []ports.Endpoint, err error) {
	if eps, err = l.Lookup.Result(); !errors.Is(err, ports.ErrWouldBlock) {
		l.r.cover.event(eventLookup)
	}
	return eps, err
}

func (l *tappedLookup) Watch(f func()) { l.Lookup.(ports.Watcher).Watch(f) }

type tappedLink struct {
	ports.Link
	r     *run
	stage ports.Stage
	short bool // the last Send did not take all
}

func (l *tappedLink) Stage() (ports.Stage, error) {
	stage, err := l.Link.Stage()
	switch {
	case err != nil && !errors.Is(err, ports.ErrWouldBlock):
		l.r.cover.event(eventNoStage)
	case stage != l.stage:
		l.r.cover.event(eventStage)
	}
	l.stage = stage
	return stage, err
}

func (l *tappedLink) Send(p []byte) (int, error) {
	n, err := l.Link.Send(p)
	if l.short && n > 0 {
		l.r.cover.event(eventWritable)
	}
	l.short = n < len(p)
	l.failed(err)
	return n, err
}

func (l *tappedLink) Recv(p []byte) (int, error) {
	if l.r.calls++; l.r.calls > maxBusy {
		l.r.check.fail("goes on", "the link was asked %d times at one instant", l.r.calls)
		panic("sim: the connection does not come to rest") // which it takes for a defect of the link
	}
	n, err := l.Link.Recv(p)
	if n > 0 {
		l.r.cover.event(eventReadable)
	}
	l.failed(err)
	return n, err
}

func (l *tappedLink) failed(err error) {
	switch {
	case err == nil, errors.Is(err, ports.ErrWouldBlock):
	case errors.Is(err, io.EOF):
		l.r.cover.event(eventEnd)
	default:
		l.r.cover.event(eventReset)
	}
}

func (l *tappedLink) Watch(f func()) { l.Link.(ports.Watcher).Watch(f) }
