package broker_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

func takenFor(r broker.Release) func(*broker.Config) {
	return func(cfg *broker.Config) { cfg.APIVersion = r }
}

// TestAPIVersionIsNotAsked on any connection, and the requests are in the versions
// of the release.
func TestAPIVersionIsNotAsked(t *testing.T) {
	for _, c := range []struct {
		release   broker.Release
		heartbeat int16 // its highest version, of those that this library speaks
	}{
		{broker.Release{Major: 0, Minor: 9}, 0},
		{broker.Release{Major: 0, Minor: 10, Patch: 2}, 0},
		{broker.Release{Major: 0, Minor: 11}, 1},
		{broker.Release{Major: 2}, 2},
		{broker.Release{Major: 2, Minor: 3}, 3},
		{broker.Release{Major: 3, Minor: 9}, 4},
	} {
		t.Run(c.release.String(), func(t *testing.T) {
			onBoth(t, takenFor(c.release), func(t *testing.T, r *harness) {
				for range 3 {
					r.connect()
					r.send()
					r.turn()
					r.broker.peer.Reset(nil)
					r.pass(time.Second)
				}
				require(t, len(r.broker.asked) == 3, "%d requests", len(r.broker.asked))
				for _, q := range r.broker.asked {
					assert(t, q.key == 12 && q.version == c.heartbeat && q.id == 1, "request %+v", q)
				}
			})
		})
	}
}

// TestAPIVersionStates: there is nothing to negotiate.
func TestAPIVersionStates(t *testing.T) {
	onBoth(t, takenFor(broker.Release{Major: 3}), func(t *testing.T, r *harness) {
		var reported *broker.Versions
		r.connect()
		r.wantHooks("Disconnected -> Connecting <nil>", "Connecting -> Connected <nil>")
		if r.polled != nil {
			reported = r.versions
		} else {
			reported, _ = r.conn.APIVersions(t.Context())
		}
		if _, limit, ok := reported.Range(0); !ok || limit != 9 || reported.RequestVersion() != -1 {
			t.Errorf("Produce up to %d, asked %d", limit, reported.RequestVersion())
		}
		var verdict broker.Verdict
		var err error
		if r.polled != nil {
			verdict, err = r.polled.CheckVersion(time.Second, false, nil)
		} else {
			verdict, err = r.conn.CheckVersion(t.Context(), broker.Check{})
		}
		assert(t, err == nil && verdict.String() == "3.0" && verdict.Kind == broker.Exact && verdict.Lineage == 0 &&
			slices.Equal(verdict.Evidence, []string{"the release was configured, and the broker was not asked"}),
			"%+v, %v", verdict, err)
	})
}

// TestAPIVersionOfAnAPIThatTheReleaseLacks fails the request alone, unsent.
func TestAPIVersionOfAnAPIThatTheReleaseLacks(t *testing.T) {
	onReady(t, takenFor(broker.Release{Major: 0, Minor: 8, Patch: 1}), func(t *testing.T, r *harness) {
		var v *broker.VersionError
		err := r.outcome(r.send())
		assert(t, errors.Is(err, broker.ErrUnsupportedVersion) && errors.As(err, &v) && v.Unknown, "got %v", err)
		f := r.sendThis(kmsg.NewPtrMetadataRequest())
		r.turn()
		r.pending(f)
		q := r.broker.asked
		assert(t, len(q) == 1 && q[0].key == 3 && q[0].version == 0, "asked %+v", q)
	})
}

// TestAPIVersionWarnings: the nearest lower release that is known, with a word.
func TestAPIVersionWarnings(t *testing.T) {
	for _, c := range []struct {
		release broker.Release
		taken   string // "": no warning
	}{
		{broker.Release{}, ""},
		{broker.Release{Major: 3, Minor: 9}, ""},
		{broker.Release{Major: 2, Minor: 8, Patch: 1}, ""}, // a patch release
		{broker.Release{Major: 0, Minor: 8}, ""},
		{broker.Release{Major: 0, Minor: 10, Patch: 3}, "0.10.2"},
		{broker.Release{Major: 0, Minor: 12}, "0.11"},
		{broker.Release{Major: 1, Minor: 9}, "1.1"},
		{broker.Release{Major: 3, Minor: 10}, "3.9"},
		{broker.Release{Major: 9}, "4."},
	} {
		onBoth(t, takenFor(c.release), func(t *testing.T, r *harness) {
			if c.taken == "" {
				r.wantHooks()
				return
			}
			assert(t, len(r.log) == 1 && strings.Contains(r.log[0], "warning ") &&
				strings.Contains(r.log[0], c.taken) && strings.Contains(r.log[0], c.release.String()),
				"%v: got hooks %q", c.release, r.log)
			if c.taken == "4." {
				return
			}
			r.connect()
			if r.polled != nil {
				assert(t, r.versions != nil && len(r.versions.Ranges()) != 0, "no table")
			}
		})
	}
}

