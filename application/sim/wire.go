package sim

import (
	"encoding/binary"
	"fmt"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// listen returns the transport that the story listens to.
func (s *story) listen(t ports.Transport) ports.Transport {
	if s == nil {
		return t
	}
	return listener{t, s}
}

// listener is a transport that a story listens to.
type listener struct {
	ports.Transport
	s *story
}

func (l listener) Open(ep ports.Endpoint) ports.Link {
	w := &wire{Link: l.Transport.Open(ep), s: l.s, sent: map[int32]int{}, names: map[int32]string{}}
	l.s.wires = append(l.s.wires, w)
	l.s.add(theConnection, theNetwork, "dial %s", ep.Address)
	return w
}

// wire is a link that a story listens to. It finds the frames.
type wire struct {
	ports.Link
	s      *story
	conn   *model.Conn // its other end; nil: not known yet
	closed bool
	ended  bool
	raw    bool // the tokens of a login have frames of their own

	out, in []byte           // of frames that are not complete
	part    int              // the event of the first bytes of out
	sent    map[int32]int    // the event of each request, by its correlation id
	names   map[int32]string // of the requests
	answers []int            // the events of the answers that are on the way
}

func (w *wire) Stage() (ports.Stage, error) {
	stage, err := w.Link.Stage()
	w.failed(err)
	return stage, err
}

func (w *wire) Send(p []byte) (int, error) {
	n, err := w.Link.Send(p)
	w.transmitted(p[:n])
	w.failed(err)
	return n, err
}

func (w *wire) Recv(p []byte) (int, error) {
	n, err := w.Link.Recv(p)
	w.arrived(p[:n])
	w.failed(err)
	return n, err
}

func (w *wire) Close() error {
	if !w.closed {
		w.closed = true
		w.rest()
		if !w.ended {
			w.s.add(theConnection, theNetwork, "close")
		}
	}
	return w.Link.Close()
}

func (w *wire) Watch(f func()) { w.Link.(ports.Watcher).Watch(f) }

// failed is what a call of the link returned.
func (w *wire) failed(err error) {
	if err == nil || ports.WouldBlock(err) || w.ended {
		return
	}
	w.ended = true
	w.rest()
	w.s.add(theNetwork, theConnection, "%s", ended(err))
}

// rest is what was transmitted and received of frames that end too soon.
func (w *wire) rest() {
	if len(w.out) > 0 && w.part < len(w.s.chart.Events) {
		w.s.chart.Events[w.part].Text = fmt.Sprintf("the first %d bytes of %s", len(w.out), w.begun())
		w.out = nil
	}
	if len(w.in) > 0 {
		w.deliver(fmt.Sprintf("%d bytes that are no whole frame", len(w.in)))
		w.in = nil
	}
}

// cut returns the first frame of a stream, without its size field.
func cut(stream []byte) (frame, rest []byte, ok bool) {
	if len(stream) < 4 {
		return nil, stream, false
	}
	size := int(int32(binary.BigEndian.Uint32(stream)))
	if size < 0 || size > len(stream)-4 {
		return nil, stream, false
	}
	return stream[4 : 4+size], stream[4+size:], true
}

func (w *wire) transmitted(p []byte) {
	begun := len(w.out) > 0
	w.out = append(w.out, p...)
	for {
		frame, rest, ok := cut(w.out)
		if !ok {
			break
		}
		w.request(frame, begun)
		w.out, begun = rest, false
	}
	if len(w.out) == 0 || len(p) == 0 {
		return
	}
	if !begun {
		w.part = w.s.add(theConnection, theNetwork, "")
	}
	if w.part < len(w.s.chart.Events) {
		w.s.chart.Events[w.part].Text = "the first bytes of " + w.begun()
	}
}

// begun names the request that is being transmitted.
func (w *wire) begun() string {
	switch {
	case w.raw:
		return "a token"
	case len(w.out) < 12:
		return "a request"
	}
	return w.name(w.out[4:])
}

// request is a frame that was transmitted.
func (w *wire) request(frame []byte, begun bool) {
	if w.raw {
		w.s.add(theConnection, theBroker, "a token of %d bytes", len(frame))
		return
	}
	name, id := w.name(frame), int32(0)
	if len(frame) >= 8 {
		id = int32(binary.BigEndian.Uint32(frame[4:]))
		w.raw = int16(binary.BigEndian.Uint16(frame)) == ports.KeySASLHandshake && frame[3] == 0
	}
	w.names[id] = name
	if begun {
		name = "the rest of " + name
	}
	w.sent[id] = w.s.add(theConnection, theNetwork, "%s", name)
}

// name names a request by its first bytes: those of the owner by their number, others by their
// API and version.
func (w *wire) name(frame []byte) string {
	if len(frame) < 8 {
		return fmt.Sprintf("%d bytes", len(frame))
	}
	key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
	id := int32(binary.BigEndian.Uint32(frame[4:]))
	body := frame[8:]
	if len(body) >= 2 {
		body = body[min(len(body), 2+max(0, int(int16(binary.BigEndian.Uint16(body))))):]
	}
	if key == 0 && len(body) >= 2 {
		body = body[2:]
	}
	switch {
	case key != keyEcho && key != 0:
	case len(body) < 8:
		return fmt.Sprintf("a request, id %d", id)
	default:
		return fmt.Sprintf("request %d, id %d", binary.BigEndian.Uint64(body), id)
	}
	return fmt.Sprintf("%s v%d, id %d", kafkacodec.KeyName(key), version, id)
}

// arrived is what was received.
func (w *wire) arrived(p []byte) {
	w.in = append(w.in, p...)
	for {
		frame, rest, ok := cut(w.in)
		if !ok {
			return
		}
		w.in = rest
		text := fmt.Sprintf("%d bytes", len(frame))
		if len(frame) >= 4 {
			text = fmt.Sprintf("an answer with id %d", int32(binary.BigEndian.Uint32(frame)))
		}
		w.deliver(text)
	}
}

// deliver is the arrival of the next answer, or of bytes that nothing is known of.
func (w *wire) deliver(otherwise string) {
	if len(w.answers) == 0 {
		w.s.add(theNetwork, theConnection, "%s", otherwise)
		return
	}
	next := w.answers[0]
	w.answers = w.answers[1:]
	w.s.arrived(next, theConnection)
}
