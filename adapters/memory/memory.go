// Package memory is a transport without sockets, goroutines or time. A test
// plays the broker on the other side, in the same goroutine if it likes:
//
//	t := memory.New()
//	link := t.Open(ports.Endpoint{Network: "memory", Address: "broker:9092"})
//	peer := t.Accept()       // the broker's side of that link
//	peer.Send(answer)        // link.Recv finds it
//	peer.Close()             // link.Recv: the rest of answer, then io.EOF
//
// Everything happens in the call that causes it: what was sent is there, a link
// that was opened is established. What should take its time is held until the
// test releases it, see [Transport.HoldLookup] and [Transport.HoldDial].
//
// A watcher is called by the call of the other side that made news, before that
// call returns. Only Watch itself, when there is news already, needs a goroutine
// to call f, since the contract forbids the caller's stack. A test on one
// goroutine that watches after ErrWouldBlock never gets there.
//
// One mutex covers a transport and all its links, so that any method may be
// called from any goroutine; watchers are called without it.
package memory

import (
	"net"
	"strconv"
	"sync"

	"brokerconn/ports"
)

// Transport is a ports.Transport and its script. The zero value is ready.
type Transport struct {
	// Capacity is how many bytes may be under way in one direction of a link
	// before Send takes no more. 0: no bound. Set it before Open.
	Capacity int

	mu      sync.Mutex
	hosts   map[string]*hostScript
	dials   map[string]*dialScript
	waiting []*Peer // established, and not accepted yet
}

// hostScript is what the test has said of one host.
type hostScript struct {
	hold
	endpoints []ports.Endpoint
	err       error
}

// dialScript is what the test has said of one address.
type dialScript struct {
	hold
	err error
}

// hold keeps what begins pending while the test wants it to.
type hold struct {
	held    bool
	pending []func() (wake func()) // settles it, as the script then says
}

func (h *hold) settle(now func() (wake func())) {
	if h.held {
		h.pending = append(h.pending, now)
		return
	}
	now()
}

var _ ports.Transport = (*Transport)(nil)

// New returns a transport on which every host has one address, host:port in
// network "memory", and every dial succeeds.
func New() *Transport { return &Transport{} }

// SetAddresses makes lookups of host, from now on, find these endpoints, as
// they stand. None: the one endpoint of the default.
func (t *Transport) SetAddresses(host string, eps ...ports.Endpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host(host).endpoints = append([]ports.Endpoint(nil), eps...)
}

// FailLookup makes lookups of host fail with err; nil lets them succeed again.
func (t *Transport) FailLookup(host string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host(host).err = err
}

// RefuseDial makes dials of address fail with err; nil lets them succeed again.
func (t *Transport) RefuseDial(address string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dial(address).err = err
}

// HoldLookup keeps lookups of host pending until release is called. They then
// end as the script says at that time.
func (t *Transport) HoldLookup(host string) (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keep(&t.host(host).hold)
}

// HoldDial keeps dials of address pending until release is called.
func (t *Transport) HoldDial(address string) (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keep(&t.dial(address).hold)
}

func (t *Transport) keep(h *hold) (release func()) {
	h.held = true
	return func() {
		t.mu.Lock()
		h.held = false
		var wake []func()
		for _, settle := range h.pending {
			wake = append(wake, settle())
		}
		h.pending = nil
		t.mu.Unlock()
		call(wake...)
	}
}

// Resolve starts, and unless held ends, a lookup.
func (t *Transport) Resolve(host string, port uint16) ports.Lookup {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.host(host)
	l := &lookup{t: t, fallback: ports.Endpoint{
		Host:    host,
		Network: "memory",
		Address: net.JoinHostPort(host, strconv.Itoa(int(port))),
	}}
	s.settle(func() func() { return l.settle(s) })
	return l
}

// Open opens a link; unless held or refused it is established at once.
func (t *Transport) Open(ep ports.Endpoint) ports.Link {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.dial(ep.Address)
	l := &link{t: t, endpoint: ep}
	l.out.capacity, l.in.capacity = t.Capacity, t.Capacity
	s.settle(func() func() { return l.settle(s) })
	return l
}

// Accept returns the other side of the link that was established first and not
// accepted yet, or nil.
func (t *Transport) Accept() *Peer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		return nil
	}
	p := t.waiting[0]
	t.waiting = t.waiting[1:]
	return p
}

func (t *Transport) host(name string) *hostScript {
	if t.hosts == nil {
		t.hosts = map[string]*hostScript{}
	}
	s := t.hosts[name]
	if s == nil {
		s = &hostScript{}
		t.hosts[name] = s
	}
	return s
}

func (t *Transport) dial(address string) *dialScript {
	if t.dials == nil {
		t.dials = map[string]*dialScript{}
	}
	s := t.dials[address]
	if s == nil {
		s = &dialScript{}
		t.dials[address] = s
	}
	return s
}

// call calls watchers, after the mutex was given back.
func call(wake ...func()) {
	for _, f := range wake {
		if f != nil {
			f()
		}
	}
}
