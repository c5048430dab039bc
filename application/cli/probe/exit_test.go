package probe

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/properties"
)

func TestExitCode(t *testing.T) {
	failure := func(kind, cause error) error { return &broker.Error{Kind: kind, Cause: cause} }
	during := func(phase broker.State, kind error) error { return &broker.Error{Kind: kind, Phase: phase} }
	no := &broker.BrokerError{Code: 129}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("anything"), exitFailed},
		{&answerError{}, exitFailed},
		{usagef("no such thing"), exitUsage},
		{failure(broker.ErrEncode, nil), exitUsage},
		{failure(broker.ErrUnsupportedVersion, nil), exitFailed},
		{failure(broker.ErrResolve, nil), exitDNS},
		{failure(broker.ErrDial, nil), exitTCP},
		{during(broker.Connected, broker.ErrConnection), exitTCP},
		{during(broker.Connecting, broker.ErrNotReady), exitTCP},
		{failure(broker.ErrTLS, nil), exitTLS},
		{failure(broker.ErrTLSExpected, nil), exitTLS},
		{failure(broker.ErrNotKafka, nil), exitProtocol},
		{failure(broker.ErrProtocol, io.ErrUnexpectedEOF), exitProtocol},
		{failure(broker.ErrOutOfOrder, nil), exitProtocol},
		{failure(broker.ErrProtocol, no), exitFailed},
		{during(broker.NegotiatingVersions, broker.ErrConnection), exitProtocol},
		{failure(broker.ErrAuthentication, no), exitAuthentication},
		{failure(broker.ErrUnsupportedMechanism, no), exitAuthentication},
		{during(broker.Authenticating, broker.ErrConnection), exitAuthentication},
		{failure(broker.ErrSetupTimeout, nil), exitTimeout},
		{&broker.Error{Kind: broker.ErrSetupTimeout, Phase: broker.Connecting, Address: "a:1"}, exitTCP},
		{&broker.Error{Kind: broker.ErrSetupTimeout, Phase: broker.Connecting}, exitTimeout},
		{&broker.Error{Kind: broker.ErrSetupTimeout, Phase: broker.Handshake, Address: "a:1"}, exitTimeout},
		{failure(broker.ErrRequestTimeout, nil), exitTimeout},
		{failure(broker.ErrCanceled, failure(broker.ErrDial, nil)), exitTimeout},
		{&timeoutError{time.Second}, exitTimeout},
		{failure(broker.ErrClosed, failure(broker.ErrResolve, nil)), exitDNS},
		{failure(broker.ErrNotReady, failure(broker.ErrAuthentication, nil)), exitAuthentication},
		{errInterrupted, exitInterrupted},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
		if got := exitCode(fmt.Errorf("wrapped: %w", c.err)); c.err != nil && got != c.want {
			t.Errorf("wrapped %v: got %d, want %d", c.err, got, c.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	got := oneLine("first\r\nsecond \x1b[31mred\x00 é\n")
	if want := "first; second ?[31mred? é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDidYouMean(t *testing.T) {
	for _, c := range []struct{ written, want string }{
		{"metadta", "Metadata"},
		{"APIVERSION", "ApiVersions"},
		{"coordinator", "FindCoordinator"},
		{"xyzzy", ""},
	} {
		got := properties.DidYouMean(c.written, requestNames())
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.written, got, c.want)
		}
	}
}
