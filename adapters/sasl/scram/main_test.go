package scram

import (
	"sync/atomic"
	"testing"

	"github.com/xdg-go/scram"
	"go.uber.org/goleak"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "canary-4711"

func newScram(h Hash, o Options) *Authenticator { return saslpeer.Must(New(h, o)) }

func logIn(a *Authenticator, broker saslpeer.Broker) error {
	return saslpeer.LogIn(a, ports.Endpoint{}, broker)
}

// alice returns the options of a login with the canary as password, in one goroutine.
func alice() Options {
	return Options{Username: "alice", Password: ports.NewSecret(canary), Runner: saslpeer.Inline}
}

// counted returns an authenticator whose derivations are counted.
func counted(h Hash, o Options) (*Authenticator, *atomic.Int64) {
	a := newScram(h, o)
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

func wantDerived(t *testing.T, n *atomic.Int64, want int64) {
	t.Helper()
	saslpeer.Equal(t, "derivations", n.Load(), want)
}

// peer is the library's server with one user.
type peer struct {
	hash     Hash
	username string
	password string
	factors  scram.KeyFactors
}

// keys are what a broker stores of the password.
func (p peer) keys() scram.StoredCredentials {
	return saslpeer.Keys(hashes[p.hash].generate, p.password, p.factors)
}

// serve returns the broker's side of logins.
func (p peer) serve() func() saslpeer.Broker {
	return saslpeer.Scram(hashes[p.hash].generate, p.username, p.keys())
}

var salt16 = scram.KeyFactors{Salt: "sixteen bytes of", Iters: 4096}

func theirs() peer { return peer{SHA256, "alice", canary, salt16} }
