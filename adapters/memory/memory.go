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
	"slices"
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
	hosts   scripts // of lookups, by host
	dials   scripts // by address
	waiting []*Peer // established and not accepted yet
}

type scripts map[string]*script

// script is how the lookups of a host, or the dials of an address, end.
type script struct {
	held      bool                   // they are pending until they are released
	pending   []func() (wake func()) // each ends one as scripted at that time
	endpoints []ports.Endpoint
	err       error
}

func (s *script) settle(now func() (wake func())) {
	if s.held {
		s.pending = append(s.pending, now)
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
	t.hosts.of(host).endpoints = slices.Clone(eps)
}

// FailLookup makes lookups of host fail with err; with nil they succeed again.
func (t *Transport) FailLookup(host string, err error) { t.fail(&t.hosts, host, err) }

// RefuseDial makes dials of address fail with err; with nil they succeed again.
func (t *Transport) RefuseDial(address string, err error) { t.fail(&t.dials, address, err) }

func (t *Transport) fail(in *scripts, name string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	in.of(name).err = err
}

// HoldLookup keeps lookups of host pending until release is called. They then end as
// scripted at that time.
func (t *Transport) HoldLookup(host string) (release func()) { return t.hold(&t.hosts, host) }

// HoldDial keeps dials of address pending until release is called.
func (t *Transport) HoldDial(address string) (release func()) { return t.hold(&t.dials, address) }

func (t *Transport) hold(in *scripts, name string) (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := in.of(name)
	s.held = true
	return func() {
		t.mu.Lock()
		s.held = false
		var wake []func()
		for _, settle := range s.pending {
			wake = append(wake, settle())
		}
		s.pending = nil
		t.mu.Unlock()
		call(wake...)
	}
}

// Resolve starts, and unless held ends, a lookup.
func (t *Transport) Resolve(host string, port uint16) ports.Lookup {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.hosts.of(host)
	address := net.JoinHostPort(host, strconv.Itoa(int(port)))
	l := &lookup{t: t, fallback: ports.Endpoint{Host: host, Network: "memory", Address: address}}
	s.settle(func() func() { return l.settle(s) })
	return l
}

// Open opens a link; unless held or refused it is established at once.
func (t *Transport) Open(ep ports.Endpoint) ports.Link {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.dials.of(ep.Address)
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

// of returns the script of a name, which is empty at first.
func (s *scripts) of(name string) *script {
	if *s == nil {
		*s = scripts{}
	}
	if (*s)[name] == nil {
		(*s)[name] = &script{}
	}
	return (*s)[name]
}

// call calls watchers, without the mutex.
func call(wake ...func()) {
	for _, f := range wake {
		if f != nil {
			f()
		}
	}
}
