package krb5

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
	"brokerconn/ports/porttest"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// A lie is what a KDC sends instead of its honest answer.
type lie func(k *fakeKDC, request []byte) []byte

// nth sends the lie in answer to the nth request of a client without tickets: 1 the
// one without a proof, 2 the one with it, 3 that for the service ticket.
func (k *fakeKDC) nth(n int32, l lie) {
	var count atomic.Int32
	k.respond = func(request []byte) []byte {
		if count.Add(1) == n {
			return l(k, request)
		}
		return nil
	}
}

func (k *fakeKDC) always(l lie) {
	k.respond = func(request []byte) []byte { return l(k, request) }
}

func raw(text string) lie { return func(*fakeKDC, []byte) []byte { return []byte(text) } }

func code(n int32) lie {
	return func(k *fakeKDC, _ []byte) []byte { return framed(k.refuse(n, nameOf("krbtgt", fakeRealm), nil)) }
}

func forged(forge forgery) lie {
	return func(k *fakeKDC, request []byte) []byte { return framed(k.answer(request, forge)) }
}

func part(change func(p *messages.EncKDCRepPart)) lie {
	return forged(func(p *messages.EncKDCRepPart, _ *messages.KDCRepFields) { change(p) })
}

func fields(change func(f *messages.KDCRepFields)) lie {
	return forged(func(_ *messages.EncKDCRepPart, f *messages.KDCRepFields) { change(f) })
}

// encrypted replaces the encrypted part.
func encrypted(etype int32, size int) lie {
	return fields(func(f *messages.KDCRepFields) {
		f.EncPart = types.EncryptedData{EType: etype, Cipher: make([]byte, size)}
	})
}

// about answers with a ticket for another service, which the encrypted part names too.
func about(parts ...string) lie {
	return forged(func(p *messages.EncKDCRepPart, f *messages.KDCRepFields) {
		p.SName = nameOf(parts...)
		f.Ticket.SName = p.SName
	})
}

// wants asks for a proof by one of the methods.
func wants(methods []byte) lie {
	return func(k *fakeKDC, _ []byte) []byte {
		return framed(k.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, nameOf("krbtgt", fakeRealm), methods))
	}
}

func TestKDCRefusals(t *testing.T) {
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
		{1, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, UnknownRealm, fakeRealm},
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
		k := newKDC()
		k.nth(c.turn, code(c.code))
		_, err := ticketFor(k.alice(), "broker.example.org")
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Reason != c.want || e.Principal != c.principal || e.Code != c.code ||
			(e.Hint() == "") != (c.want == Other) {
			t.Errorf("code %d in turn %d: got %+v, want %v of %q", c.code, c.turn, err, c.want, c.principal)
		}
	}
}

