package gssapi

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// nth answers the nth request of a login with its own: 1 the first for a
// ticket-granting ticket, 2 the one with a proof, 3 that for the broker's ticket.
func (w *world) nth(n int32, answer func(request []byte) []byte) {
	var count atomic.Int32
	w.answer = func(request []byte) []byte {
		if count.Add(1) == n {
			return answer(request)
		}
		return nil
	}
}

func (w *world) code(code int32) func([]byte) []byte {
	return func([]byte) []byte { return framed(w.refuse(code, nameOf("krbtgt", worldRealm), nil)) }
}

func (w *world) forged(forge func(*messages.EncKDCRepPart, *messages.KDCRepFields)) func([]byte) []byte {
	return func(request []byte) []byte { return framed(w.honest(request, forge)) }
}

func raw(b string) func([]byte) []byte { return func([]byte) []byte { return []byte(b) } }

func TestKDCsThatRefuse(t *testing.T) {
	const (
		client  = "alice@EXAMPLE.ORG"
		service = "kafka/broker.example.org@EXAMPLE.ORG"
	)
	for _, c := range []struct {
		turn      int32
		code      int32
		want      Reason
		principal string
	}{
		{1, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, UnknownClient, client},
		{1, errorcode.KDC_ERR_CLIENT_REVOKED, ClientRefused, client},
		{1, errorcode.KDC_ERR_NAME_EXP, ClientRefused, client},
		{1, errorcode.KDC_ERR_POLICY, ClientRefused, client},
		{2, errorcode.KDC_ERR_KEY_EXPIRED, ClientRefused, client},
		{2, errorcode.KDC_ERR_PREAUTH_FAILED, WrongKey, client},
		{1, errorcode.KDC_ERR_PREAUTH_FAILED, WrongKey, client},
		{2, errorcode.KRB_AP_ERR_SKEW, ClockSkew, client},
		{1, errorcode.KDC_ERR_ETYPE_NOSUPP, EncryptionTypes, client},
		{1, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, UnknownRealm, worldRealm},
		{1, errorcode.KDC_ERR_WRONG_REALM, UnknownClient, client},
		{2, errorcode.KDC_ERR_PREAUTH_REQUIRED, Other, client}, // again, with nothing new
		{3, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, UnknownService, service},
		{3, errorcode.KDC_ERR_ETYPE_NOSUPP, EncryptionTypes, service},
		{3, errorcode.KRB_AP_ERR_SKEW, ClockSkew, service},
		{3, errorcode.KRB_AP_ERR_TKT_EXPIRED, TicketExpired, service},
		{3, errorcode.KRB_ERR_GENERIC, Other, service},
		{1, errorcode.KDC_ERR_SVC_UNAVAILABLE, KDCUnreachable, client},
		{3, -1, Other, service},
	} {
		w := newWorld()
		w.nth(c.turn, w.code(c.code))
		var e *Error
		if err := logIn(w.alice(t), "broker.example.org", w.broker().login); !errors.As(err, &e) {
			t.Fatalf("%d: %v", c.code, err)
		}
		if e.Reason != c.want || e.Principal != c.principal || e.Code != c.code || (e.Hint() == "") != (c.want == Other) {
			t.Errorf("code %d in turn %d is %v of %q, code %d: %v", c.code, c.turn, e.Reason, e.Principal, e.Code, e)
		}
	}
}

