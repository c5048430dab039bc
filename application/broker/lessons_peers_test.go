package broker_test

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// The peers of the lessons, and their authenticator.

// lessonRequest is one request as a broker sees it; body is behind a header of
// version 1.
type lessonRequest struct {
	key, version int16
	id           int32
	body         []byte
}

// lessonParse cuts the first request off buf; ok is false if it is not whole.
func lessonParse(buf []byte) (r lessonRequest, rest []byte, ok bool) {
	if len(buf) < 4 || len(buf) < 4+int(binary.BigEndian.Uint32(buf)) {
		return r, buf, false
	}
	frame := buf[4 : 4+binary.BigEndian.Uint32(buf)]
	return lessonRequest{
		key:     int16(binary.BigEndian.Uint16(frame)),
		version: int16(binary.BigEndian.Uint16(frame[2:])),
		id:      int32(binary.BigEndian.Uint32(frame[4:])),
		body:    frame[10+binary.BigEndian.Uint16(frame[8:]):],
	}, buf[4+len(frame):], true
}

// lessonServe answers each request with the body that answer gives, nil for none,
// until the connection ends.
func lessonServe(conn net.Conn, answer func(lessonRequest) []byte) {
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
			r, rest, ok := lessonParse(unread)
			if !ok {
				break
			}
			unread = rest
			body := answer(r)
			if body == nil {
				continue
			}
			if _, err := conn.Write(responseFrame(r.id, body)); err != nil {
				return
			}
		}
	}
}

// lessonTable answers ApiVersions: what scripted has, and the login's calls.
func lessonTable(version int16) []byte {
	r := kmsg.NewPtrApiVersionsResponse()
	r.Version = version
	r.ApiKeys = append(slices.Clone(scriptedTable),
		kmsg.ApiVersionsResponseApiKey{ApiKey: 17, MaxVersion: 1},
		kmsg.ApiVersionsResponseApiKey{ApiKey: 36, MaxVersion: 1})
	return r.AppendTo(nil)
}

// lessonKeeper is a broker with a login: it asks verdict about each token, and
// stays silent where that is nil.
func lessonKeeper(verdict func(token []byte) *kmsg.SASLAuthenticateResponse) func(net.Conn) {
	return func(conn net.Conn) {
		lessonServe(conn, func(r lessonRequest) []byte {
			switch r.key {
			case 18:
				return lessonTable(r.version)
			case 17:
				resp := kmsg.NewPtrSASLHandshakeResponse()
				resp.Version = r.version
				return resp.AppendTo(nil)
			case 36:
				req := kmsg.NewPtrSASLAuthenticateRequest()
				req.Version = r.version
				if err := req.ReadFrom(r.body); err != nil {
					panic(err)
				}
				resp := verdict(req.SASLAuthBytes)
				if resp == nil {
					return nil
				}
				resp.Version = r.version
				return resp.AppendTo(nil)
			}
			return make([]byte, 6)
		})
	}
}

func lessonAccept([]byte) *kmsg.SASLAuthenticateResponse {
	return kmsg.NewPtrSASLAuthenticateResponse()
}

func lessonRefuse([]byte) *kmsg.SASLAuthenticateResponse {
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.ErrorCode = 58
	resp.ErrorMessage = kmsg.StringPtr("no such user, or not that password")
	return resp
}

// lessonDrain hears everything and says nothing.
func lessonDrain(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn)
}

// lessonLogin is an authenticator of a few lines: step counts from 0 and gives
// what Exchange.Result gives. nil: one token, and done.
type lessonLogin struct {
	step  func(n int, challenge []byte) (token []byte, done bool, err error)
	begun atomic.Int64
	mu    sync.Mutex
	hosts []string
}

var _ ports.Authenticator = (*lessonLogin)(nil)

func (*lessonLogin) Mechanism() string { return "X-LESSON" }

func (l *lessonLogin) Begin(ep ports.Endpoint) ports.Exchange {
	l.begun.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts = append(l.hosts, ep.Host)
	return &lessonExchange{login: l}
}

type lessonExchange struct {
	login *lessonLogin
	n     int
	token []byte
	done  bool
	err   error
}

func (e *lessonExchange) Next(challenge []byte) {
	if e.login.step == nil {
		e.token, e.done = []byte("secret"), true
		return
	}
	e.token, e.done, e.err = e.login.step(e.n, challenge)
	e.n++
}

func (e *lessonExchange) Result() ([]byte, bool, error) { return e.token, e.done, e.err }
func (*lessonExchange) Close()                          {}
