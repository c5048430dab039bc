// Package memory is a transport without sockets, goroutines or time. The test is the
// broker at the other end, on the same goroutine if it wants:
//
//	t := memory.New()
//	link := t.Open(ports.Endpoint{Network: "memory", Address: "broker:9092"})
//	peer := t.Accept()       // the broker's end of that link
//	peer.Send(answer)        // link.Recv returns it
//	peer.Close()             // link.Recv: the rest of answer, then io.EOF
//
// Each call has its whole effect before it returns: bytes sent can be received, an
// opened link is established. To delay a lookup or a dial, hold it and release it
// later, see [Transport.HoldLookup] and [Transport.HoldDial].
//
// A watcher is called within the call of the other end that caused the change, before
// that call returns. If the change came before Watch, Watch calls f on a new goroutine,
// because its contract forbids a call within Watch. A test on one goroutine that calls
// Watch only after ErrWouldBlock never needs that goroutine.
//
// One mutex guards a transport and all its links, so any method may be called from any
// goroutine; watchers are called without it.
package memory

import (
	"net"
	"strconv"
	"sync"

	"brokerconn/ports"
)

// Transport is a ports.Transport and its script. The zero value is ready.
type Transport struct {
	// Capacity is the number of bytes that one direction of a link holds before Send
	// returns ErrWouldBlock. If zero, there is no bound. It is read by Open.
	Capacity int

	mu      sync.Mutex
	hosts   map[string]*hostScript
	dials   map[string]*dialScript
	waiting []*Peer // established and not accepted yet
}

// hostScript is the script of one host.
type hostScript struct {
	hold
	endpoints []ports.Endpoint
	err       error
}

// dialScript is the script of one address.
type dialScript struct {
	hold
	err error
}

// hold keeps lookups or dials pending until they are released.
type hold struct {
	held    bool
	pending []func() (wake func()) // each ends one as scripted at that time
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

// SetAddresses makes later lookups of host return these endpoints unchanged. Without
// endpoints, lookups return the default again.
func (t *Transport) SetAddresses(host string, eps ...ports.Endpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host(host).endpoints = append([]ports.Endpoint(nil), eps...)
}

// FailLookup makes lookups of host fail with err; with nil they succeed again.
func (t *Transport) FailLookup(host string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host(host).err = err
}

// RefuseDial makes dials of address fail with err; with nil they succeed again.
func (t *Transport) RefuseDial(address string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dial(address).err = err
}

// HoldLookup keeps lookups of host pending until release is called. They then end as
// scripted at that time.
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

// Accept returns the broker's end of the oldest link that was established and not
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

// call calls watchers, without the mutex.
func call(wake ...func()) {
	for _, f := range wake {
		if f != nil {
			f()
		}
	}
}
