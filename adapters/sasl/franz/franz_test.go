package franz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	franzplain "github.com/twmb/franz-go/pkg/sasl/plain"
	franzscram "github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/xdg-go/scram"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/franz"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const canary = "canary-4711"

var inline = franz.Options{Runner: saslpeer.Inline}

func scramBroker(hash scram.HashGeneratorFcn) func() saslpeer.Broker {
	f := scram.KeyFactors{Salt: "sixteen bytes of", Iters: 4096}
	return saslpeer.Scram(hash, "alice", saslpeer.Keys(hash, canary, f))
}

// The mechanisms of franz-go itself.
func TestContract(t *testing.T) {
	plain, bearer := franzplain.Auth{User: "alice", Pass: canary}.AsMechanism(), oauth.Auth{Token: canary}.AsMechanism()
	user := franzscram.Auth{User: "alice", Pass: canary}
	token := user
	token.IsToken = true
	ofPlain := saslpeer.Accept("\x00alice\x00" + canary)
	for _, c := range []struct {
		mechanism sasl.Mechanism
		options   franz.Options
		server    func() saslpeer.Broker
		exposes   bool
	}{
		{plain, franz.Options{}, ofPlain, true},
		{plain, inline, ofPlain, true},
		{user.AsSha256Mechanism(), franz.Options{}, scramBroker(scram.SHA256), false},
		{token.AsSha512Mechanism(), inline, scramBroker(scram.SHA512), false},
		{bearer, franz.Options{}, saslpeer.Accept("n,,\x01auth=Bearer " + canary + "\x01\x01"), true},
	} {
		t.Run(c.mechanism.Name(), func(t *testing.T) {
			saslpeer.Contract(t, franz.New(c.mechanism, c.options), c.mechanism.Name(), c.exposes, c.server, canary)
		})
	}
}

// AWS's mechanism signs the host of host:port and requires a non-empty answer.
func TestAWS(t *testing.T) {
	a := franz.New(aws.Auth{AccessKey: "AKID", SecretKey: canary}.AsManagedStreamingIAMMechanism(), inline)
	saslpeer.Equal(t, "the mechanism", a.Mechanism(), "AWS_MSK_IAM")
	saslpeer.Equal(t, "Exposes", a.Exposes(), true)
	const host = "b-1.demo.kafka.eu-west-1.amazonaws.com"
	for _, answer := range []string{`{"version":"2020_10_22"}`, ""} {
		ex := a.Begin(ports.Endpoint{Host: host, Network: "tcp", Address: "10.0.0.1:9098"})
		response, done, err := saslpeer.Step(ex, nil)
		if !bytes.Contains(response, []byte(`"host":"`+host+`"`)) || bytes.Contains(response, []byte(canary)) || done ||
			err != nil {
			t.Errorf("got %q, %v, %v", response, done, err)
		}
		response, done, err = saslpeer.Step(ex, []byte(answer))
		if response != nil || done != (answer != "") || (err == nil) != (answer != "") {
			t.Errorf("answer %q: got %q, %v, %v", answer, response, done, err)
		}
		ex.Close()
	}
}

// scripted is a mechanism with fixed responses that records its arguments. It is its session.
type scripted struct {
	first    []byte
	err      error
	nothing  bool // no session
	answers  []answer
	calls    []string
	contexts []context.Context
}

type answer struct {
	done     bool
	response []byte
	err      error
}

func (s *scripted) Name() string { return "X-SCRIPTED" }

func (s *scripted) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	s.calls, s.contexts = append(s.calls, host), append(s.contexts, ctx)
	if s.nothing {
		return nil, s.first, s.err
	}
	return s, s.first, s.err
}

func (s *scripted) Challenge(challenge []byte) (bool, []byte, error) {
	a := s.answers[len(s.calls)-1]
	s.calls = append(s.calls, fmt.Sprintf("%q", challenge))
	return a.done, a.response, a.err
}

