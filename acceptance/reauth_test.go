//go:build acceptance

package acceptance

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestReauthentication: four callers, with five requests in flight and others waiting, use
// a listener with sessions of three seconds for a minute. No request fails, and the
// records of each are stored in order. A second run changes the password all the time.
func TestReauthentication(t *testing.T) {
	b := secured(t, Newest)
	for _, c := range []struct {
		name    string
		login   ports.Authenticator
		rotates bool
	}{
		{"sessions of three seconds", newPlain(t, PlainPassword), false},
		{"and a password that changes", newScram(t, "SCRAM-SHA-256", ScramPassword), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRenewal(t, b, strings.ReplaceAll(c.name, " ", "-"), c.login)
			r.run(time.Minute, c.rotates)
			r.check(c.rotates)
		})
	}
}

// renewal is one connection on the listener Reauth, with the counts of its callers.
type renewal struct {
	t    *testing.T
	b    *Broker
	name string // of the topic, which has one partition
	id   [16]byte
	conn *broker.Conn

	end             time.Time
	callers         sync.WaitGroup
	produced        atomic.Int64
	full            atomic.Int64 // seen: as many in flight as may be
	reauthenticated chan struct{}
	swaps           int // of the password
}

func newRenewal(t *testing.T, b *Broker, topic string, login ports.Authenticator) *renewal {
	r := &renewal{t: t, b: b, name: topic, reauthenticated: make(chan struct{}, 1)}
	r.id = topicNamed(t, connect(t, configOf(t, b)), topic)
	cfg := saslCell{b: b, listener: Reauth}.config(t, login)
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, l broker.LoginInfo, err error) {
		if l.Again && err == nil {
			select {
			case r.reauthenticated <- struct{}{}:
			default:
			}
		}
	}}
	r.conn = connect(t, cfg)
	return r
}

func (r *renewal) run(last time.Duration, rotates bool) {
	r.end = time.Now().Add(last)
	if rotates {
		r.callers.Go(r.rotate)
	}
	for caller := range 4 {
		for lane := range 2 {
			r.callers.Go(func() { r.produce(fmt.Sprintf("%d.%d", caller, lane)) })
		}
	}
	r.callers.Wait()
}

func (r *renewal) produce(lane string) {
	for n := 0; time.Now().Before(r.end); n++ {
		if r.conn.Stats().InFlight == 5 {
			r.full.Add(1)
		}
		req := produceRequest(r.name, r.id, -1, []byte(fmt.Sprint(lane, " ", n)))
		if _, err := produced(req.RequestWith(r.t.Context(), r.conn)); err != nil {
			r.t.Errorf("record %d of %s: got %v", n, lane, err)
			return
		}
		r.produced.Add(1)
	}
}

// rotate changes the password repeatedly, each time just after a reauthentication, so that
// the old one is not needed between the change and SetAuthenticators.
func (r *renewal) rotate() {
	for time.Now().Before(r.end.Add(-5 * time.Second)) {
		select {
		case <-r.reauthenticated:
		case <-r.t.Context().Done():
			return
		}
		r.swaps++
		password := fmt.Sprintf("%s-%d", ScramPassword, r.swaps)
		if err := setScramPassword(r.t, r.b, password); err != nil {
			r.t.Error(err)
			return
		}
		// The broker answers before it applies the new password.
		login := newScram(r.t, "SCRAM-SHA-256", password)
		cfg := saslCell{b: r.b, listener: Reauth}.config(r.t, login)
		eventually(r.t, "a new password", func() bool {
			conn, err := broker.Dial(r.t.Context(), cfg)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
		r.conn.SetAuthenticators(login)
	}
}

func (r *renewal) check(rotates bool) {
	t, s := r.t, r.conn.Stats()
	t.Logf("%d records, %d renewals, %d of them failed, %d logins, %d swaps of the password, %d times 5 in flight",
		r.produced.Load(), s.Relogins, s.ReloginsFailed, s.Logins, r.swaps, r.full.Load())
	if s.Relogins < 15 || s.Failed > 0 || s.ReloginsFailed > 0 || s.Logins != 1 || s.Ready != 1 {
		t.Errorf("got %+v, want at least 15 reauthentications and no failure", s)
	}
	if r.full.Load() == 0 {
		t.Error("got at most four in flight, want five")
	}
	if rotates && r.swaps < 5 {
		t.Errorf("got %d changes of the password, want 5", r.swaps)
	}
	next := map[string]int{}
	log := recordsOf(t, r.b, r.name, r.id)
	for _, record := range log {
		var lane string
		var n int
		if _, err := fmt.Sscan(record, &lane, &n); err != nil {
			continue // the end
		}
		if n != next[lane] {
			t.Fatalf("lane %[2]s: got record %[1]d, want %[3]d", n, lane, next[lane])
		}
		next[lane]++
	}
	total := 0
	for _, n := range next {
		total += n
	}
	if int64(total) != r.produced.Load() {
		t.Errorf("got %d records in the log, want %d", total, r.produced.Load())
	}
}

// setScramPassword sets the password at the broker (KIP-554), over the plaintext listener.
func setScramPassword(t *testing.T, b *Broker, password string) error {
	const iterations = 4096
	salt := make([]byte, 16)
	rand.Read(salt)
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return err
	}
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	upsert := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	upsert.Name, upsert.Mechanism, upsert.Iterations = ScramUser, 1, iterations
	upsert.Salt, upsert.SaltedPassword = salt, salted
	req.Upsertions = append(req.Upsertions, upsert)
	return over(t, configOf(t, b), func(ctx context.Context, conn *broker.Conn) error {
		resp, err := req.RequestWith(ctx, conn)
		if err != nil {
			return err
		}
		if code := resp.Results[0].ErrorCode; code != 0 {
			return errors.New("the broker answered error " + fmt.Sprint(code) + " to a new password")
		}
		return nil
	})
}