// KDCs that are none, broken ones, and impostors. A KDC proves nothing before a key
// of it or of the ticket was used.
func TestKDCsThatLie(t *testing.T) {
	for _, c := range []struct {
		name string
		turn int32
		lie  func(w *world) func(request []byte) []byte
		want Reason
	}{
		{"hangs up", 1, func(*world) func([]byte) []byte { return raw("") }, KDCUnreachable},
		{"a size of 4 GiB", 1, func(*world) func([]byte) []byte { return raw("\xff\xff\xff\xff") }, KDCUnreachable},
		{"a size of nothing", 1, func(*world) func([]byte) []byte { return raw("\x00\x00\x00\x00") }, KDCUnreachable},
		{"HTTP", 1, func(*world) func([]byte) []byte { return raw("HTTP/1.1 400 Bad Request\r\n\r\n") }, KDCUnreachable},
		{"less than it said", 1, func(*world) func([]byte) []byte { return raw("\x00\x00\x00\x09\x7e") }, KDCUnreachable},
		{"an error that cannot be read", 1, func(*world) func([]byte) []byte { return raw("\x00\x00\x00\x02\x7e\x00") }, KDCUnreachable},
		{"nonsense", 1, func(*world) func([]byte) []byte { return raw("\x00\x00\x00\x03abc") }, BadAnswer},
		{"nonsense in the second turn", 2, func(*world) func([]byte) []byte { return raw("\x00\x00\x00\x03abc") }, BadAnswer},
		{"nonsense in the third", 3, func(*world) func([]byte) []byte { return raw("\x00\x00\x00\x03abc") }, BadAnswer},
		{"no word on the proof that it wants", 1, func(w *world) func([]byte) []byte { return w.code(errorcode.KDC_ERR_PREAUTH_REQUIRED) }, BadAnswer},
		{"only a proof that is not known", 1, func(w *world) func([]byte) []byte {
			return w.wants(sequence(types.PAData{PADataType: patype.PA_PK_AS_REQ, PADataValue: []byte{}}))
		}, EncryptionTypes},
		{"a proof with RC4", 1, func(w *world) func([]byte) []byte { return w.wants(methods(23, nil)) }, EncryptionTypes},
		{"no type of key", 1, func(w *world) func([]byte) []byte {
			return w.wants(sequence(types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: []byte{}}))
		}, EncryptionTypes},
		{"4,294,967,295 rounds of hashing", 1, func(w *world) func([]byte) []byte { return w.wants(methods(18, []byte{255, 255, 255, 255})) }, BadAnswer},
		{"2^32 rounds, by RFC 3962", 1, func(w *world) func([]byte) []byte { return w.wants(methods(18, []byte{0, 0, 0, 0})) }, BadAnswer},
		{"one round more than the limit", 1, func(w *world) func([]byte) []byte {
			return w.wants(methods(18, binary.BigEndian.AppendUint32(nil, maxIterations+1)))
		}, BadAnswer},
		{"rounds in the answer with a ticket", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				var data types.PADataSequence
				data.Unmarshal(methods(18, []byte{255, 255, 255, 255}))
				f.PAData = data
			})
		}, BadAnswer},
		{"an answer with RC4", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				f.EncPart = types.EncryptedData{EType: 23, Cipher: make([]byte, 64)}
			})
		}, EncryptionTypes},
		{"an answer with another key", 2, func(w *world) func([]byte) []byte { return w.forged(undecipherable) }, WrongKey},
		{"an empty answer", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				f.EncPart = types.EncryptedData{EType: 18, Cipher: []byte{}}
			})
		}, WrongKey},
		{"the third with another key", 3, func(w *world) func([]byte) []byte { return w.forged(undecipherable) }, BadAnswer},
		{"another nonce", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) { p.Nonce++ })
		}, BadAnswer},
		{"another nonce in the third", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) { p.Nonce++ })
		}, BadAnswer},
		{"a ticket of somebody else", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) { f.CName = nameOf("mallory") })
		}, BadAnswer},
		{"a ticket for another service", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				p.SName = nameOf("kafka", "mallory.example.org")
				f.Ticket.SName = p.SName
			})
		}, BadAnswer},
		{"another ticket than it says", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				f.Ticket.SName = nameOf("kafka", "mallory.example.org")
			})
		}, BadAnswer},
		{"instead of a ticket-granting ticket another", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				p.SName = nameOf("kadmin", "changepw")
				f.Ticket.SName = p.SName
			})
		}, BadAnswer},
		{"a ticket that has ended", 2, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) { p.EndTime = p.StartTime.Add(-time.Second) })
		}, ClockSkew},
		{"a ticket of tomorrow", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) {
				p.StartTime = p.StartTime.Add(24 * time.Hour)
				p.EndTime = p.EndTime.Add(24 * time.Hour)
			})
		}, ClockSkew},
		{"a key of RC4 for the broker", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) {
				p.Key = types.EncryptionKey{KeyType: 23, KeyValue: make([]byte, 16)}
			})
		}, EncryptionTypes},
		{"a key for the broker that is too short", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) { p.Key.KeyValue = p.Key.KeyValue[:8] })
		}, EncryptionTypes},
		{"a realm that leads to itself", 3, func(w *world) func([]byte) []byte {
			return w.forged(func(p *messages.EncKDCRepPart, f *messages.KDCRepFields) {
				p.SName = nameOf("krbtgt", worldRealm)
				f.Ticket.SName = p.SName
			})
		}, BadAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.nth(c.turn, c.lie(w))
			b := w.broker()
			err := logIn(w.alice(t), "broker.example.org", b.login)
			reasoned(t, err, c.want)
			if b.turns > 0 {
				t.Error("the login went on")
			}
			w.mustNotShow(t, b, err)
		})
	}
}

func (w *world) wants(methods []byte) func([]byte) []byte {
	return func([]byte) []byte {
		return framed(w.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, nameOf("krbtgt", worldRealm), methods))
	}
}

func undecipherable(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) {
	f.EncPart = types.EncryptedData{EType: 18, Cipher: make([]byte, 128)}
}

