package matrix

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
)

// server is a broker whose answers wait for the test where a cell needs it.
type server struct {
	c   Cell
	tls *tls.Config

	mu       sync.Mutex
	received int // requests of callers, on the first connection
	conns    int
	changed  chan struct{} // is closed and replaced when received grows
	gate     chan struct{} // is closed by release
	released bool
}

func newServer(c Cell) *server {
	return &server{c: c, changed: make(chan struct{}), gate: make(chan struct{})}
}

// accept serves until the listener is closed. The channel is closed when all connections have ended.
func (s *server) accept(l net.Listener) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		var all sync.WaitGroup
		defer all.Wait()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn) })
		}
	}()
	return ended
}

func (s *server) serve(conn net.Conn) {
	s.mu.Lock()
	s.conns++
	first := s.conns == 1
	s.mu.Unlock()
	switch word, _, _ := strings.Cut(s.c.Wire, " "); {
	case word == "plain" && first: // a server without TLS drops what is not of its protocol
		_, _ = conn.Read(make([]byte, 16<<10))
		_ = conn.Close()
		return
	case word == "tls-port" && first:
		refuseClear(conn, s.tls)
		return
	case s.tls != nil && s.c.Phase == 'T':
		conn = tls.Server(conn, s.tls)
	}
	logins := 0
	var held []byte
	fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
		switch r.Key {
		case 18:
			return fakebroker.Table(r.Version)
		case 17:
			if logins++; first && logins == 2 {
				<-s.gate
			}
			resp := kmsg.NewPtrSASLHandshakeResponse()
			resp.Version = r.Version
			return resp.AppendTo(nil)
		case 36:
			resp := kmsg.NewPtrSASLAuthenticateResponse()
			resp.Version, resp.SessionLifetimeMillis = r.Version, time.Hour.Milliseconds()
			return resp.AppendTo(nil)
		}
		if !first {
			return make([]byte, 6)
		}
		n := s.count()
		if s.c.Wire == "gap" && s.c.Phase == 'F' && 1 < n && n <= 4 { // all answers arrive at once
			held = append(held, fakebroker.ResponseFrame(r.ID, make([]byte, 6))...)
			if n == 4 {
				_, _ = conn.Write(held)
			}
			return nil
		}
		return s.answer(r.Version, n)
	})
}

// refuseClear is a server of TLS with a client that speaks in clear: an alert, as those of Java send it.
func refuseClear(conn net.Conn, config *tls.Config) {
	defer conn.Close()
	if foreign, ok := errors.AsType[tls.RecordHeaderError](tls.Server(conn, config).Handshake()); ok {
		_, _ = foreign.Conn.Write([]byte{0x15, 3, 3, 0, 2, 2, 80})
	}
	_, _ = io.Copy(io.Discard, conn) // until the client has read it
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received++
	close(s.changed)
	s.changed = make(chan struct{})
	return s.received
}

// answer is the answer to the nth request: with requests in flight that fail, the last one is answered only, whose
// answer does not arrive as it is; or the first one, if that is Metadata whose body is not what its version has.
func (s *server) answer(version int16, n int) []byte {
	if s.c.Phase == 'C' && n == 2 || s.c.Wire == "hook" && n == 3 {
		<-s.gate
	}
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = version
	misread := s.c.Wire == "short" || s.c.Wire == "long"
	switch body := resp.AppendTo(nil); {
	case s.c.Wire == "short" && n == 2:
		return body[:len(body)-3]
	case s.c.Wire == "long" && n == 2:
		return append(body, 0, 0, 0, 0, 0)
	case misread && n == 3, s.c.Phase == 'F' && s.c.Want.Kind != nil && (n == 2 || n == 3):
		return nil
	}
	return make([]byte, 6)
}

// release lets answers go on that wait.
func (s *server) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.released {
		s.released = true
		close(s.gate)
	}
}

// await waits for a number of requests.
func (s *server) await(n int) {
	for {
		s.mu.Lock()
		enough, changed := s.received >= n, s.changed
		s.mu.Unlock()
		if enough {
			return
		}
		<-changed
	}
}
