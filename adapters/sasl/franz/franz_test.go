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

	"brokerconn/adapters/sasl/franz"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const canary = "canary-4711"

func inline(work func()) { work() }

// server accepts one message and answers with an empty one.
func server(message string) func() func([]byte) ([]byte, error) {
	return func() func([]byte) ([]byte, error) {
		return func(response []byte) ([]byte, error) {
			if string(response) != message {
				return nil, fmt.Errorf("got %d bytes, want %d", len(response), len(message))
			}
			return nil, nil
		}
	}
}

func scramServer(t *testing.T, hash scram.HashGeneratorFcn) func() func([]byte) ([]byte, error) {
	client, err := hash.NewClientUnprepped("alice", canary, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "sixteen bytes of", Iters: 4096})
	if err != nil {
		t.Fatal(err)
	}
	server, err := hash.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Fatal(err)
	}
	return func() func([]byte) ([]byte, error) {
		c := server.NewConversation()
		return func(response []byte) ([]byte, error) {
			answer, err := c.Step(string(response))
			return []byte(answer), err
		}
	}
}

// The mechanisms of franz-go itself.
func TestContract(t *testing.T) {
	plain, bearer := franzplain.Auth{User: "alice", Pass: canary}.AsMechanism(), oauth.Auth{Token: canary}.AsMechanism()
	for _, c := range []struct {
		mechanism sasl.Mechanism
		options   franz.Options
		server    func() func([]byte) ([]byte, error)
		exposes   bool
	}{
		{plain, franz.Options{}, server("\x00alice\x00" + canary), true},
		{plain, franz.Options{Runner: inline}, server("\x00alice\x00" + canary), true},
		{franzscram.Auth{User: "alice", Pass: canary}.AsSha256Mechanism(), franz.Options{},
			scramServer(t, scram.SHA256), false},
		{franzscram.Auth{User: "alice", Pass: canary, IsToken: true}.AsSha512Mechanism(), franz.Options{Runner: inline},
			scramServer(t, scram.SHA512), false},
		{bearer, franz.Options{}, server("n,,\x01auth=Bearer " + canary + "\x01\x01"), true},
	} {
		t.Run(c.mechanism.Name(), func(t *testing.T) {
			a := franz.New(c.mechanism, c.options)
			if a.Mechanism() != c.mechanism.Name() || a.Exposes() != c.exposes {
				t.Errorf("got the mechanism %s, Exposes %v", a.Mechanism(), a.Exposes())
			}
			porttest.Authenticator(t, porttest.AuthenticatorCase{
				Authenticator: a,
				Endpoint:      ports.Endpoint{Host: "b", Network: "tcp", Address: "127.0.0.1:9092"},
				NewServer:     c.server,
				Secrets:       []string{canary},
			})
		})
	}
}

// AWS's mechanism signs the host of host:port and requires a non-empty answer.
func TestAWS(t *testing.T) {
	a := franz.New(aws.Auth{AccessKey: "AKID", SecretKey: canary}.AsManagedStreamingIAMMechanism(),
		franz.Options{Runner: inline})
	if a.Mechanism() != "AWS_MSK_IAM" || !a.Exposes() {
		t.Errorf("got the mechanism %s, Exposes %v", a.Mechanism(), a.Exposes())
	}
	const host = "b-1.demo.kafka.eu-west-1.amazonaws.com"
	for _, answer := range []string{`{"version":"2020_10_22"}`, ""} {
		ex := a.Begin(ports.Endpoint{Host: host, Network: "tcp", Address: "10.0.0.1:9098"})
		ex.Next(nil)
		response, done, err := ex.Result()
		if !bytes.Contains(response, []byte(`"host":"`+host+`"`)) || bytes.Contains(response, []byte(canary)) || done ||
			err != nil {
			t.Errorf("got %q, %v, %v", response, done, err)
		}
		ex.Next([]byte(answer))
		response, done, err = ex.Result()
		if response != nil || done != (answer != "") || (err == nil) != (answer != "") {
			t.Errorf("answer %q: got %q, %v, %v", answer, response, done, err)
		}
		ex.Close()
	}
}

// scripted is a mechanism with fixed responses that records its arguments.
type scripted struct {
	first    []byte
	err      error
	nothing  bool // no session
	answers  []answer
	calls    *[]string
	contexts *[]context.Context
}

type answer struct {
	done     bool
	response []byte
	err      error
}

func (s scripted) Name() string { return "X-SCRIPTED" }

func (s scripted) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	*s.calls = append(*s.calls, host)
	if s.contexts != nil {
		*s.contexts = append(*s.contexts, ctx)
	}
	if s.nothing {
		return nil, s.first, s.err
	}
	return &session{s, 0}, s.first, s.err
}

type session struct {
	script scripted
	step   int
}

