package plain_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const canary = "canary-4711"

func newPlain(o plain.Options) *plain.Authenticator { return saslpeer.Must(plain.New(o)) }

func TestContract(t *testing.T) {
	secret := ports.NewSecret(canary)
	ask := func(context.Context) (sasl.Credentials, error) {
		return sasl.Credentials{Username: "alice", Password: secret}, nil
	}
	for name, o := range map[string]plain.Options{
		"fixed":           {Username: "alice", Password: secret},
		"source":          {Credentials: ask},
		"source, inline":  {Credentials: ask, Runner: saslpeer.Inline},
		"source, for bob": {Credentials: ask, Authzid: "bob"},
		"fixed, delegate": {Username: "alice", Password: secret, Authzid: "bob"},
	} {
		t.Run(name, func(t *testing.T) {
			message := o.Authzid + "\x00alice\x00" + canary
			saslpeer.Contract(t, newPlain(o), "PLAIN", true, saslpeer.Accept(message), canary)
			porttest.NoSecrets(t, "the options", o, canary)
		})
	}
}

// The two messages of RFC 4616, section 4, and names outside of ASCII.
func TestMessages(t *testing.T) {
	for _, c := range []struct{ authzid, username, password, message string }{
		{"", "tim", "tanstaaftanstaaf", "\x00tim\x00tanstaaftanstaaf"},
		{"Ursel", "Kurt", "xipj3plmq", "Ursel\x00Kurt\x00xipj3plmq"},
		{"", "a,b=c", "p,q=r", "\x00a,b=c\x00p,q=r"},
		{"Åse", "Jürgen", "пароль\U0001F511", "Åse\x00Jürgen\x00пароль\U0001F511"},
	} {
		a := newPlain(plain.Options{Username: c.username, Password: ports.NewSecret(c.password), Authzid: c.authzid})
		saslpeer.ErrorIs(t, c.message, saslpeer.LogIn(a, ports.Endpoint{}, saslpeer.Accept(c.message)()), nil)
	}
}

// A broker may echo the password.
func TestNonEmptyAnswerFailsLogin(t *testing.T) {
	ex := saslpeer.Begin(t, newPlain(plain.Options{Username: "alice", Password: ports.NewSecret(canary)}))
	ex.Next(nil)
	response, done, err := saslpeer.Step(ex, []byte("\x00alice\x00"+canary))
	if response != nil || done || !errors.Is(err, sasl.ErrUnexpected) {
		t.Errorf("got %q, %v, %v, want ErrUnexpected", response, done, err)
	}
	saslpeer.ErrorSays(t, "an echo", err, "18 bytes", canary, "alice")
}

// More about Username and Password is in the tests of package sasl.
func TestNewRefuses(t *testing.T) {
	bad := canary + "\xff"
	ask := func(context.Context) (sasl.Credentials, error) { return sasl.Credentials{}, nil }
	for _, c := range []struct {
		o    plain.Options
		want string
	}{
		{plain.Options{}, "sasl: Username: not given\nsasl: Password: not given"},
		{plain.Options{Username: "a", Password: ports.NewSecret(canary), Authzid: "a\x00b"},
			"sasl: Authzid: contains a NUL"},
		{plain.Options{Username: "\xff", Password: ports.NewSecret(bad), Authzid: "\xff"},
			"sasl: Username: not UTF-8\nsasl: Password: not UTF-8\nsasl: Authzid: not UTF-8"},
		{plain.Options{Username: "a", Credentials: ask},
			"sasl: Credentials: set together with Username or Password: keep one"},
	} {
		a, err := plain.New(c.o)
		if a != nil || !saslpeer.Is[*sasl.OptionError](err) || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
		porttest.NoSecrets(t, "the error", err, canary)
	}
}

// The source is called at each login, on another goroutine, and its context ends when
// the login is closed.
func TestSourceIsCalledAtEachLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logins, ended := 0, false
		a := newPlain(plain.Options{Credentials: func(ctx context.Context) (sasl.Credentials, error) {
			if logins++; logins == 3 {
				<-ctx.Done()
				ended = true
				return sasl.Credentials{}, ctx.Err()
			}
			return sasl.Credentials{Username: "alice", Password: ports.NewSecret(fmt.Sprint(canary, logins))}, nil
		}})
		for _, want := range []string{"\x00alice\x00canary-47111", "\x00alice\x00canary-47112"} {
			saslpeer.Succeed(t, saslpeer.LogIn(a, ports.Endpoint{}, saslpeer.Accept(want)()))
		}
		ex := a.Begin(ports.Endpoint{})
		ex.Next(nil)
		synctest.Wait()
		_, _, err := ex.Result()
		saslpeer.Equal(t, "while the source runs", err, ports.ErrWouldBlock)
		ex.Close()
		synctest.Wait()
		saslpeer.Equal(t, "the context is canceled", ended, true)
	})
}