// A KDC that keeps a client going from realm to realm is left after a few.
func TestReferralsWithoutEnd(t *testing.T) {
	w := newWorld()
	hops := 0
	realms := func(p *messages.EncKDCRepPart, f *messages.KDCRepFields) {
		hops++
		p.SName = nameOf("krbtgt", strings.Repeat("X", hops))
		f.Ticket.SName = p.SName
	}
	var count atomic.Int32
	w.answer = func(request []byte) []byte {
		if count.Add(1) < 3 {
			return nil
		}
		return framed(w.honest(request, realms))
	}
	o := w.options()
	o.Principal, o.Password = "alice", secretOf("opensesame")
	for n := 1; n <= maxRealms; n++ {
		o.Config += " " + strings.Repeat("X", n) + " = {\n  kdc = kdc.example.org\n }\n"
	}
	reasoned(t, logIn(mustNew(t, o), "broker.example.org", w.broker().login), BadAnswer)
	if hops != maxRealms {
		t.Errorf("%d realms were visited, of at most %d", hops, maxRealms)
	}
}

func TestKDCsOfARealm(t *testing.T) {
	w := newWorld()
	var dialled []string
	o := w.options()
	o.Principal, o.Password = "alice", secretOf("opensesame")
	o.Config = strings.Replace(worldConfig, "kdc = kdc.example.org", "kdc = dead.example.org:88\n  kdc = [2001:db8::1]\n  kdc = 2001:db8::2", 1)
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = append(dialled, network+" "+address)
		if !strings.HasSuffix(address, ":88") || address == "dead.example.org:88" {
			return nil, errors.New("no route")
		}
		if address == "[2001:db8::1]:88" {
			here, there := net.Pipe()
			go func() {
				io.ReadFull(there, make([]byte, 4))
				there.Close()
			}()
			return here, nil
		}
		return w.dial(ctx, network, address)
	}
	a := mustNew(t, o)
	if err := logIn(a, "broker.example.org", w.broker().login); err != nil {
		t.Fatal(err)
	}
	// Each in its turn, and then the one that answered.
	want := "tcp dead.example.org:88 tcp [2001:db8::1]:88 tcp [2001:db8::2]:88 tcp [2001:db8::2]:88 tcp [2001:db8::2]:88"
	if got := strings.Join(dialled, " "); got != want {
		t.Errorf("dialled were %s", got)
	}

	o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded }
	err := logIn(mustNew(t, o), "broker.example.org", w.broker().login)
	if e := reasoned(t, err, KDCUnreachable); e.Principal != worldRealm || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v is of %q", err, e.Principal)
	}
	o.Principal = "alice@NOWHERE.ORG"
	if e := reasoned(t, logIn(mustNew(t, o), "broker.example.org", w.broker().login), UnknownRealm); e.Principal != "NOWHERE.ORG" {
		t.Errorf("the realm is %q", e.Principal)
	}
}

func TestKDCsAreLookedUp(t *testing.T) {
	w := newWorld()
	o := w.options()
	o.Principal, o.Password, o.Config = "alice@EXAMPLE.ORG", secretOf("opensesame"), "[libdefaults]\n clockskew = 300\n"
	var asked, dialled []string
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return w.dial(ctx, network, address)
	}
	a := mustNew(t, o)
	notFound := &net.DNSError{Err: "no such host", IsNotFound: true}
	a.tickets.kdc.srv = func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
		asked = append(asked, service+" "+proto+" "+name)
		return "", nil, notFound
	}
	if err := logIn(a, "broker.example.org", w.broker().login); !errors.Is(reasoned(t, err, UnknownRealm), error(notFound)) {
		t.Error(err)
	}
	a.tickets.kdc.srv = func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
		asked = append(asked, service+" "+proto+" "+name)
		return "", []*net.SRV{{Target: "kdc.example.org.", Port: 8888}}, nil
	}
	if err := logIn(a, "broker.example.org", w.broker().login); err != nil {
		t.Fatal(err)
	}
	for _, name := range asked {
		if name != "kerberos tcp EXAMPLE.ORG" {
			t.Errorf("DNS was asked for %s", name)
		}
	}
	for _, address := range dialled {
		if address != "kdc.example.org:8888" {
			t.Errorf("dialled was %s", address)
		}
	}
}

// A KDC that never answers costs its time, and no more than a Close when nobody
// wants to wait. Nothing is left behind: TestMain looks for it.
func TestKDCThatIsSilent(t *testing.T) {
	w := newWorld()
	o := w.options()
	o.Principal, o.Password = "alice", secretOf("opensesame")
	o.KDCTimeout = time.Millisecond
	silent := make(chan net.Conn, 10)
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		silent <- there
		return here, nil
	}
	err := logIn(mustNew(t, o), "broker.example.org", w.broker().login)
	reasoned(t, err, KDCUnreachable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no timeout", err)
	}

	o.KDCTimeout, o.Run = time.Hour, nil
	<-silent
	ex := mustNew(t, o).Begin(contractEndpoint)
	ex.Next(nil)
	there := <-silent
	ex.Close()
	if _, _, err := ex.Result(); err == nil || err == ports.ErrWouldBlock {
		t.Errorf("after Close the result is %v", err)
	}
	// The conversation ends as well, not by the hour.
	if _, err := io.ReadAll(there); err != nil {
		t.Error(err)
	}
}
