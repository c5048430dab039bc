package simulation

import (
	"net"
	"slices"
	"strconv"
	"time"

	"brokerconn/ports"
)

// Network is a [ports.Transport] within a World. Use [NewNetwork].
type Network struct {
	w *World

	// Guarded by the mutex of the world.
	names  map[string]*name
	sites  map[string]*site
	live   []*Peer // of the links that are established and not closed
	opened int
	ever   int // opened

	conns     []*conn
	listeners []*Listener

	keeps       bool
	used, spare []*link // of a successor: those that were opened, and those to be opened
}

var _ ports.Transport = (*Network)(nil)

// NewNetwork returns a network on which every name has one address, host:port, and nothing
// listens.
func NewNetwork(w *World) *Network {
	return &Network{w: w, names: map[string]*name{}, sites: map[string]*site{}}
}

// Successor returns a network as NewNetwork does, which takes over the memory of n. Nothing of n and of
// its world is used afterwards: no link and no peer. n may be nil.
func (n *Network) Successor(w *World) *Network {
	if n == nil {
		n = &Network{}
	}
	for _, l := range n.used {
		l.clear()
	}
	fresh := NewNetwork(w)
	fresh.keeps, fresh.spare = true, append(n.spare, n.used...)
	clear(n.used)
	fresh.used = n.used[:0]
	return fresh
}

// newLink returns a link that is zero but for its memory.
func (n *Network) newLink() *link {
	last := len(n.spare) - 1
	if last < 0 {
		n.spare, last = append(n.spare, new(link)), 0
	}
	l := n.spare[last]
	n.spare = n.spare[:last]
	if n.keeps {
		n.used = append(n.used, l)
	}
	return l
}

// Name is what the lookup of a host meets. With the zero value it ends at once, with the address
// host:port.
type Name struct {
	// Addresses are host:port as they are dialed, in the order of the answer.
	Addresses []string
	// Rotate makes each lookup begin with the next address.
	Rotate bool
	// Delay is how long a lookup takes.
	Delay time.Duration
	// Silent lookups never end.
	Silent bool
	// Err, if not nil, is how lookups end.
	Err error
	// Secure and Verified are those of the endpoints; see [ports.Endpoint].
	Secure, Verified bool
}

// Site is what a dial of an address meets: the zero value is a listener at no distance.
type Site struct {
	// Path leads to the listener.
	Path Path
	// Refuse, if not nil, is how dials end, a round trip later.
	Refuse error
	// Silent sites never answer a dial.
	Silent bool
	// Handshake is how long a link to a Secure endpoint is in StageSecuring.
	Handshake time.Duration
	// HandshakeErr, if not nil, is how that stage ends.
	HandshakeErr error
	// Accept is called with the other end of each link, at the instant at which the link is
	// established. If nil, the ends wait for Network.Accept.
	Accept func(*Peer)
}

// Path is how bytes travel, in each direction. With the zero value they arrive at the instant at
// which they are sent, as one piece.
type Path struct {
	// Latency is how long a byte takes. A round trip is twice as long.
	Latency time.Duration
	// Jitter is added to it, drawn from 0 to Jitter for each piece. Pieces never overtake
	// each other.
	Jitter time.Duration
	// Bandwidth is in bytes per second; 0: without limit.
	Bandwidth int64
	// Window is how many bytes may be on the way or unread; 0 is 64 KiB.
	Window int
	// Piece returns how many of n bytes that were sent together arrive together; the rest is
	// asked for again. The result is taken as at least 1 and at most n. If nil, all do.
	Piece func(n int) int
	// PieceIn is Piece for what the peer sends. If nil, it is Piece.
	PieceIn func(n int) int
	// Take returns how many of n bytes a Send of the link takes, at most. It may return 0:
	// the link is ready for more after a millisecond. If nil, Send takes what the Window has
	// room for.
	Take func(n int) int
}

type name struct {
	Name
	looked int // up, ever
}

type site struct {
	Site
	draw    *Stream
	waiting []*Peer
}