// TestAPIVersionsThatAreNone are refused by name.
func TestAPIVersionsThatAreNone(t *testing.T) {
	for _, r := range []broker.Release{
		{Minor: 7}, {Minor: 8, Patch: -1}, {Major: -1}, {Major: 1, Minor: -1}, {Patch: 1}, {Minor: 0, Patch: 11},
	} {
		for _, warm := range []time.Duration{0, time.Second} {
			_, err := broker.NewConn(broker.Config{APIVersion: r, PingInterval: warm})
			assert(t, err != nil && strings.Contains(err.Error(), "config: APIVersion: "), "%v: %v", r, err)
		}
	}
	_, err := broker.NewPolled(broker.Config{APIVersion: broker.Release{Minor: 9}, PingInterval: time.Second})
	assert(t, err != nil && strings.Contains(err.Error(), "config: PingInterval: "),
		"a broker of 0.9 cannot be asked: %v", err)
}

// TestAPIVersionKeptWarm: asked at v0, which all from 0.10.0 on have.
func TestAPIVersionKeptWarm(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) {
		cfg.APIVersion, cfg.PingInterval = broker.Release{Minor: 10}, time.Minute
	}, func(t *testing.T, r *harness) {
		r.ready()
		r.pass(10 * time.Minute)
		assert(t, len(r.broker.asked) == 10, "asked %d times", len(r.broker.asked))
		for _, q := range r.broker.asked {
			assert(t, q.key == 18 && q.version == 0, "asked %+v", q)
		}
	})
}

// TestAPIVersionTimeout: for a Polled 2 s by default, as in kafka-python, on each connection, and never longer than
// the setup may take. A Conn has that by default: a broker under load may take 3 s for each answer. The error names
// the limit, and the setting.
func TestAPIVersionTimeout(t *testing.T) {
	const asking, setup = "raise APIVersionTimeout (api_version_auto_timeout_ms)",
		"raise SetupTimeout (socket_connection_setup_timeout_ms)"
	for _, c := range []struct {
		versions, setup, want, wantConn time.Duration
		hint                            string
	}{
		{0, 0, 2 * time.Second, 10 * time.Second, asking},
		{500 * time.Millisecond, 0, 500 * time.Millisecond, 500 * time.Millisecond, asking},
		{5 * time.Second, 0, 5 * time.Second, 5 * time.Second, asking},
		{time.Minute, 0, 10 * time.Second, 10 * time.Second, setup},
		{0, time.Second, time.Second, time.Second, setup},
	} {
		onBoth(t, func(cfg *broker.Config) { cfg.APIVersionTimeout, cfg.SetupTimeout = c.versions, c.setup },
			func(t *testing.T, r *harness) {
				r.broker.mute = true
				want, hint := c.want, c.hint
				if r.polled == nil && c.wantConn != want {
					want, hint = c.wantConn, setup
				}
				setting, _, _ := strings.Cut(strings.TrimPrefix(hint, "raise "), " ")
				for range 3 {
					r.connect()
					r.wantState(broker.NegotiatingVersions)
					r.pass(want - 1)
					r.wantState(broker.NegotiatingVersions)
					r.pass(1)
					err := r.lastError()
					require(t, r.State() == broker.Disconnected && errors.Is(err, broker.ErrSetupTimeout),
						"%v of %v: %v, %v", c.versions, c.setup, r.State(), err)
					limit := fmt.Sprintf("(%s is %v)", setting, want)
					e, _ := errors.AsType[*broker.Error](err)
					assert(t, strings.Contains(err.Error(), limit) && strings.Contains(e.Hint, hint),
						"got %v, %q; want %q and %q", err, e.Hint, limit, hint)
					r.pass(time.Second)
				}
				r.sums()
			})
	}
}

// asking sets the limit of the question.
func asking(limit time.Duration) func(*broker.Config) {
	return func(cfg *broker.Config) { cfg.APIVersionTimeout = limit }
}

// TestAPIVersionTimeoutIsOfTheQuestionAlone: what came before it took its own time.
func TestAPIVersionTimeoutIsOfTheQuestionAlone(t *testing.T) {
	onBoth(t, asking(2*time.Second), func(t *testing.T, r *harness) {
		release := r.network.HoldDial("broker:9092")
		r.reach()
		r.pass(7 * time.Second)
		r.broker.mute = true
		release()
		if r.polled != nil {
			r.polled.Connect()
		}
		r.pass(2*time.Second - 1)
		r.wantState(broker.NegotiatingVersions)
		r.pass(1)
		r.wantState(broker.Disconnected)
	})
}

