package fakebroker

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Request is a request with a header of version 1.
type Request struct {
	Key, Version int16
	ID           int32
	Body         []byte
}

// Parse returns the first request in buf and the rest; ok is false if it is not complete.
func Parse(buf []byte) (r Request, rest []byte, ok bool) {
	if len(buf) < 4 || len(buf) < 4+int(binary.BigEndian.Uint32(buf)) {
		return r, buf, false
	}
	frame := buf[4 : 4+binary.BigEndian.Uint32(buf)]
	return Request{
		Key:     int16(binary.BigEndian.Uint16(frame)),
		Version: int16(binary.BigEndian.Uint16(frame[2:])),
		ID:      int32(binary.BigEndian.Uint32(frame[4:])),
		Body:    frame[10+binary.BigEndian.Uint16(frame[8:]):],
	}, buf[4+len(frame):], true
}

// Serve answers each request with the body that answer returns, or not at all if that is
// nil, until the connection ends.
func Serve(conn net.Conn, answer func(Request) []byte) {
	defer conn.Close()
	var unread []byte
	chunk := make([]byte, 4096)
	for {
		n, err := conn.Read(chunk)
		if err != nil {
			return
		}
		unread = append(unread, chunk[:n]...)
		for {
			r, rest, ok := Parse(unread)
			if !ok {
				break
			}
			unread = rest
			body := answer(r)
			if body == nil {
				continue
			}
			if _, err := conn.Write(ResponseFrame(r.ID, body)); err != nil {
				return
			}
		}
	}
}

// Table answers ApiVersions with the APIs of Scripted and those of a login.
func Table(version int16) []byte {
	r := kmsg.NewPtrApiVersionsResponse()
	r.Version = version
	r.ApiKeys = append(slices.Clone(ScriptedTable),
		kmsg.ApiVersionsResponseApiKey{ApiKey: 17, MaxVersion: 1},
		kmsg.ApiVersionsResponseApiKey{ApiKey: 36, MaxVersion: 1})
	return r.AppendTo(nil)
}

// Keeper returns a broker that requires a login: it answers each token with the result of
// verdict, or not at all if that is nil.
func Keeper(verdict func(token []byte) *kmsg.SASLAuthenticateResponse) func(net.Conn) {
	return func(conn net.Conn) {
		Serve(conn, func(r Request) []byte {
			switch r.Key {
			case 18:
				return Table(r.Version)
			case 17:
				resp := kmsg.NewPtrSASLHandshakeResponse()
				resp.Version = r.Version
				return resp.AppendTo(nil)
			case 36:
				req := kmsg.NewPtrSASLAuthenticateRequest()
				req.Version = r.Version
				if err := req.ReadFrom(r.Body); err != nil {
					panic(err)
				}
				resp := verdict(req.SASLAuthBytes)
				if resp == nil {
					return nil
				}
				resp.Version = r.Version
				return resp.AppendTo(nil)
			}
			return make([]byte, 6)
		})
	}
}

// Refuse is a verdict for Keeper: a wrong password.
func Refuse([]byte) *kmsg.SASLAuthenticateResponse {
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.ErrorCode = 58
	resp.ErrorMessage = kmsg.StringPtr("no such user, or not that password")
	return resp
}

// Login is an authenticator. Step, with n counted from 0, returns the results of
// Exchange.Result; if it is nil, the login is one token.
type Login struct {
	Step  func(n int, challenge []byte) (token []byte, done bool, err error)
	Begun atomic.Int64
	mu    sync.Mutex
	Hosts []string
}

var _ ports.Authenticator = (*Login)(nil)

func (*Login) Mechanism() string { return "X-LESSON" }

func (l *Login) Begin(ep ports.Endpoint) ports.Exchange {
	l.Begun.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Hosts = append(l.Hosts, ep.Host)
	return &exchange{login: l}
}

type exchange struct {
	login *Login
	n     int
	token []byte
	done  bool
	err   error
}

func (e *exchange) Next(challenge []byte) {
	if e.login.Step == nil {
		e.token, e.done = []byte("secret"), true
		return
	}
	e.token, e.done, e.err = e.login.Step(e.n, challenge)
	e.n++
}

func (e *exchange) Result() ([]byte, bool, error) { return e.token, e.done, e.err }

func (*exchange) Close() {}

// WithLogin returns hosts with a broker that requires a login, a Config for them, and its Login.
func WithLogin(verdict func([]byte) *kmsg.SASLAuthenticateResponse) (*Hosts, broker.Config, *Login) {
	hosts := (&Hosts{Peer: map[string]func(net.Conn){"a": Keeper(verdict)}}).At("a")
	cfg, login := hosts.Config(), &Login{}
	cfg.Authenticators = []ports.Authenticator{login}
	return hosts, cfg, login
}
