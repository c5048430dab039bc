package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/application/broker"
	"brokerconn/domain"
	"brokerconn/ports"
)

// polled is a broker.Polled as its owner drives it. The World is its clock, and what its blocking
// calls wait for.
type polled struct {
	p      *broker.Polled
	r      *run
	failed bool // a request has, since the futures were last looked at
	awake  time.Time

	flying  int    // in flight,
	counted [3]int // with these counts
}

// selector is the World, which lets time pass in a blocking call. There too each event that the
// connection is given is a step.
type selector struct{ r *run }

func (s selector) Wait(what any, until time.Time) error {
	s.r.Steps++
	s.r.check.counts() // which futures are done, the owner sees behind the call
	return s.r.w.Wait(what, until)
}

func newPolled(r *run) *polled {
	p := &polled{r: r}
	s := r.plan.Setup
	cfg := polledConfig(s, r.w)
	cfg.Clock, cfg.Selector, cfg.Hooks = r.w, selector{r}, p.hooks()
	from := portsOf(s, r)
	cfg.Transport, cfg.Codec, cfg.Metrics = from.Transport, from.Codec, from.Metrics
	cfg.Authenticators = from.Authenticators
	var err error
	if p.p, err = broker.NewPolled(cfg); err != nil {
		panic(err)
	}
	return p
}

// polledConfig is the configuration without its ports.
func polledConfig(s Setup, w *simulation.World) broker.Config {
	c := configOf(s, w)
	return broker.Config{
		Host: c.Host, Port: c.Port, ClientID: clientID,
		SoftwareName: c.SoftwareName, SoftwareVersion: c.SoftwareVersion,
		ClusterID: c.ClusterID, NodeID: c.NodeID,
		MaxInFlight: c.MaxInFlight, MaxPendingBytes: c.MaxPendingBytes, MaxResponseBytes: c.MaxFrameBytes,
		RequestTimeout: c.RequestTimeout, SetupTimeout: c.SetupTimeout, APIVersionTimeout: c.SetupTimeout,
		MaxThrottle: c.MaxThrottle, IdleTimeout: c.IdleTimeout, PingInterval: c.PingInterval,
		ReconnectBackoff: c.BackoffBase, ReconnectBackoffMax: c.BackoffMax, Rand: c.Rand,
		ProbeOldReleases: new(s.old() || s.Probe), RequireTLSForPasswords: s.RequireTLS,
		APIVersion: c.APIVersion,
	}
}

// usable returns why a Polled cannot have these settings, which a domain.Connection may have all the same.
func (s Setup) usable() error {
	if !s.Polled {
		return nil
	}
	if names := listOf(s.Mechanism); s.Login && len(names) != len(slices.Compact(slices.Sorted(slices.Values(names)))) {
		return fmt.Errorf("the mechanisms %s: one of them is there twice", s.Mechanism)
	}
	return polledConfig(s, simulation.NewUnsharedWorld(0)).Check()
}

// hooks pass events on as the core would give them.
func (p *polled) hooks() *broker.Hooks {
	noted := func(e domain.Event) { p.r.noted(p.r.w.Now(), &e) }
	return &broker.Hooks{
		ResolveDone: func(found []broker.Endpoint, err error) {
			noted(domain.Event{Kind: domain.EventResolveDone, Endpoints: found, Err: err})
		},
		Throttled: func(at broker.Endpoint, until time.Time) {
			noted(domain.Event{Kind: domain.EventThrottled, Endpoint: at, Until: until})
		},
		StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
			p.r.changed(p.r.w.Now(), from, to, err)
		},
		Versions: func(at broker.Endpoint, v *broker.Versions) {
			noted(domain.Event{Kind: domain.EventVersions, Endpoint: at, Versions: v})
		},
		RequestFailed: func(broker.RequestInfo, error) { p.failed = true },
		Panicked:      func(v any) { panic(v) },
	}
}

func (p *polled) work(now time.Time) (deadline time.Time) {
	if now.Before(p.awake) {
		p.p.SendPendingV2()
		if next := p.p.NextDeadline(); now.Before(next) {
			return sooner(next, p.awake)
		}
		return p.awake // responses that it does not want yet are due
	}
	for _, res := range p.p.Recv() {
		p.completed(res.Future)
	}
	if p.failed {
		p.failed = false
		for _, q := range append([]*request(nil), p.r.pending...) {
			if isDone(q.handle.polled) {
				p.completed(q.handle.polled)
			}
		}
	}
	return p.p.NextDeadline()
}