// TestAPIVersionTimeoutLeavesTimeForTheNextAddress.
func TestAPIVersionTimeoutLeavesTimeForTheNextAddress(t *testing.T) {
	onBoth(t, asking(2*time.Second), func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"))
		r.broker.mute = true
		r.connect()
		r.broker.mute = false
		r.pass(2 * time.Second)
		r.connect()
		assert(t, r.State() == broker.Connected && len(r.broker.dials) == 2, "state %v, dialled %v", r.State(),
			r.broker.dials)
	})
}

// TestAPIVersionTimeoutCoversAllVersionsOfTheQuestion: one who is asked lower and
// lower gets no more time for it.
func TestAPIVersionTimeoutCoversAllVersionsOfTheQuestion(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) {
		cfg.ProbeOldReleases, cfg.APIVersionTimeout = new(true), 2*time.Second
	}, func(t *testing.T, r *harness) {
		r.broker.mute = true
		r.connect()
		r.pass(1500 * time.Millisecond)
		q := r.broker.received[0]
		lower := kmsg.NewPtrApiVersionsResponse()
		lower.ErrorCode = 35
		r.broker.say(q, lower.AppendTo(nil))
		r.turn()
		// Metadata went behind the first, as that had no answer for so long.
		n := len(r.broker.asked)
		require(t, n == 3 && r.broker.asked[1].key == 3 && r.broker.asked[2].key == 18 &&
			r.broker.asked[2].version == 0, "asked %+v", r.broker.asked)
		r.pass(500*time.Millisecond - 1)
		r.wantState(broker.NegotiatingVersions)
		r.pass(1)
		r.wantState(broker.Disconnected)
	})
}

// TestAPIVersionTimeoutIsNotOfTheLogin which has what is left of the setup.
func TestAPIVersionTimeoutIsNotOfTheLogin(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) { cfg.Authenticators = []ports.Authenticator{named{}} },
		func(t *testing.T, r *harness) {
			r.reach()
			r.turn() // the broker does not answer the SaslHandshake
			r.pass(10*time.Second - 1)
			r.wantState(broker.Authenticating)
			r.pass(1)
			assert(t, r.State() == broker.Disconnected && errors.Is(r.lastError(), broker.ErrSetupTimeout),
				"state %v, %v", r.State(), r.lastError())
		})
}

// named is a mechanism that never comes to its turn.
type named struct{}

func (named) Mechanism() string                   { return "PLAIN" }
func (named) Begin(ports.Endpoint) ports.Exchange { panic("the handshake was not answered") }

// TestAPIVersionRawRequests go out as they stand.
func TestAPIVersionRawRequests(t *testing.T) {
	onReady(t, takenFor(broker.Release{Minor: 8}), func(t *testing.T, r *harness) {
		r.sendThis(&ports.RawRequest{APIKey: 12, APIVersion: 3})
		r.turn()
		q := r.broker.asked
		assert(t, len(q) == 1 && q[0].version == 3, "asked %+v", q)
	})
}

// TestBackoffGrowsWithAConfiguredRelease: that the address can be reached says
// nothing of what listens there (KAFKA-13879); only an answer would.
func TestBackoffGrowsWithAConfiguredRelease(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) { cfg.APIVersion = broker.Release{Major: 0, Minor: 9} },
		func(t *testing.T, r *harness) {
			pause := time.Duration(0)
			for round := range 5 {
				r.connect()
				r.wantState(broker.Connected)
				r.send()
				r.turn()
				r.broker.peer.Reset(nil) // it speaks something else, and hangs up
				r.turn()
				until := r.next()
				require(t, !until.IsZero(), "no pause")
				next := until.Sub(r.clock.Now())
				assert(t, round <= 0 || next >= 2*pause*9/10, "round %d: a pause of %v after one of %v", round, next,
					pause)
				pause = next
				r.pass(pause)
			}
		})
}

// TestCauseIsNamedOnce: a peer that resets each connection is asked twice, from another port each
// time, and the error does not repeat the reason.
func TestCauseIsNamedOnce(t *testing.T) {
	address := fakebroker.Listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_ = c.(*net.TCPConn).SetLinger(0) // so that Close resets it
		c.Close()
	})
	_, err := broker.Dial(t.Context(), fakebroker.ConfigFor(t, address))
	var e *broker.Error
	if !errors.As(err, &e) || strings.Count(err.Error(), "read") != 1 || strings.Count(err.Error(), " after ") != 2 {
		t.Errorf("got %v, want the failed read once, and both times", err)
	}
}
