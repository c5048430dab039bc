package tls

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"sync"
)

// maxSessions bounds the sessions that are kept; the one not used for longest goes.
const maxSessions = 64

// sessions are those that may be resumed, the one used last at the end.
type sessions struct {
	mu  sync.Mutex
	all []session
}

type session struct {
	key   string
	state *tls.ClientSessionState
	certs []*x509.Certificate // what the broker showed when it began
}

// take removes a session and returns it.
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

// Get returns the session, if its certificate would be accepted today. Otherwise
// only a full handshake can tell whether the broker has a better one by now.
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
