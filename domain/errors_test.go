package domain_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// What a caller may conclude from each kind of error.
func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		kind         error
		retriable    bool
		also, butNot []error
	}{
		{domain.ErrConnection, true, nil, []error{domain.ErrClosed, domain.ErrTimeout}},
		{domain.ErrClosed, true, []error{domain.ErrConnection}, []error{domain.ErrTimeout}},
		{domain.ErrResolve, true, []error{domain.ErrConnection}, nil},
		{domain.ErrDial, true, []error{domain.ErrConnection}, nil},
		{domain.ErrTLS, true, []error{domain.ErrConnection}, nil},
		{domain.ErrSetupTimeout, true, []error{domain.ErrTimeout, domain.ErrConnection}, nil},
		{domain.ErrRequestTimeout, true, []error{domain.ErrTimeout}, []error{domain.ErrConnection}},
		{domain.ErrNotReady, true, nil, []error{domain.ErrConnection}},
		{domain.ErrTooManyInFlight, true, nil, nil},
		{domain.ErrBackPressure, true, nil, nil},
		{domain.ErrProtocol, false, nil, []error{domain.ErrConnection}},
		{domain.ErrNotKafka, false, []error{domain.ErrProtocol}, nil},
		{domain.ErrTLSExpected, false, []error{domain.ErrNotKafka, domain.ErrProtocol}, nil},
		{domain.ErrFrameSize, false, []error{domain.ErrProtocol}, nil},
		{domain.ErrOutOfOrder, false, []error{domain.ErrProtocol}, nil},
		{domain.ErrUnsupportedVersion, false, nil, nil},
		{domain.ErrEncode, false, nil, nil},
		{domain.ErrAuthentication, false, nil, nil},
		{domain.ErrUnsupportedMechanism, false, []error{domain.ErrAuthentication}, nil},
		{domain.ErrCanceled, false, nil, nil},
		{domain.ErrPortPanic, false, []error{domain.ErrConnection}, nil},
	} {
		for _, sent := range []domain.Sent{domain.SentNothing, domain.SentPartly, domain.SentFully} {
			err := error(&domain.Error{Kind: c.kind, Broker: "broker:9092", Sent: sent, Cause: io.EOF})
			if got := domain.Retriable(err); got != c.retriable {
				t.Errorf("%v: got retriable %v, want %v", err, got, c.retriable)
			}
			if got, want := domain.SafeToRetry(err), c.retriable && sent != domain.SentFully; got != want {
				t.Errorf("%v: got safe to retry %v, want %v", err, got, want)
			}
			for _, is := range append(c.also, c.kind, io.EOF) {
				if !errors.Is(err, is) {
					t.Errorf("%v is not %v", err, is)
				}
			}
			for _, is := range c.butNot {
				if errors.Is(err, is) {
					t.Errorf("%v is %v", err, is)
				}
			}
		}
	}
	refused := &domain.Error{Kind: domain.ErrTLS, Cause: ports.ErrFinal}
	if domain.Retriable(refused) || !domain.Retriable(&domain.Error{Kind: domain.ErrTLS}) {
		t.Errorf("got retriable %v for a client certificate that is refused, want false; for others true",
			domain.Retriable(refused))
	}
	full := &domain.Error{Kind: domain.ErrConnection, Cause: &domain.BrokerError{Code: 7}}
	for _, cause := range []error{nil, domain.ErrThrottled, domain.ErrTooManyInFlight, full} {
		err := &domain.Error{Kind: domain.ErrCanceled, Cause: cause}
		if domain.Retriable(err) || domain.SafeToRetry(err) {
			t.Errorf("%v: got retriable, want false: the caller gave up", err)
		}
	}
	bystander := &domain.Error{Kind: domain.ErrConnection, Cause: &domain.Error{Kind: domain.ErrCanceled}}
	if !domain.Retriable(bystander) {
		t.Errorf("%v: got not retriable, want true: another caller gave up", bystander)
	}
	if domain.Retriable(nil) || domain.SafeToRetry(nil) || domain.Retriable(io.EOF) ||
		domain.SafeToRetry(domain.ErrConnection) {
		t.Error("an error of another origin is judged")
	}
}

// A refusal is an error of the request at hand; that the connection was lost for
// a login that failed stays visible beneath, and is not retried for its sake.
func TestRefusalAfterFailedLogin(t *testing.T) {
	r := newHarness(t, true, 3, nil)
	r.up(domain.Authenticating)
	r.up(domain.Disconnected)
	r.drain()
	for r.m.State() == domain.Authenticating && !r.asked {
		r.written(1 << 30)
		r.serve(false)
		r.read(1 << 30)
		r.drain()
	}
	r.token("", false, errors.New("no ticket"))
	r.drain()
	_, err := r.m.Send(r.now, newNote("x"), 0)
	if !errors.Is(err, domain.ErrConnection) || !errors.Is(err, domain.ErrAuthentication) || domain.Retriable(err) {
		t.Errorf("got %v, retriable %v, want a failed login, not retriable", err, domain.Retriable(err))
	}
}

// The text of a broker ends in logs, and may be anything.
func TestBrokerTextIsOneLine(t *testing.T) {
	long := strings.Repeat("ü", 1<<20)
	for text, want := range map[string]string{
		"no such user \u2014 or not":  "no such user \u2014 or not",
		"a\nb\x1b[2J\x00\u2028c\xffd": "a b [2J  c\ufffdd",
		long[:1000]:                   long[:1000],
		long:                          long[:1000] + "...",
		"x" + long:                    "x" + long[:998] + "...",
	} {
		broker := &domain.BrokerError{Code: 58, Message: text}
		if got, ok := strings.CutPrefix(broker.Error(), "the broker answered error 58: "); !ok || got != want {
			t.Errorf("got %.100q, want %.100q", got, want)
		}
		offer := &domain.MechanismError{Mechanism: "PLAIN", Offered: []string{text}}
		if got := offer.Error(); got != fmt.Sprintf("the broker has %q, not PLAIN", want) {
			t.Errorf("got %.100q", got)
		}
	}
}

// A literal of IPv6 is between brackets before a port (RFC 3986, section 3.2.2), as in kafka-python's and Java's
// bootstrap servers.
func TestBrokerIsHostAndPort(t *testing.T) {
	for host, want := range map[string]string{"kafka": "kafka:9092", "10.0.0.7": "10.0.0.7:9092", "::1": "[::1]:9092",
		"fe80::1%eth0": "[fe80::1%eth0]:9092"} {
		m := domain.NewMachine(domain.Complete(domain.Config{Host: host, Codec: &textCodec{}}))
		_, err := m.Send(time.Unix(1, 0), newNote("x"), 0)
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Broker != want {
			t.Errorf("%s: got %v, want an error of %s", host, err, want)
		}
	}
}