// Servers that are not KDCs, broken KDCs, and impostors. A KDC proves nothing until it
// uses a key of its own or of the ticket.
func TestHostileKDCs(t *testing.T) {
	const mallory = "mallory.example.org"
	excess := binary.BigEndian.AppendUint32(nil, maxIterations+1)
	few := binary.BigEndian.AppendUint32(nil, 4095)
	for _, c := range []struct {
		name string
		turn int32
		lie  lie
		want Reason
	}{
		{"hangs up", 1, raw(""), KDCUnreachable},
		{"a size of 4 GiB", 1, raw("\xff\xff\xff\xff"), KDCUnreachable},
		{"a size of 0", 1, raw("\x00\x00\x00\x00"), KDCUnreachable},
		{"HTTP", 1, raw("HTTP/1.1 400 Bad Request\r\n\r\n"), KDCUnreachable},
		{"fewer bytes than announced", 1, raw("\x00\x00\x00\x09\x7e"), KDCUnreachable},
		{"a malformed error", 1, raw("\x00\x00\x00\x02\x7e\x00"), KDCUnreachable},
		{"nonsense in turn 1", 1, raw("\x00\x00\x00\x03abc"), BadAnswer},
		{"nonsense in turn 2", 2, raw("\x00\x00\x00\x03abc"), BadAnswer},
		{"nonsense in turn 3", 3, raw("\x00\x00\x00\x03abc"), BadAnswer},
		{"a proof without a method", 1, code(errorcode.KDC_ERR_PREAUTH_REQUIRED), BadAnswer},
		{"only an unknown proof", 1, wants(sequence(paData(patype.PA_PK_AS_REQ, []byte{}))), EncryptionTypes},
		{"a proof with RC4", 1, wants(methods(23, nil)), EncryptionTypes},
		{"no key type", 1, wants(sequence(paData(patype.PA_ENC_TIMESTAMP, []byte{}))), EncryptionTypes},
		{"4,294,967,295 iterations", 1, wants(methods(18, []byte{255, 255, 255, 255})), BadAnswer},
		{"2^32 iterations, by RFC 3962", 1, wants(methods(18, []byte{0, 0, 0, 0})), BadAnswer},
		{"one iteration above the limit", 1, wants(methods(18, excess)), BadAnswer},
		{"one iteration", 1, wants(methods(18, []byte{0, 0, 0, 1})), BadAnswer},
		{"one iteration below the minimum", 1, wants(methods(18, few)), BadAnswer},
		{"few iterations in the answer with a ticket", 2, fields(func(f *messages.KDCRepFields) {
			var data types.PADataSequence
			data.Unmarshal(methods(18, few))
			f.PAData = data
		}), BadAnswer},
		{"iterations in the answer with a ticket", 2, fields(func(f *messages.KDCRepFields) {
			var data types.PADataSequence
			data.Unmarshal(methods(18, []byte{255, 255, 255, 255}))
			f.PAData = data
		}), BadAnswer},
		{"an answer with RC4", 2, encrypted(23, 64), EncryptionTypes},
		{"an answer with another key", 2, encrypted(18, 128), WrongKey},
		{"an empty answer", 2, encrypted(18, 0), WrongKey},
		{"another key in turn 3", 3, encrypted(18, 128), BadAnswer},
		{"another nonce", 2, part(func(p *messages.EncKDCRepPart) { p.Nonce++ }), BadAnswer},
		{"another nonce in turn 3", 3, part(func(p *messages.EncKDCRepPart) { p.Nonce++ }), BadAnswer},
		{"a ticket of another client", 2, fields(func(f *messages.KDCRepFields) { f.CName = nameOf("mallory") }),
			BadAnswer},
		{"a ticket for another service", 3, about("kafka", mallory), BadAnswer},
		{"another ticket than it names", 3, fields(func(f *messages.KDCRepFields) {
			f.Ticket.SName = nameOf("kafka", mallory)
		}), BadAnswer},
		{"another ticket than a granting one", 2, about("kadmin", "changepw"), BadAnswer},
		{"an expired ticket", 2, part(func(p *messages.EncKDCRepPart) { p.EndTime = p.StartTime.Add(-time.Second) }),
			ClockSkew},
		{"a ticket of tomorrow", 3, part(func(p *messages.EncKDCRepPart) {
			p.StartTime, p.EndTime = p.StartTime.Add(24*time.Hour), p.EndTime.Add(24*time.Hour)
		}), ClockSkew},
		{"a key of RC4 for the service", 3, part(func(p *messages.EncKDCRepPart) {
			p.Key = types.EncryptionKey{KeyType: 23, KeyValue: make([]byte, 16)}
		}), EncryptionTypes},
		{"a key for the service that is too short", 3, part(func(p *messages.EncKDCRepPart) {
			p.Key.KeyValue = p.Key.KeyValue[:8]
		}), EncryptionTypes},
		{"a referral to the same realm", 3, about("krbtgt", fakeRealm), BadAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKDC()
			k.nth(c.turn, c.lie)
			ticket, err := ticketFor(k.alice(), "broker.example.org")
			mustFail(t, err, c.want)
			if ticket != nil {
				t.Errorf("got the ticket %v, want none", ticket.Server)
			}
			porttest.NoSecrets(t, "the error", err, k.secrets()...)
		})
	}
}

func TestReferralsAreBounded(t *testing.T) {
	k := newKDC()
	hops := 0
	var count atomic.Int32
	k.respond = func(request []byte) []byte {
		if count.Add(1) < 3 {
			return nil
		}
		hops++
		return about("krbtgt", strings.Repeat("X", hops))(k, request)
	}
	o := k.options()
	for n := 1; n <= maxRealms; n++ {
		o.Config += " " + strings.Repeat("X", n) + " = {\n  kdc = kdc.example.org\n }\n"
	}
	mustFail(t, saslpeer.Err(ticketFor(saslpeer.Must(New(o)), "broker.example.org")), BadAnswer)
	saslpeer.Equal(t, "realms", hops, maxRealms)
}

