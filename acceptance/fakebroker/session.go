package fakebroker

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// SessionBroker is a broker with sessions (KIP-368). It accepts the token Good, closes the
// connection at a request after the end of the session, and records that as a sin, as it
// does a request within a login.
type SessionBroker struct {
	Lifetime time.Duration
	Think    func() time.Duration // before each answer; nil: none

	mu       sync.Mutex
	Good     string   // the token that is accepted
	Stubborn bool     // a session is not renewed: error 34, as without max.reauth
	Fixed    bool     // the token of a connection may not change
	Offers   []string // mechanisms; nil: all
	Order    []int32
	Sins     []string
	Logins   int // new ones
	Relogins int
}

func (w *SessionBroker) sin(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Sins = append(w.Sins, fmt.Sprintf(format, args...))
}

// Set calls change, which may change the fields, under the lock of the broker.
func (w *SessionBroker) Set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// Serve answers one connection. Its requests are distinguished by the generation of a
// Heartbeat, which the test counts up.
func (w *SessionBroker) Serve(conn net.Conn) {
	var until time.Time // of the session
	var as string
	inLogin := false
	var reauthenticated time.Time // when the last renewal began
	Serve(conn, func(r Request) []byte {
		if w.Think != nil {
			time.Sleep(w.Think())
		}
		switch r.Key {
		case 18:
			return Table(r.Version)
		case 17:
			resp := kmsg.NewPtrSASLHandshakeResponse()
			resp.Version = r.Version
			w.mu.Lock()
			defer w.mu.Unlock()
			switch name := string(r.Body[2:]); {
			case as != "" && (w.Stubborn || !reauthenticated.IsZero() && time.Since(reauthenticated) < time.Second):
				resp.ErrorCode = 34
			case w.Offers != nil && !slices.Contains(w.Offers, name):
				resp.ErrorCode, resp.SupportedMechanisms = 33, w.Offers
			default:
				inLogin = true
				if as != "" {
					reauthenticated = time.Now()
				}
			}
			return resp.AppendTo(nil)
		case 36:
			req := kmsg.NewPtrSASLAuthenticateRequest()
			req.Version = r.Version
			if err := req.ReadFrom(r.Body); err != nil {
				panic(err)
			}
			resp := w.validate(string(req.SASLAuthBytes), &as)
			resp.Version = r.Version
			inLogin = false
			until = time.Now().Add(w.Lifetime)
			return resp.AppendTo(nil)
		}
		switch {
		case inLogin:
			w.sin("a request within a login")
		case as == "":
			w.sin("a request before the login")
		case w.Lifetime > 0 && time.Now().After(until):
			w.sin("a request %v after the end of its session", time.Since(until))
			conn.Close()
			return nil
		}
		hb := kmsg.NewPtrHeartbeatRequest()
		hb.Version = r.Version
		if err := hb.ReadFrom(r.Body); err != nil {
			panic(err)
		}
		w.Set(func() { w.Order = append(w.Order, hb.Generation) })
		return make([]byte, 6)
	})
}

func (w *SessionBroker) validate(token string, as *string) *kmsg.SASLAuthenticateResponse {
	w.mu.Lock()
	defer w.mu.Unlock()
	if token != w.Good || w.Fixed && *as != "" && *as != token {
		return Refuse(nil)
	}
	if *as == "" {
		w.Logins++
	} else {
		w.Relogins++
	}
	*as = token
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.SessionLifetimeMillis = w.Lifetime.Milliseconds()
	return resp
}

// Token is an authenticator that sends one token, after a delay.
type Token struct {
	mechanism, word string
	takes           time.Duration
}

// NewToken returns an authenticator that sends word after the time that it takes.
func NewToken(mechanism, word string, takes time.Duration) Token {
	return Token{mechanism, word, takes}
}

func (a Token) Mechanism() string { return a.mechanism }

func (a Token) Begin(ports.Endpoint) ports.Exchange { return &Word{A: a} }

// Word is the exchange of a Token.
type Word struct {
	A     Token
	until time.Time
}

func (w *Word) Next([]byte) { w.until = time.Now().Add(w.A.takes) }

func (w *Word) Result() ([]byte, bool, error) {
	if time.Now().Before(w.until) {
		return nil, false, ports.ErrWouldBlock
	}
	return []byte(w.A.word), true, nil
}

func (*Word) Close() {}

// WithSession returns hosts with the broker w, which accepts the token "one", and a Config for them.
func WithSession(w *SessionBroker) (*Hosts, broker.Config) {
	w.Good = "one"
	hosts := (&Hosts{Peer: map[string]func(net.Conn){"a": w.Serve}}).At("a")
	cfg := hosts.Config()
	cfg.Authenticators = []ports.Authenticator{Token{"X", "one", 3 * time.Millisecond}}
	return hosts, cfg
}

// Check checks that the broker received each request once, those of a caller in order, and
// recorded no sin.
func (w *SessionBroker) Check(t *testing.T, sent int64) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.Sins) > 0 {
		t.Errorf("got %d sins, first %q, want none", len(w.Sins), w.Sins[0])
	}
	if int64(len(w.Order)) != sent {
		t.Errorf("got %d requests at the broker, want %d", len(w.Order), sent)
	}
	next := map[int32]int32{}
	for _, g := range w.Order {
		if caller := g >> 20; g&(1<<20-1) != next[caller] {
			t.Fatalf("caller %[2]d: got request %[1]d, want %[3]d", g&(1<<20-1), caller, next[caller])
		} else {
			next[caller]++
		}
	}
}