// SetName replaces what later lookups of host meet.
func (n *Network) SetName(host string, to Name) {
	to.Addresses = slices.Clone(to.Addresses)
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.names[host] = &name{Name: to}
}

// SetSite replaces what later dials of an address meet. Links that exist keep their path.
func (n *Network) SetSite(address string, to Site) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	s := n.sites[address]
	if s == nil {
		s = &site{draw: n.w.stream("network " + address)}
		n.sites[address] = s
	}
	s.Site = to
}

// Remove ends the listener at an address: later dials are refused. Links that exist remain.
func (n *Network) Remove(address string) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	delete(n.sites, address)
}

// Accept returns the other end of the link to the address that was established first and not
// accepted yet, or nil.
func (n *Network) Accept(address string) *Peer {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	s := n.sites[address]
	if s == nil || len(s.waiting) == 0 {
		return nil
	}
	p := s.waiting[0]
	s.waiting = s.waiting[1:]
	return p
}

// Live returns the other ends of the links that are established and not closed, in the order in
// which they were opened.
func (n *Network) Live() []*Peer {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.forgetEnded()
	return slices.Clone(n.live)
}

// forgetEnded drops the links that have ended from live.
func (n *Network) forgetEnded() {
	n.live = slices.DeleteFunc(n.live, func(p *Peer) bool { return p.l.over() })
}

// Opened returns how many links are open: those that the program has opened and not closed, also
// those that are dialed.
func (n *Network) Opened() int {
	if n.w.mu.unused { // short enough to be inlined
		return n.opened
	}
	return n.openedLocked()
}

func (n *Network) openedLocked() int {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	return n.opened
}

// Resolve starts a lookup.
func (n *Network) Resolve(host string, port uint16) ports.Lookup {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	l := &lookup{w: n.w}
	l.rouse.of = occurrence(l.wake)
	known := n.names[host]
	if known == nil {
		known = &name{}
		n.names[host] = known
	}
	if known.Silent {
		return l
	}
	l.found.of = occurrence(func() func() { return l.end(known.Name, known.answer(host, port)) })
	n.w.schedule(&l.found, n.w.now+int64(known.Delay))
	return l
}

func (k *name) answer(host string, port uint16) (eps []ports.Endpoint) {
	addresses := k.Addresses
	if len(addresses) == 0 {
		addresses = []string{net.JoinHostPort(host, strconv.Itoa(int(port)))}
	}
	first := 0
	if k.Rotate {
		first = k.looked % len(addresses)
	}
	k.looked++
	for i := range addresses {
		eps = append(eps, ports.Endpoint{Host: host, Network: "simulated",
			Address: addresses[(first+i)%len(addresses)], Secure: k.Secure, Verified: k.Verified})
	}
	return eps
}

// lookup is one lookup in progress.
type lookup struct {
	w     *World
	found event
	rouse event // watch is called for a lookup that has ended
	done  bool
	eps   []ports.Endpoint
	err   error
	watch func()
}

var _ ports.Watcher = (*lookup)(nil)

func (l *lookup) end(as Name, eps []ports.Endpoint) (wake func()) {
	if l.done = true; as.Err != nil {
		l.err = as.Err
	} else {
		l.eps = eps
	}
	return l.wake()
}

func (l *lookup) wake() (after func()) {
	after, l.watch = l.watch, nil
	return after
}

// Result returns the addresses once they are known.
func (l *lookup) Result() ([]ports.Endpoint, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if !l.done {
		return nil, ports.ErrWouldBlock
	}
	return l.eps, l.err
}

// Watch requests a call of f when the lookup ends.
func (l *lookup) Watch(f func()) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.watch = f; l.done {
		l.w.schedule(&l.rouse, l.w.now)
	}
}

// Close gives the lookup up.
func (l *lookup) Close() {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.cancel(&l.found)
	l.w.cancel(&l.rouse)
	if l.watch = nil; !l.done {
		l.done, l.err = true, net.ErrClosed
	}
}
