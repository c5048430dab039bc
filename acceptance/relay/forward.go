package relay

import (
	"bytes"
	"net"
	"sync"
	"time"
)

// carry forwards both directions until both have ended.
func (r *Relay) carry(l *link) {
	var up sync.WaitGroup
	up.Go(func() {
		r.forward(l.client, l.room, l.toServer)
		l.gone()
	})
	r.forward(l.server, l.room, l.toClient)
	up.Wait()
	_ = l.client.Close()
	_ = l.server.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, l.client)
	delete(r.conns, l.server)
	delete(r.links, l)
}

// A chunk is what one read returned, and when it is due at the other end.
type chunk struct {
	data []byte
	due  time.Time
}

// inTransit bounds the chunks that are held in one direction.
const inTransit = 4096

// forward copies from one end to the other by pass until either fails, and then passes nil, the end
// of the stream, behind the last byte. Each read is of at most what room returns.
func (r *Relay) forward(from net.Conn, room func() int, pass func([]byte) error) {
	chunks := make(chan chunk, inTransit)
	r.wait.Go(func() {
		defer close(chunks)
		buf := make([]byte, atOnce)
		for {
			n, err := from.Read(buf[:room()])
			if n > 0 {
				chunks <- chunk{bytes.Clone(buf[:n]), time.Now().Add(r.options.Delay)}
			}
			if err != nil {
				return
			}
		}
	})
	broken := false
	for c := range chunks {
		if broken {
			continue // the reader must not block
		}
		time.Sleep(time.Until(c.due))
		if err := pass(c.data); err != nil {
			broken = true
			_ = from.Close()
		}
	}
	if !broken {
		_ = pass(nil)
	}
}