// kgo is franz-go's loop (kgo, brokerCxn.doSasl, with SaslAuthenticate). It returns the
// messages sent and the error.
func kgo(m sasl.Mechanism, host string, broker func(n int) []byte) (sent []string, err error) {
	session, clientWrite, err := m.Authenticate(context.Background(), host)
	if err != nil {
		return nil, err
	}
	if len(clientWrite) == 0 {
		return nil, errors.New("unexpected server-write sasl")
	}
	for done := false; !done || len(clientWrite) > 0; {
		sent = append(sent, string(clientWrite))
		challenge := broker(len(sent))
		clientWrite = nil
		if !done {
			if done, clientWrite, err = session.Challenge(challenge); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// Broker and mechanism get the same messages as with franz-go.
func TestLoopEqualsFranzGo(t *testing.T) {
	lost := errors.New("lost")
	a, b, c := []byte("a"), []byte("b"), []byte("c")
	for name, s := range map[string]scripted{
		"done at once":         {first: a, answers: []answer{{true, nil, nil}}},
		"done at once, empty":  {first: a, answers: []answer{{true, []byte{}, nil}}},
		"done with a response": {first: a, answers: []answer{{true, b, nil}}},
		"three messages":       {first: a, answers: []answer{{false, b, nil}, {false, c, nil}, {true, nil, nil}}},
		"an empty response (GSSAPI)": {first: a,
			answers: []answer{{false, []byte{}, nil}, {false, c, nil}, {true, nil, nil}}},
		"no response, not done (GSSAPI)": {first: a, answers: []answer{{false, nil, nil}, {true, c, nil}}},
		"no first message":               {answers: nil},
		"an empty first message":         {first: []byte{}},
		"no token available":             {err: lost, nothing: true},
		"a word with an error":           {first: a, err: lost},
		"refused (SCRAM, OAUTHBEARER)":   {first: a, answers: []answer{{false, nil, lost}}},
		"refused with a response":        {first: a, answers: []answer{{true, b, lost}}},
	} {
		theirs, ours, gotSent := s, s, []string(nil)
		broker := func(n int) []byte {
			if n%2 == 0 {
				return nil
			}
			return fmt.Appendf(nil, "challenge %d", n)
		}
		wantSent, wantErr := kgo(&theirs, "kafka.test:9093", broker)
		e := ports.Endpoint{Host: "kafka.test", Network: "tcp", Address: "10.0.0.1:9093"}
		gotErr := saslpeer.LogIn(franz.New(&ours, inline), e, func(response []byte) ([]byte, error) {
			gotSent = append(gotSent, string(response))
			return broker(len(gotSent)), nil
		})
		if fmt.Sprintf("%q", gotSent) != fmt.Sprintf("%q", wantSent) || (gotErr == nil) != (wantErr == nil) ||
			fmt.Sprint(ours.calls) != fmt.Sprint(theirs.calls) {
			t.Errorf("%s: got %q, %v, %v, want as franz-go %q, %v, %v", name, gotSent, ours.calls, gotErr, wantSent,
				theirs.calls, wantErr)
		}
		if wantErr == lost {
			saslpeer.ErrorIs(t, name, gotErr, lost)
		}
	}
	// franz-go would call a nil session.
	err := saslpeer.LogIn(franz.New(&scripted{first: a, nothing: true}, inline), ports.Endpoint{}, nil)
	saslpeer.ErrorSays(t, "no session", err, "no first message")
}

func TestHostIsTheConfiguredOne(t *testing.T) {
	for _, c := range []struct {
		endpoint ports.Endpoint
		want     string
	}{
		{ports.Endpoint{Host: "kafka.test", Network: "tcp", Address: "10.0.0.1:9093"}, "kafka.test:9093"},
		{ports.Endpoint{Host: "::1", Network: "tcp6", Address: "[::1]:9092"}, "[::1]:9092"},
		{ports.Endpoint{Host: "fe80::1%eth0", Network: "tcp6", Address: "[fe80::1%eth0]:9092"}, "[fe80::1%eth0]:9092"},
		{ports.Endpoint{Host: "kafka.test", Network: "tcp", Address: "proxied.test:1"}, "kafka.test:1"},
		{ports.Endpoint{Host: "kafka.test", Network: "unix", Address: "/run/kafka.sock"}, "kafka.test:0"},
	} {
		m := &scripted{first: []byte("a")}
		ex := franz.New(m, inline).Begin(c.endpoint)
		ex.Next(nil)
		ex.Close()
		saslpeer.Equal(t, c.want, strings.Join(m.calls, " "), c.want)
	}
}

// The context lasts from step to step and ends with the login.
func TestContextEndsWithLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &scripted{first: []byte("a")}
		ex := franz.New(m, franz.Options{}).Begin(ports.Endpoint{})
		ex.Next(nil)
		synctest.Wait()
		if len(m.contexts) != 1 || m.contexts[0].Err() != nil {
			t.Fatalf("got the contexts %v, want a running one", m.contexts)
		}
		ex.Close()
		saslpeer.ErrorIs(t, "the context after Close", m.contexts[0].Err(), context.Canceled)
	})
}

func TestMechanismPanics(t *testing.T) {
	ex := saslpeer.Begin(t, franz.New(&scripted{first: []byte("a")}, inline)) // it has no answers
	ex.Next(nil)
	if response, done, err := saslpeer.Step(ex, []byte{}); response != nil || done || err == nil ||
		!strings.Contains(err.Error(), "panic of a runtime.boundsError") {
		t.Errorf("got %q, %v, %v", response, done, err)
	}
	saslpeer.Panics(t, "franz: New without a mechanism", func() { franz.New(nil, franz.Options{}) })
}

func TestExposes(t *testing.T) {
	for name, want := range map[string]bool{
		"PLAIN": true, "OAUTHBEARER": true, "AWS_MSK_IAM": true, "X-OWN": true, "SCRAM": true,
		"SCRAM-SHA-256": false, "SCRAM-SHA-512": false, "SCRAM-SHA-512-PLUS": false, "GSSAPI": false,
	} {
		saslpeer.Equal(t, name, franz.New(named(name), franz.Options{}).Exposes(), want)
	}
}

// A mechanism may be a struct that contains a password.
func TestMechanismIsNotPrinted(t *testing.T) {
	a := franz.New(struct {
		named
		Pass string
	}{"X-OWN", canary}, franz.Options{})
	porttest.NoSecrets(t, "the authenticator", a, canary)
	porttest.NoSecrets(t, "the authenticator, copied", *a, canary)
}

type named string

func (n named) Name() string { return string(n) }
func (named) Authenticate(context.Context, string) (sasl.Session, []byte, error) {
	return nil, nil, errors.New("only a name")
}