func TestEachKDCIsTried(t *testing.T) {
	k := newKDC()
	var dialed []string
	o := k.options()
	o.Config = strings.Replace(fakeConfig, "kdc = kdc.example.org",
		"kdc = dead.example.org:88\n  kdc = [2001:db8::1]\n  kdc = 2001:db8::2", 1)
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, network+" "+address)
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
		return k.dial(ctx, network, address)
	}
	saslpeer.Must(ticketFor(saslpeer.Must(New(o)), "broker.example.org"))
	// Each in its turn, and then the one that answered.
	want := "tcp dead.example.org:88 tcp [2001:db8::1]:88 tcp [2001:db8::2]:88 tcp [2001:db8::2]:88 tcp " +
		"[2001:db8::2]:88"
	saslpeer.Equal(t, "dialed", strings.Join(dialed, " "), want)

	o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded }
	_, err := ticketFor(saslpeer.Must(New(o)), "broker.example.org")
	saslpeer.Equal(t, "the realm", mustFail(t, err, KDCUnreachable).Principal, fakeRealm)
	saslpeer.ErrorIs(t, "three KDCs", err, os.ErrDeadlineExceeded)
	saslpeer.ErrorSays(t, "three KDCs", err, ": i/o timeout; i/o timeout; i/o timeout")
	o.Principal = "alice@NOWHERE.ORG"
	_, err = ticketFor(saslpeer.Must(New(o)), "broker.example.org")
	saslpeer.Equal(t, "the realm", mustFail(t, err, UnknownRealm).Principal, "NOWHERE.ORG")
}

func TestKDCLookup(t *testing.T) {
	k := newKDC()
	o := k.options()
	o.Principal, o.Config = "alice@EXAMPLE.ORG", "[libdefaults]\n clockskew = 300\n"
	var asked, dialed []string
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return k.dial(ctx, network, address)
	}
	c := saslpeer.Must(New(o))
	var records []*net.SRV
	failure := error(&net.DNSError{Err: "no such host", IsNotFound: true})
	c.kdc.srv = func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
		asked = append(asked, service+" "+proto+" "+name)
		return "", records, failure
	}
	_, err := ticketFor(c, "broker.example.org")
	saslpeer.ErrorIs(t, "no KDC in DNS", mustFail(t, err, UnknownRealm), failure)
	records, failure = []*net.SRV{{Target: "kdc.example.org.", Port: 8888}}, nil
	saslpeer.Must(ticketFor(c, "broker.example.org"))
	saslpeer.Equal(t, "asked of DNS", fmt.Sprint(slices.Compact(asked)), "[kerberos tcp EXAMPLE.ORG.]") // as MIT krb5
	saslpeer.Equal(t, "dialed", fmt.Sprint(slices.Compact(dialed)), "[kdc.example.org:8888]")
}

// TestMain finds what a silent KDC leaves behind.
func TestSilentKDC(t *testing.T) {
	o := newKDC().options()
	o.KDCTimeout = time.Millisecond
	silent := make(chan net.Conn, 10)
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		silent <- there
		return here, nil
	}
	_, err := ticketFor(saslpeer.Must(New(o)), "broker.example.org")
	saslpeer.ErrorIs(t, "a silent KDC", mustFail(t, err, KDCUnreachable), context.DeadlineExceeded)

	o.KDCTimeout = time.Hour
	<-silent
	c := saslpeer.Must(New(o))
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error)
	go func() {
		_, err := c.Ticket(ctx, c.Service("kafka", "broker.example.org"))
		failed <- err
	}()
	there := <-silent
	cancel()
	saslpeer.ErrorIs(t, "a canceled request", <-failed, context.Canceled)
	if _, err := io.ReadAll(there); err != nil { // the connection is closed now and not after an hour
		t.Error(err)
	}
}

// Nothing that can be printed shows a key, a password or a ticket.
func TestClientShowsNoSecret(t *testing.T) {
	k := newKDC()
	keytab := k.options()
	keytab.Password, keytab.KeytabData = ports.Secret{}, ports.NewSecret(string(k.keytab()))
	for _, o := range []Options{k.options(), keytab, k.cached(cacheFile(t, k.ticket("krbtgt", fakeRealm)))} {
		c := saslpeer.Must(New(o))
		saslpeer.Must(ticketFor(c, "broker.example.org"))
		for _, kept := range []any{c, c.kdc, o, &o} {
			porttest.NoSecrets(t, "what is kept", kept, k.secrets()...)
		}
	}
}
