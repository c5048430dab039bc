package simtest_test

import (
	"context"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
	"brokerconn/application/simtest"
	"brokerconn/ports"
)

// rotation is what a user has: it reads the password of a Conn from a vault, again and again, and
// gives each new one to the Conn.
type rotation struct {
	conn  *broker.Conn
	vault func() (password string)
	last  string

	midway atomic.Int32 // passwords that were new during a login
}

func (r *rotation) Run(ctx context.Context, every time.Duration) error {
	for ctx.Err() == nil {
		if password := r.vault(); password != r.last {
			login, err := scram.New(scram.SHA256, scram.Options{Username: simtest.User,
				Password: ports.NewSecret(password)})
			if err != nil {
				return err
			}
			if r.conn.State() == broker.Authenticating {
				r.midway.Add(1)
			}
			r.conn.SetAuthenticators(login)
			r.last = password
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
	return nil
}

// Passwords that change while a login with the last one is under way leave a Conn that is logged in
// with the new one.
func TestPasswordChangesDuringLogins(t *testing.T) {
	o := simtest.Options{Seeds: 5, Mechanisms: []string{"SCRAM-SHA-256"}, Session: 5 * time.Second}
	var midway atomic.Int32
	simtest.Run(t, o, func(w *simtest.World) {
		var password atomic.Value
		draw := w.Rand()
		password.Store(simtest.Password)
		conn, _ := broker.NewConn(w.Config(0))
		defer conn.Close()
		r := &rotation{conn: conn, vault: func() string { return password.Load().(string) }, last: simtest.Password}
		w.Go(func() { _ = r.Run(w.Context(), 100*time.Millisecond) })
		w.Go(func() {
			w.Chaos(time.Minute, simtest.Cut, simtest.ExpireSessions, simtest.Slow(time.Second, 4*time.Second))
		})
		for n := 0; w.Elapsed() < time.Minute; n++ {
			next := fmt.Sprintf("canary-%d", n)
			password.Store(next)
			w.SetPassword(next)
			answers(w, conn)
			w.Sleep(time.Duration(draw.IntN(1e9)))
		}
		w.Eventually(30*time.Second, func() bool { return conn.Reauthenticate(w.Context()) == nil })
		midway.Add(r.midway.Load())
	})
	if midway.Load() == 0 && flag.Lookup("sim.seed").Value.String() == "0" {
		t.Error("no password has changed during a login")
	}
}
