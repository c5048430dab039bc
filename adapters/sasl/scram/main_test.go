package scram

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/xdg-go/scram"
	"go.uber.org/goleak"

	"brokerconn/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "canary-4711"

func inline(work func()) { work() }

func newScram(t testing.TB, h Hash, o Options) *Authenticator {
	t.Helper()
	a, err := New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// alice returns the options of a login with the canary as password, in one goroutine.
func alice() Options {
	return Options{Username: "alice", Password: ports.NewSecret(canary), Runner: inline}
}

// counted returns an authenticator whose derivations are counted.
func counted(t testing.TB, h Hash, o Options) (*Authenticator, *atomic.Int64) {
	a := newScram(t, h, o)
	n := new(atomic.Int64)
	k := newKeyring(hashes[h].generate, o.Prepare)
	compute := k.compute
	k.compute = func(c *scram.Client, f scram.KeyFactors) (scram.StoredCredentials, error) {
		n.Add(1)
		return compute(c, f)
	}
	a.user = k.user
	return a, n
}

// peer is the library's server with one user.
type peer struct {
	hash     Hash
	username string
	password string
	factors  scram.KeyFactors
}

func (p peer) stored(t testing.TB) scram.StoredCredentials {
	client, err := hashes[p.hash].generate.NewClientUnprepped("", p.password, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := client.GetStoredCredentialsWithError(p.factors)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// serve returns the broker's side of logins.
func (p peer) serve(t testing.TB) func() func([]byte) ([]byte, error) {
	stored := p.stored(t)
	server, err := hashes[p.hash].generate.NewServer(func(username string) (scram.StoredCredentials, error) {
		if username != p.username {
			return scram.StoredCredentials{}, fmt.Errorf("unknown user %q", username)
		}
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() func([]byte) ([]byte, error) {
		c := server.NewConversation()
		return func(response []byte) ([]byte, error) {
			answer, err := c.Step(string(response))
			if c.Done() && !c.Valid() && err == nil {
				err = fmt.Errorf("the server is done and the login not valid")
			}
			return []byte(answer), err
		}
	}
}

var salt16 = scram.KeyFactors{Salt: "sixteen bytes of", Iters: 4096}

func theirs() peer { return peer{SHA256, "alice", canary, salt16} }

// converse performs a login with the broker f and returns its result.
func converse(a *Authenticator, f func(response []byte) (challenge []byte, err error)) (done bool, err error) {
	ex := a.Begin(ports.Endpoint{})
	defer ex.Close()
	ex.Next(nil)
	for range 5 {
		response, done, err := ex.Result()
		for err == ports.ErrWouldBlock {
			ended := make(chan struct{})
			ex.(ports.Watcher).Watch(func() { close(ended) })
			<-ended
			response, done, err = ex.Result()
		}
		if err != nil || done {
			return done, err
		}
		challenge, err := f(response)
		if err != nil {
			return false, fmt.Errorf("the broker: %w", err)
		}
		ex.Next(append([]byte{}, challenge...))
	}
	return false, errors.New("the login does not end")
}