func (s *session) Challenge(challenge []byte) (bool, []byte, error) {
	*s.script.calls = append(*s.script.calls, fmt.Sprintf("%q", challenge))
	a := s.script.answers[s.step]
	s.step++
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

// core is the core's loop over an exchange.
func core(ex ports.Exchange, broker func(n int) []byte) (sent []string, err error) {
	defer ex.Close()
	ex.Next(nil)
	for {
		response, done, err := ex.Result()
		switch {
		case err != nil && response != nil:
			return append(sent, string(response)), err
		case err != nil:
			return sent, err
		case response == nil && done:
			return sent, nil
		case response == nil:
			return sent, errors.New("no response and not done")
		}
		sent = append(sent, string(response))
		challenge := broker(len(sent))
		if done {
			return sent, nil
		}
		ex.Next(append([]byte{}, challenge...))
	}
}

// Broker and mechanism get the same messages as with franz-go.
func TestLoopEqualsFranzGo(t *testing.T) {
	lost := errors.New("lost")
	for name, s := range map[string]scripted{
		"done at once":         {first: []byte("a"), answers: []answer{{true, nil, nil}}},
		"done at once, empty":  {first: []byte("a"), answers: []answer{{true, []byte{}, nil}}},
		"done with a response": {first: []byte("a"), answers: []answer{{true, []byte("b"), nil}}},
		"three messages": {first: []byte("a"),
			answers: []answer{{false, []byte("b"), nil}, {false, []byte("c"), nil}, {true, nil, nil}}},
		"an empty response (GSSAPI)": {first: []byte("a"),
			answers: []answer{{false, []byte{}, nil}, {false, []byte("c"), nil}, {true, nil, nil}}},
		"no response, not done (GSSAPI)": {first: []byte("a"),
			answers: []answer{{false, nil, nil}, {true, []byte("c"), nil}}},
		"no first message":             {answers: nil},
		"an empty first message":       {first: []byte{}},
		"no token available":           {err: lost, nothing: true},
		"a word with an error":         {first: []byte("a"), err: lost},
		"refused (SCRAM, OAUTHBEARER)": {first: []byte("a"), answers: []answer{{false, nil, lost}}},
		"refused with a response":      {first: []byte("a"), answers: []answer{{true, []byte("b"), lost}}},
	} {
		var theirs, ours []string
		broker := func(n int) []byte {
			if n%2 == 0 {
				return nil
			}
			return fmt.Appendf(nil, "challenge %d", n)
		}
		s.calls = &theirs
		wantSent, wantErr := kgo(s, "kafka.test:9093", broker)
		s.calls = &ours
		a := franz.New(s, franz.Options{Runner: inline})
		gotSent, gotErr := core(a.Begin(ports.Endpoint{Host: "kafka.test", Network: "tcp", Address: "10.0.0.1:9093"}),
			broker)
		if fmt.Sprintf("%q", gotSent) != fmt.Sprintf("%q", wantSent) || (gotErr == nil) != (wantErr == nil) ||
			fmt.Sprint(ours) != fmt.Sprint(theirs) {
			t.Errorf("%s: got %q, %v, %v, want as franz-go %q, %v, %v", name, gotSent, ours, gotErr, wantSent, theirs,
				wantErr)
		}
		if wantErr == lost && !errors.Is(gotErr, lost) {
			t.Errorf("%s: got %v, want it to wrap %v", name, gotErr, lost)
		}
	}
	// franz-go would call a nil session.
	var calls []string
	_, err := core(franz.New(scripted{first: []byte("a"), nothing: true, calls: &calls},
		franz.Options{Runner: inline}).Begin(ports.Endpoint{}), nil)
	if err == nil || !strings.Contains(err.Error(), "no first message") {
		t.Errorf("got %v, want no first message", err)
	}
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
		var calls []string
		a := franz.New(scripted{first: []byte("a"), calls: &calls}, franz.Options{Runner: inline})
		ex := a.Begin(c.endpoint)
		ex.Next(nil)
		ex.Close()
		if len(calls) != 1 || calls[0] != c.want {
			t.Errorf("%+v: got %q, want %q", c.endpoint, calls, c.want)
		}
	}
}

// The context lasts from step to step and ends with the login.
func TestContextEndsWithLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []string
		var contexts []context.Context
		ex := franz.New(scripted{first: []byte("a"), calls: &calls, contexts: &contexts},
			franz.Options{}).Begin(ports.Endpoint{})
		ex.Next(nil)
		synctest.Wait()
		if len(contexts) != 1 || contexts[0].Err() != nil {
			t.Fatalf("got the contexts %v, want a running one", contexts)
		}
		ex.Close()
		if contexts[0].Err() == nil {
			t.Error("got a running context after Close, want it canceled")
		}
	})
}

func TestMechanismPanics(t *testing.T) {
	var calls []string
	a := franz.New(scripted{first: []byte("a"), calls: &calls}, franz.Options{Runner: inline}) // it has no answers
	ex := a.Begin(ports.Endpoint{})
	defer ex.Close()
	ex.Next(nil)
	ex.Next([]byte{})
	if response, done, err := ex.Result(); response != nil || done || err == nil ||
		!strings.Contains(err.Error(), "panic of a runtime.boundsError") {
		t.Errorf("got %q, %v, %v", response, done, err)
	}
	defer func() {
		if p := recover(); p != "franz: New without a mechanism" {
			t.Errorf("got the panic %v", p)
		}
	}()
	franz.New(nil, franz.Options{})
}

func TestExposes(t *testing.T) {
	for name, want := range map[string]bool{
		"PLAIN": true, "OAUTHBEARER": true, "AWS_MSK_IAM": true, "X-OWN": true, "SCRAM": true,
		"SCRAM-SHA-256": false, "SCRAM-SHA-512": false, "SCRAM-SHA-512-PLUS": false, "GSSAPI": false,
	} {
		if got := franz.New(named(name), franz.Options{}).Exposes(); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
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
