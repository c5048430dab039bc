package sim

import (
	"bytes"
	"encoding/binary"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/domain"
	"brokerconn/ports"
)

// tap is the network as the connection uses it. It sees each call, and each byte that is sent.
type tap struct {
	*simulation.Network
	r              *run
	link           *tapped // the newest; nil before the first
	sent, received int     // bytes, of all links
}

// Resolve begins a lookup.
func (t *tap) Resolve(host string, port uint16) ports.Lookup {
	lookup := t.Network.Resolve(host, port)
	if t.r.cover == nil {
		return lookup
	}
	return &coveredLookup{lookup, lookup.(ports.Watcher), t.r.cover}
}

// Open opens a link that is watched.
func (t *tap) Open(ep ports.Endpoint) ports.Link {
	link, l := t.Network.Open(ep), t.r.memory.newLink()
	l.Link, l.Watcher, l.t, l.check, l.readyAt = link, link.(ports.Watcher), t, &t.r.check, -1
	t.link = l
	t.r.check.opened(ep.Address)
	return l
}

// tapped is one link.
type tapped struct {
	ports.Link
	ports.Watcher
	t        *tap
	check    *checker
	closed   bool
	watch    func()
	received int
	readyAt  int // received, when the connection became ready; -1: it did not

	probed  bool       // a probe for an old release was sent
	used    bool       // a request of the owner was sent: the login is over, also by GSSAPI's last token
	partial []byte     // of the frame that is being sent
	lastID  int32      // of the last whole frame
	due     []*request // admitted on this link, and not sent whole

	stage ports.Stage // the last that was reported
	short bool        // the last Send did not take all,
	ended bool        // or failed
}

// takes reports whether the link took all that it was given, and may be given more.
func (l *tapped) takes() bool { return !l.closed && !l.short && !l.ended }

// ready means that requests are admitted.
func (l *tapped) ready() { l.readyAt = l.received }

// proven reports whether the newest link led to a broker: one that let the connection become ready
// and answered, behind the login if there is one.
func (t *tap) proven() bool {
	switch l := t.link; {
	case l == nil || l.readyAt < 0:
		return false
	case t.r.plan.Setup.Login && !t.r.plan.Setup.Expect: // otherwise ApiVersions may be answered behind it
		return l.received > l.readyAt
	default:
		return l.received > 0
	}
}

// use is a call of the connection's.
func (l *tapped) use(call string) {
	if l.closed || l.t.link != l {
		l.check.fail("no old link", "%s of a link that was closed, or is not the newest", call)
	}
}

// rests checks that the connection comes to rest, and does not ask the link for the same without end.
func (c *checker) rests() {
	if c.calls++; c.calls > maxBusy { // short enough to be inlined
		c.failBusy()
	}
}

func (c *checker) failBusy() {
	c.fail("goes on", "the link was asked %d times at one instant", c.calls)
	panic("the connection does not come to rest") // it ends the link, and so the loop
}

// Stage passes a call on.
func (l *tapped) Stage() (ports.Stage, error) {
	l.use("Stage")
	l.check.rests()
	stage, err := l.Link.Stage()
	l.t.r.cover.staged(stage > l.stage, err)
	l.stage = stage
	return stage, err
}

// Send reads what is sent.
func (l *tapped) Send(p []byte) (int, error) {
	l.use("Send")
	n, err := l.Link.Send(p)
	l.t.r.cover.sent(l.short && n > 0, err)
	l.ended = l.ended || err != nil && !ports.WouldBlock(err)
	if l.short = n < len(p); n > 0 {
		l.t.sent += n
		if len(l.partial) == 0 { // most are sent whole
			l.partial = append(l.partial, l.cut(p[:n])...)
			return n, err
		}
		l.partial = append(l.partial, p[:n]...)
		l.partial = l.partial[:copy(l.partial, l.cut(l.partial))]
	}
	return n, err
}

const (
	// maxAhead is how much memory may be there for bytes that have not come, of a peer that is not
	// logged in, and maxAheadReady that of another one.
	maxAhead      = 64 << 10
	maxAheadReady = 4 << 20
)