// sooner returns the earlier of two times; a zero one does not count.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// dozing reports whether the owner does not receive at a time.
func (r *run) dozing(now time.Time) bool {
	p, ok := r.conn.(*polled)
	return ok && now.Before(p.awake)
}

// doze makes a slow consumer of the owner: it receives nothing for a time, and does all else.
func (r *run) doze(d time.Duration) {
	if p, ok := r.conn.(*polled); ok {
		p.awake = r.w.Now().Add(d)
	}
}

func isDone(f *broker.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

// completed finds the request of a future that is done.
func (p *polled) completed(f *broker.Future) {
	for _, q := range p.r.pending {
		if q.handle.polled != f {
			continue
		}
		message, err := f.Response()
		var body []byte
		if raw, ok := message.(*ports.RawResponse); ok {
			body = raw.Body
		}
		p.r.completed(p.r.w.Now(), q, body, message, err)
		return
	}
	p.r.check.fail("once", "a future completed that is not of a request in flight")
}

func (p *polled) connect(time.Time) { p.p.Connect() }

func (p *polled) check(_ time.Time, timeout time.Duration, strict bool) {
	if verdict, err := p.p.CheckVersion(timeout, strict, nil); err == nil {
		p.r.check.identified(verdict)
	}
}

func (p *polled) delay(time.Time) (time.Duration, bool) { return p.p.ConnectionDelay() }

func (p *polled) admits() bool { return p.p.Connected() && p.p.CanSendMore() }

// send asks by sending: a Polled has no other way to learn that it is throttled, drained, or
// logging in again.
func (p *polled) send(_ time.Time, q *request) bool {
	before := p.r.check.sums.sent
	f := p.p.Send(q.request(), p.r.plan.Setup.Blocking)
	if p.r.check.sums.sent > before {
		p.r.admitted(q, handle{polled: f})
		p.failed = p.failed || isDone(f)
		if p.r.plan.Setup.Blocking && !q.whole && p.p.Connected() {
			p.r.check.fail("sent at once", "Send of request %d returned before it was sent", q.number)
		}
		return true
	}
	_, err := f.Response()
	for _, later := range []error{broker.ErrThrottled, broker.ErrDraining, broker.ErrReauthenticating} {
		if errors.Is(err, later) {
			return false
		}
	}
	if errors.Is(err, broker.ErrUnsupportedVersion) && q.asked != nil {
		p.r.check.unsupported(q, err)
		return true
	}
	if !p.p.Connected() { // it was lost within the call
		return false
	}
	p.r.check.fail("admitted as said", "there was room for request %d, and Send: %v", q.number, err)
	return true
}

func (p *polled) refuse(time.Time, *request) {} // the owner's own affair

func (p *polled) withdraw(time.Time, *request) {}

func (p *polled) cancel(_ time.Time, q *request) bool {
	f := q.handle.polled
	if isDone(f) {
		return false
	}
	f.Cancel()
	return true
}

func (p *polled) close(_ time.Time, cause error, final bool) {
	if final {
		cause = nil
	}
	p.p.Close(cause)
}

func (p *polled) drain(time.Time, bool) { p.p.Drain() }

func (p *polled) renew(time.Time) { p.p.Reauthenticate() }

func (p *polled) swap(_ time.Time, to []ports.Authenticator) { p.p.SetAuthenticators(to...) }

func (p *polled) watch(wake func()) bool {
	p.p.Watch(wake)
	return false
}

func (p *polled) condition() string { return "" }

func (p *polled) state() domain.State { return p.p.State() }

// load asks again when there are other counts: Stats of a Polled is a copy of very much.
func (p *polled) load() (due, inFlight int) {
	s := &p.r.check.sums
	if counts := [...]int{s.sent, s.received, s.failed}; counts != p.counted {
		p.flying, p.counted = p.p.Stats().InFlight, counts
	}
	return s.due, p.flying
}

func (p *polled) stats() domain.Stats { return p.p.Stats() }
