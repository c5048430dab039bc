package tls

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"sync"
)

// Each network thread of a Kafka broker has ticket keys of its own, and gets connections in
// turn: the ticket of the last connection is one of another thread. So the sessions of several
// connections are kept, and the oldest is offered until it is taken: its thread has its turn
// within as many connections as there are threads. From then on each connection offers the
// session of its own thread. Sessions that were refused for longer are of a broker that was
// restarted.

const (
	maxPeers   = 64 // the least recently used one is dropped first
	maxTickets = 16 // of a peer: more than a broker usually has threads
)

// sessions are the sessions to resume, of the last used peer at the end.
type sessions struct {
	mu  sync.Mutex
	all []*peer
}

// peer is one host at one address.
type peer struct {
	key         string
	sessions    []session // the oldest first
	connections int
	refused     int // since a session was resumed
	patience    int // the most connections that a session waited for its turn; 0: not known
}

type session struct {
	state *tls.ClientSessionState
	certs []*x509.Certificate // the broker's, when the session began
	at    int                 // the connection that it was received on
}

// with calls f with the peer of key, which is the last used one then.
func (s *sessions) with(key string, f func(*peer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &peer{key: key}
	if i := slices.IndexFunc(s.all, func(p *peer) bool { return p.key == key }); i >= 0 {
		p = s.all[i]
		s.all = slices.Delete(s.all, i, i+1)
	} else if len(s.all) == maxPeers {
		s.all = slices.Delete(s.all, 0, 1)
	}
	s.all = append(s.all, p)
	f(p)
}

func (p *peer) remove(state *tls.ClientSessionState) {
	p.sessions = slices.DeleteFunc(p.sessions, func(x session) bool { return x.state == state })
}

// add keeps a session. If there are too many, the oldest is dropped, unless it waits for its
// turn.
func (p *peer) add(x session) {
	x.at = p.connections
	switch {
	case len(p.sessions) < maxTickets:
	case p.refused > 0:
		return
	default:
		p.sessions = slices.Delete(p.sessions, 0, 1)
	}
	p.sessions = append(p.sessions, x)
}

// resumed notes that a session was resumed. It is used again only if no other follows on its
// connection.
func (p *peer) resumed(state *tls.ClientSessionState) {
	p.refused = 0
	i := slices.IndexFunc(p.sessions, func(x session) bool { return x.state == state })
	if i < 0 {
		return // by another connection as well
	}
	x := p.sessions[i]
	p.patience = max(p.patience, p.connections-x.at)
	p.sessions = append(slices.Delete(p.sessions, i, i+1), session{x.state, x.certs, p.connections})
}

// refuse notes that the oldest session was not resumed.
func (p *peer) refuse(state *tls.ClientSessionState) {
	if len(p.sessions) == 0 || p.sessions[0].state != state {
		return
	}
	limit := maxTickets
	if p.patience > 0 {
		limit = p.patience
	}
	if p.refused++; p.refused >= limit {
		first := p.connections - p.refused + 1
		p.sessions = slices.DeleteFunc(p.sessions, func(x session) bool { return x.at < first })
		p.refused, p.patience = 0, 0
	}
}

// sessionOf is the cache of one connection: it has the sessions of its host at its address.
// crypto/tls would keep one for all the brokers of a host.
type sessionOf struct {
	kept     *sessions
	key      string
	verifier *verifier
	certs    []*x509.Certificate     // of this connection
	offered  *tls.ClientSessionState // nil: none
	resumed  bool                    // and no other session followed
}

var _ tls.ClientSessionCache = (*sessionOf)(nil)

func (s *sessionOf) verify(state tls.ConnectionState) error {
	s.certs = state.PeerCertificates
	s.kept.with(s.key, func(p *peer) {
		p.connections++
		switch s.resumed = state.DidResume; {
		case s.resumed:
			p.resumed(s.offered)
		case s.offered != nil:
			p.refuse(s.offered)
		}
	})
	return s.verifier.verifyConnection(state)
}

// Get returns the oldest session whose certificate is still accepted. Without one a full
// handshake asks the broker for its current certificate.
func (s *sessionOf) Get(string) (*tls.ClientSessionState, bool) {
	for {
		var x session
		s.kept.with(s.key, func(p *peer) {
			if len(p.sessions) > 0 {
				x = p.sessions[0]
			}
		})
		switch {
		case x.state == nil:
			return nil, false
		case s.verifier.verify(x.certs) == nil:
			s.offered = x.state
			return x.state, true
		}
		s.kept.with(s.key, func(p *peer) { p.remove(x.state) })
	}
}

// Put keeps a session, in the place of the one that was resumed; nil forgets the one that was
// offered.
func (s *sessionOf) Put(_ string, state *tls.ClientSessionState) {
	s.kept.with(s.key, func(p *peer) {
		if state == nil || s.resumed {
			p.remove(s.offered)
			s.resumed = false
		}
		if state != nil {
			p.add(session{state: state, certs: s.certs})
		}
	})
}
