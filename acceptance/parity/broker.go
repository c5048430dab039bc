package parity

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"
)

// scripted is the broker: real listeners on loopback, and connections that are
// read all the time, unless the script says otherwise. It acts only as the script says.
//
// Nothing here measures time. patience bounds the wait for an event that must come.
type scripted struct {
	listeners []net.Listener
	held      []net.Conn // keep the refused ports from being given to others
	accepted  chan net.Conn
	accepting sync.WaitGroup
	links     []*brokerLink
}

const patience = 20 * time.Second

// brokerLink is the broker's end of one connection.
type brokerLink struct {
	number   int
	conn     *net.TCPConn
	out      []byte // prepared and not sent
	sent     int64
	end      string // how the broker ended it
	frames   []frame
	printed  int // of frames
	answered int // of frames

	mu     sync.Mutex
	moved  sync.Cond
	paused bool
	in     []byte // not cut into frames yet
	got    int64
	err    error // of reading
}

// frame is one request as it came.
type frame []byte

func (f frame) key() int16     { return int16(binary.BigEndian.Uint16(f[4:])) }
func (f frame) version() int16 { return int16(binary.BigEndian.Uint16(f[6:])) }
func (f frame) id() int32      { return int32(binary.BigEndian.Uint32(f[8:])) }

// listen gives every address its port.
func listen(addresses []address) (*scripted, error) {
	b := &scripted{accepted: make(chan net.Conn, 16)}
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.close()
			return nil, err
		}
		addresses[i].Port = l.Addr().(*net.TCPAddr).Port
		if addresses[i].Kind == "refused" {
			err = b.refuse(l, &addresses[i])
			if err != nil {
				b.close()
				return nil, err
			}
			continue
		}
		b.listeners = append(b.listeners, l)
		b.accepting.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				b.accepted <- conn
			}
		})
	}
	return b, nil
}

// refuse makes a port that refuses connections: the local end of a connection is no
// listener, and while it is open, no other socket is given its port.
func (b *scripted) refuse(l net.Listener, a *address) error {
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	b.held = append(b.held, near)
	far, err := l.Accept()
	if err != nil {
		return err
	}
	b.held = append(b.held, far)
	a.Port = near.LocalAddr().(*net.TCPAddr).Port
	return nil
}

func (b *scripted) close() {
	for _, l := range b.listeners {
		l.Close()
	}
	b.accepting.Wait()
	for _, c := range b.held {
		c.Close()
	}
	for {
		select {
		case c := <-b.accepted:
			c.Close()
			continue
		default:
		}
		break
	}
	for _, l := range b.links {
		l.pause(false)
		l.conn.Close()
	}
}

// link returns the broker's end of the n-th connection.
func (b *scripted) link(n int) (*brokerLink, error) {
	for len(b.links) < n {
		select {
		case conn := <-b.accepted:
			l := &brokerLink{number: len(b.links) + 1, conn: conn.(*net.TCPConn)}
			l.moved.L = &l.mu
			// With a small buffer, a large request blocks on any machine if the peer does not read.
			if err := l.conn.SetReadBuffer(64 << 10); err != nil {
				return nil, err
			}
			b.links = append(b.links, l)
			go l.read()
		case <-time.After(patience):
			return nil, fmt.Errorf("connection %d does not come", n)
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("there is no connection yet")
	}
	return b.links[n-1], nil
}

// read reads all the time, in its own goroutine.
func (l *brokerLink) read() {
	buffer := make([]byte, 64<<10)
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil {
		for l.paused {
			l.moved.Wait()
		}
		l.mu.Unlock()
		n, err := l.conn.Read(buffer)
		l.mu.Lock()
		l.in = append(l.in, buffer[:n]...)
		l.got += int64(n)
		l.err = err
		l.moved.Broadcast()
	}
}

func (l *brokerLink) pause(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = on
	l.moved.Broadcast()
}

func (l *brokerLink) isPaused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused
}

// await waits until so returns true, with the mutex held.
func (l *brokerLink) await(what string, so func() bool) error {
	return awaitCond(&l.moved, what, so)
}

// awaitCond waits until so returns true, or patience ends, with c.L held.
func awaitCond(c *sync.Cond, what string, so func() bool) error {
	over := false
	timer := time.AfterFunc(patience, func() {
		c.L.Lock()
		defer c.L.Unlock()
		over = true
		c.Broadcast()
	})
	defer timer.Stop()
	for ; !so(); c.Wait() {
		if over {
			return fmt.Errorf("%s: got nothing within %v", what, patience)
		}
	}
	return nil
}

// sync waits for the bytes that the client has sent, and cuts them into frames.
func (l *brokerLink) sync(sent int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.paused {
		err := l.await(fmt.Sprintf("%d bytes, %d came", sent, l.got), func() bool {
			return l.got >= sent || l.err != nil
		})
		if err != nil {
			return err
		}
	}
	for len(l.in) >= 4 {
		size := 4 + int(binary.BigEndian.Uint32(l.in))
		if len(l.in) < size {
			break
		}
		l.frames = append(l.frames, append(frame(nil), l.in[:size]...))
		l.in = l.in[size:]
	}
	return nil
}

// awaitEnd waits until the client has ended its side.
func (l *brokerLink) awaitEnd() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.await("end", func() bool { return l.err != nil })
}

// send sends n of the prepared bytes; less than 0: all.
func (l *brokerLink) send(n int) error {
	if n < 0 {
		n = len(l.out)
	}
	if n > len(l.out) {
		return fmt.Errorf("%d bytes are prepared, not %d", len(l.out), n)
	}
	if _, err := l.conn.Write(l.out[:n]); err != nil {
		return err
	}
	l.sent += int64(n)
	l.out = l.out[n:]
	return nil
}

// finish ends the connection, with a RST if it is a reset.
func (l *brokerLink) finish(reset bool) error {
	l.end = "closed"
	if reset {
		l.end = "reset"
		if err := l.conn.SetLinger(0); err != nil {
			return err
		}
		return l.conn.Close()
	}
	// Only the write side: a close with unread bytes would be a reset.
	return l.conn.CloseWrite()
}