// Recv checks how much memory there is for what is received.
func (l *tapped) Recv(p []byte) (int, error) {
	l.use("Recv")
	most := maxAhead
	if l.check.state == domain.Connected {
		most = max(maxAheadReady, l.received)
	}
	if len(p) > most || len(p) > maxFrame+maxAhead {
		l.check.fail("memory", "%d bytes of memory for what has not come, after %d bytes, in state %v",
			len(p), l.received, l.check.state)
	}
	l.check.rests()
	n, err := l.Link.Recv(p)
	if cover := l.t.r.cover; cover != nil {
		cover.received(n, err)
	}
	l.received += n
	l.t.received += n
	return n, err
}

// Watch passes a call on.
func (l *tapped) Watch(f func()) {
	l.use("Watch")
	l.watch = f
	l.Watcher.Watch(f)
}

// lateWake is when the function of a link's last Watch is called, after its end. A call without
// need is allowed, and changes nothing.
const lateWake = time.Millisecond

// Close is the end of a link.
func (l *tapped) Close() error {
	if !l.closed && l.watch != nil {
		l.t.r.w.At(l.t.r.w.Now().Add(lateWake), l.watch)
	}
	l.closed = true
	return l.Link.Close()
}

// cut takes the whole frames from what was sent, and returns the rest.
func (l *tapped) cut(rest []byte) []byte {
	for len(rest) >= 4 && len(rest)-4 >= int(binary.BigEndian.Uint32(rest)) {
		size := 4 + int(binary.BigEndian.Uint32(rest))
		l.frame(rest[4:size])
		rest = rest[size:]
	}
	return rest
}

// headerBytes is the size of a request's header with the client id, without tagged fields, and
// headersClientID the client id in it, behind its size. A nonce may have the letters alone.
const (
	headerBytes     = 8 + 2 + len(clientID)
	headersClientID = "\x00\x03" + clientID
)

// frame is a frame that was sent whole. Only tokens of an old login have no header.
func (l *tapped) frame(frame []byte) {
	if len(frame) < headerBytes || string(frame[8:headerBytes]) != headersClientID {
		if !l.check.r.plan.Setup.Raw || l.used {
			l.check.fail("whole frames", "% x was sent as a frame", frame)
		}
		return
	}
	if id := int32(binary.BigEndian.Uint32(frame[4:])); id != l.lastID+1 {
		l.check.fail("whole frames", "correlation id %d was sent after %d", id, l.lastID)
	} else {
		l.lastID = id
	}
	key, body := int16(binary.BigEndian.Uint16(frame)), frame[headerBytes:]
	switch key {
	case keyProduce:
		body = body[min(2, len(body)):]
	case keyEcho:
	case ports.KeyListGroups, ports.KeyFindCoordinator, ports.KeyOffsetFetch, ports.KeyMetadata:
		l.probed = !l.asked(key, body) || l.probed
		return
	case ports.KeySASLHandshake:
		l.check.handshakeAt = l.t.r.w.Now()
		return
	case ports.KeyAPIVersions:
		l.check.askedAgain = l.check.askedAgain || l.probed
		return
	default:
		return
	}
	if len(l.due) == 0 {
		l.check.fail("whole frames", "a request was sent that is not due")
		return
	}
	q := l.due[0]
	l.due, l.used = without(l.due, 0), true
	q.whole = true
	if string(frame[headerBytes:]) != string(q.message.Body) || int64(binary.BigEndian.Uint64(body)) != q.number {
		l.check.fail("whole frames", "% x was sent as request %d", body, q.number)
	}
}

// asked reports whether a frame is that of the owner's next request, which is a message of the codec.
// The core's own Metadata, of a check, may still be ahead of it, and names no such topic.
func (l *tapped) asked(key int16, body []byte) bool {
	if key != ports.KeyMetadata || l.check.state != domain.Connected || len(l.due) == 0 || l.due[0].asked == nil ||
		!bytes.Contains(body, []byte(*l.due[0].asked.Topics[0].Topic)) {
		return false
	}
	l.due[0].whole = true
	l.due = without(l.due, 0)
	return true
}
