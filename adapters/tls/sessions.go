package tls

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"sync"
)

// maxSessions bounds the kept sessions; the least recently used one is dropped first.
const maxSessions = 64

// sessions are the sessions to resume, the last used one at the end.
type sessions struct {
	mu  sync.Mutex
	all []session
}

type session struct {
	key   string
	state *tls.ClientSessionState
	certs []*x509.Certificate // the broker's, when the session began
}

// take removes and returns the session of key.
func (s *sessions) take(key string) (found session, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(x session) bool { return x.key == key })
	if i < 0 {
		return session{}, false
	}
	found = s.all[i]
	s.all = slices.Delete(s.all, i, i+1)
	return found, true
}

// put keeps a session in the place of the one with its key.
func (s *sessions) put(x session) {
	s.take(x.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == maxSessions {
		s.all = slices.Delete(s.all, 0, 1)
	}
	s.all = append(s.all, x)
}

// sessionOf is the cache of one connection, which keeps one session: that of its
// host at its address. crypto/tls would keep one for all the brokers of a host.
type sessionOf struct {
	kept     *sessions
	key      string
	verifier *verifier
	certs    []*x509.Certificate // of this connection
}

var _ tls.ClientSessionCache = (*sessionOf)(nil)

func (s *sessionOf) verify(state tls.ConnectionState) error {
	s.certs = state.PeerCertificates
	return s.verifier.verifyConnection(state)
}

// Get returns the session if its certificate is still accepted. Otherwise a full
// handshake asks the broker for its current one.
func (s *sessionOf) Get(string) (*tls.ClientSessionState, bool) {
	x, ok := s.kept.take(s.key)
	if !ok || s.verifier.verify(x.certs) != nil {
		return nil, false
	}
	s.kept.put(x)
	return x.state, true
}

// Put keeps a session; nil forgets it.
func (s *sessionOf) Put(_ string, state *tls.ClientSessionState) {
	if state == nil {
		s.kept.take(s.key)
		return
	}
	s.kept.put(session{s.key, state, s.certs})
}
