package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
)

// floor is a bare socket: one goroutine, frames that were made before, no correlation ids, no futures, no timeouts,
// no cancelling. Nothing that speaks the protocol can be below it on the same socket: it makes the system calls that
// have to be made and no other work. With a window it writes as many requests at once as fit, and reads as many
// answers at once as have come.
type floor struct {
	conn   net.Conn
	in     *bufio.Reader
	frames map[kind][]byte // window frames of the kind, one behind the other
	body   []byte          // of a large answer that is only looked at
	size   int             // of what is fetched
}

func dialFloor(address string, link linkKind, authority string) (client, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if link == secure {
		config, err := trusting(authority)
		if err != nil {
			return nil, err
		}
		c = tls.Client(c, config)
	}
	f := &floor{conn: c, in: bufio.NewReaderSize(c, 64<<10), frames: map[kind][]byte{}, size: payload}
	return f, f.roundTrip(frameOf(keyAPIVersions, 0, nil)) // as each client does before its first request
}

func frameOf(key, version byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(10+len(body)))
	b = append(b, 0, key, 0, version, 0, 0, 0, 1, 0, 0) // correlation id 1, no client id
	return append(b, body...)
}

func (f *floor) heartbeat(context.Context) error { return f.roundTrip(heartbeatFrame) }

var heartbeatFrame = frameOf(keyHeartbeat, 1, nil)

func (f *floor) poll(_ context.Context, millis uint32) error {
	return f.roundTrip(frameOf(keyFetch, 4, fetchBody(millis, 0)))
}

func (f *floor) roundTrip(frame []byte) error {
	if _, err := f.conn.Write(frame); err != nil {
		return err
	}
	size, err := f.next()
	if err == nil {
		_, err = f.in.Discard(size)
	}
	return err
}

func (f *floor) next() (size int, err error) {
	head, err := f.in.Peek(4)
	if err != nil {
		return 0, err
	}
	size = int(binary.BigEndian.Uint32(head))
	_, err = f.in.Discard(4)
	return size, err
}

func (f *floor) pipeline(_ context.Context, what kind, window, n int) error {
	one := f.frame(what)
	frames := f.frames[what]
	if frames == nil && what != produce { // a large one is written alone
		for range window {
			frames = append(frames, one...)
		}
		f.frames[what] = frames
	}
	for sent, received := 0, 0; received < n; {
		if room := min(window-(sent-received), n-sent); room > 0 {
			out := one
			if what == produce {
				room = 1
			} else {
				out = frames[:room*len(one)]
			}
			if _, err := f.conn.Write(out); err != nil {
				return err
			}
			if sent += room; what == produce && sent-received < window && sent < n {
				continue
			}
		}
		got, err := f.receive(what)
		if err != nil {
			return err
		}
		received += got
	}
	return nil
}

func (f *floor) frame(what kind) []byte {
	switch what {
	case small:
		return heartbeatFrame
	case produce:
		return largeFrame
	default:
		return frameOf(keyFetch, 4, fetchBody(0, f.size))
	}
}

var largeFrame = frameOf(keyProduce, 3, produceRequestBody())

// receive takes the answers that have come, one at least.
func (f *floor) receive(what kind) (n int, err error) {
	for {
		size, err := f.next()
		if err != nil {
			return n, err
		}
		switch what {
		case fetch:
			_, err = io.ReadFull(f.in, make([]byte, size))
		case borrow:
			if cap(f.body) < size {
				f.body = make([]byte, size)
			}
			_, err = io.ReadFull(f.in, f.body[:size])
		default:
			_, err = f.in.Discard(size)
		}
		if err != nil {
			return n, err
		}
		if n++; f.in.Buffered() == 0 || size > 16<<10 { // the next request does not wait behind large answers
			return n, nil
		}
	}
}

func (f *floor) close() { _ = f.conn.Close() }
