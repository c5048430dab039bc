package matrix

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/broker"
	"brokerconn/application/logging"
	"brokerconn/application/sim"
	"brokerconn/application/sim/servers"
	"brokerconn/ports"
)

// The same plans with a Conn and its goroutines, in a bubble of testing/synctest over the simulated network. The steps
// of brokers and networks happen within the world, those of the owner on a goroutine.

// stage is one run.
type stage struct {
	plan     sim.Plan
	world    *simulation.World
	net      *simulation.Network
	broker   *model.Broker
	conn     *broker.Conn
	seen     *Seen
	spoils   []func(*model.Reply)
	denied   time.Time
	sent     int64
	cancels  []func() // of the requests that are not done, in their order
	requests sync.WaitGroup
	mu       sync.Mutex // of cancels
}

// bubbleSetups are the settings of plans that a stage has.
var bubbleSetups = []string{"Addresses", "Latency", "TLS", "Handshake", "Login", "Lifetime", "Piece", "Take", "Window",
	"Release", "Peer"}

// inBubble reports whether a stage has all that the plan of a cell needs.
func inBubble(c Cell) bool {
	p, err := sim.ParsePlan(c.Plan())
	if err != nil {
		return false
	}
	setup := reflect.ValueOf(p.Setup)
	for i := range setup.NumField() {
		if !setup.Field(i).IsZero() && !slices.Contains(bubbleSetups, setup.Type().Field(i).Name) {
			return false
		}
	}
	for _, s := range p.Steps {
		if worldVerbs[s.Verb] == nil && ownerVerbs[s.Verb] == nil {
			return false
		}
	}
	return true
}

// bubble runs a cell. It returns what was wrong.
func bubble(t *testing.T, c Cell) (wrong []string) {
	plan, err := sim.ParsePlan(c.Plan())
	if err != nil {
		return []string{err.Error()}
	}
	t.Run("bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{plan: plan, seen: newSeen(c.moment())}
			s.seen.loose = true
			wrong = s.run(t, c)
		})
	})
	return wrong
}

func (s *stage) run(t *testing.T, c Cell) []string {
	setup := s.plan.Setup
	s.world = simulation.NewWorld(1)
	changed, stop := make(chan struct{}, 1), make(chan struct{})
	s.world.Follow(time.Now, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	s.net = simulation.NewNetwork(s.world)
	s.broker = &model.Broker{World: s.world, Change: s.spoil, APIs: model.Table(servers.Echo(true), model.API{
		Key: 0, Max: 2, FlexibleFrom: -1, Handle: servers.Handler(0)})}
	switch {
	case setup.Peer != "":
		servers.Become(string(setup.Peer), s.broker)
	case setup.Release != "":
		s.broker.APIs = servers.APIs(servers.PlaceOf(string(setup.Release)))
	}
	if setup.Login {
		s.broker.Login = &model.Login{Lifetime: setup.Lifetime, Mechanisms: []model.Mechanism{s.deniable()}}
	}
	s.setListener(simulation.Site{Accept: s.broker.Accept, Handshake: setup.Handshake})
	s.setName(simulation.Name{})
	began := time.Now()
	steps := slices.Clone(s.plan.Steps)
	slices.SortStableFunc(steps, func(a, b sim.Step) int { return int(a.At - b.At) })
	for _, step := range steps {
		if do := worldVerbs[step.Verb]; do != nil {
			s.world.At(began.Add(step.At), func() { do(s, step) })
		}
	}
	for s.world.StepUntil(began) { // faults of the beginning come before all else
	}
	var driver sync.WaitGroup
	driver.Go(func() { s.drive(changed, stop) })
	var err error
	if s.conn, err = broker.NewConn(s.config(began)); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if do := ownerVerbs[step.Verb]; do != nil {
			time.Sleep(time.Until(began.Add(step.At)))
			synctest.Wait()
			do(s, step)
		}
	}
	s.requests.Wait()
	if c.Want.Next == Closed { // which may follow the last response
		synctest.Wait()
	} else {
		ctx := broker.WithRequestTimeout(context.Background(), time.Minute)
		if _, err := s.conn.RequestRaw(ctx, echo(1)); err != nil {
			t.Errorf("%v: got %v behind the fault, want an answer", c, err)
		}
	}
	s.seen.end()
	s.conn.Close()
	<-s.conn.Done()
	close(stop)
	driver.Wait()
	s.net.Shutdown()
	return s.seen.wrong(c)
}

// drive lets the events of the world happen at their times.
func (s *stage) drive(changed, stop chan struct{}) {
	for {
		var due <-chan time.Time
		if next, ok := s.world.Next(); ok {
			due = time.After(time.Until(next))
		}
		select {
		case <-stop:
			return
		case <-changed:
		case <-due:
			s.world.StepUntil(time.Now())
		}
	}
}

func (s *stage) config(began time.Time) broker.Config {
	cfg := broker.Config{
		Host: "broker", Transport: s.net, RequestTimeout: requestBound, SetupTimeout: setupBound, IdleTimeout: -1,
		MaxResponseBytes: 1 << 20, Metrics: &s.seen.tally,
		Hooks: broker.JoinHooks(logging.Hooks(slog.New(&lines{seen: s.seen})), &broker.Hooks{
			StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
				s.seen.changed(time.Since(began), from, to, err)
			},
		}),
	}
	if s.plan.Setup.Login {
		auth, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret(bubblePassword)})
		if err != nil {
			panic(err) // the options are constants
		}
		cfg.Authenticators = []ports.Authenticator{auth}
	}
	return cfg
}

const bubblePassword = "canary-of-alice-4711"

// deniable is PLAIN, whose logins may be refused for a time.
func (s *stage) deniable() model.Mechanism {
	m := model.Plain(map[string]string{"alice": bubblePassword})
	begin := m.Begin
	m.Begin = func() model.Exchange {
		exchange := begin()
		return func(token []byte) ([]byte, string, error) {
			if s.world.Now().Before(s.denied) {
				return nil, "", errors.New("invalid credentials")
			}
			return exchange(token)
		}
	}
	return m
}

func (s *stage) addresses() []string {
	return []string{"10.0.0.1:9092", "10.0.0.2:9092"}[:max(s.plan.Setup.Addresses, 1)]
}

func (s *stage) setListener(to simulation.Site) {
	setup := s.plan.Setup
	to.Path = simulation.Path{Latency: setup.Latency, Window: setup.Window}
	if setup.Piece > 0 {
		to.Path.Piece = func(int) int { return setup.Piece }
	}
	if setup.Take > 0 {
		to.Path.Take = func(int) int { return setup.Take }
	}
	for _, address := range s.addresses() {
		s.net.SetSite(address, to)
	}
}

func (s *stage) setName(to simulation.Name) {
	to.Addresses, to.Secure, to.Verified = s.addresses(), s.plan.Setup.TLS, s.plan.Setup.TLS
	s.net.SetName("broker", to)
}

// spoil changes an answer by the next of the faults.
func (s *stage) spoil(r *model.Reply) {
	if len(s.spoils) > 0 {
		change := s.spoils[0]
		s.spoils = s.spoils[1:]
		change(r)
	}
}

type verb = func(*stage, sim.Step)

func each(do func(*simulation.Peer)) verb {
	return func(s *stage, _ sim.Step) {
		for _, p := range s.net.Live() {
			do(p)
		}
	}
}

func spoils(change func(*model.Reply, sim.Step)) verb {
	return func(s *stage, step sim.Step) {
		s.spoils = append(s.spoils, func(r *model.Reply) { change(r, step) })
	}
}

func sites(of func(*stage, sim.Step) simulation.Site) verb {
	return func(s *stage, step sim.Step) {
		s.setListener(of(s, step))
		s.world.At(s.world.Now().Add(step.For), func() {
			s.setListener(simulation.Site{Accept: s.broker.Accept, Handshake: s.plan.Setup.Handshake})
		})
	}
}

func names(of func(sim.Step) simulation.Name) verb {
	return func(s *stage, step sim.Step) {
		s.setName(of(step))
		s.world.At(s.world.Now().Add(step.For), func() { s.setName(simulation.Name{}) })
	}
}

// after lets something happen to each new link some time after it was accepted.
func (s *stage) after(d time.Duration, do func(*simulation.Peer)) simulation.Site {
	return simulation.Site{Accept: func(p *simulation.Peer) {
		s.world.At(s.world.Now().Add(d), func() { do(p) })
	}}
}

func closePeer(p *simulation.Peer) { _ = p.Close() }

// worldVerbs are the faults of plans that a stage has; application/sim documents them.
var worldVerbs = map[string]verb{
	"reset":        each((*simulation.Peer).Reset),
	"fin":          each(closePeer),
	"silence":      each((*simulation.Peer).Silence),
	"forget":       each(func(p *simulation.Peer) { p.Forget(false) }),
	"forget-reset": each(func(p *simulation.Peer) { p.Forget(true) }),
	"refuse": sites(func(*stage, sim.Step) simulation.Site {
		return simulation.Site{Refuse: simulation.ErrRefused}
	}),
	"deaf":     sites(func(*stage, sim.Step) simulation.Site { return simulation.Site{Silent: true} }),
	"dead-end": sites(func(*stage, sim.Step) simulation.Site { return simulation.Site{Accept: closePeer} }),
	"limit-ip": sites(func(s *stage, _ sim.Step) simulation.Site { return s.after(2*time.Millisecond, closePeer) }),
	"limit-rate": sites(func(s *stage, _ sim.Step) simulation.Site {
		return s.after(time.Second, (*simulation.Peer).Reset)
	}),
	"limit-late": sites(func(s *stage, step sim.Step) simulation.Site { return s.after(step.For, s.broker.Accept) }),
	"tls-slow": func(s *stage, step sim.Step) {
		s.setListener(simulation.Site{Accept: s.broker.Accept, Handshake: step.For})
		s.world.At(s.world.Now().Add(time.Second), func() {
			s.setListener(simulation.Site{Accept: s.broker.Accept, Handshake: s.plan.Setup.Handshake})
		})
	},
	"no-dns":   names(func(sim.Step) simulation.Name { return simulation.Name{Err: errors.New("no such host")} }),
	"slow-dns": names(func(step sim.Step) simulation.Name { return simulation.Name{Delay: step.For} }),
	"late":     spoils(func(r *model.Reply, step sim.Step) { r.Delay += step.For }),
	"wrong-id": spoils(func(r *model.Reply, step sim.Step) { r.ID += int32(step.N) }),
	"twice":    spoils(func(r *model.Reply, _ sim.Step) { r.Copies = 1 }),
	"cut":      spoils(func(r *model.Reply, step sim.Step) { r.Cut = int(step.N) }),
	"size":     spoils(func(r *model.Reply, step sim.Step) { r.Size = new(int32(step.N)) }),
	"negative-size": spoils(func(r *model.Reply, step sim.Step) {
		r.Size = new(-int32(step.N))
	}),
	"short":      spoils(func(r *model.Reply, step sim.Step) { r.Body = r.Body[:len(r.Body)-int(step.N)] }),
	"long":       spoils(func(r *model.Reply, step sim.Step) { r.Body = append(r.Body, make([]byte, step.N)...) }),
	"answer-all": spoils(func(r *model.Reply, _ sim.Step) { r.None = false }),
	"http":       spoils(func(r *model.Reply, _ sim.Step) { r.Frame = []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }),
	"alert":      spoils(func(r *model.Reply, _ sim.Step) { r.Frame = []byte{0x15, 3, 3, 0, 2, 2, 40} }),
	"deny":       func(s *stage, step sim.Step) { s.denied = s.world.Now().Add(step.For) },
}

// ownerVerbs are what the owner of the Conn does.
var ownerVerbs = map[string]verb{
	"send": func(s *stage, step sim.Step) { s.send(echo(int(step.N))) },
	"post": func(s *stage, step sim.Step) {
		s.send(&ports.RawRequest{APIVersion: 2, NoResponse: true, Body: make([]byte, 10+step.N)})
	},
	"cancel":   func(s *stage, step sim.Step) { s.cancel(int(step.N)) },
	"withdraw": func(s *stage, step sim.Step) { s.cancel(int(step.N)) },
	"renew": func(s *stage, _ sim.Step) {
		s.requests.Go(func() { _ = s.conn.Reauthenticate(context.Background()) })
	},
	"close-for-good": func(s *stage, _ sim.Step) { s.conn.Close() },
	"drain-for-good": func(s *stage, _ sim.Step) { s.requests.Go(func() { _ = s.conn.Drain(context.Background()) }) },
	"doze":           func(*stage, sim.Step) {},
}

func echo(size int) *ports.RawRequest {
	return &ports.RawRequest{APIKey: servers.KeyEcho, Body: make([]byte, 8+size)}
}

// send makes a request. One that waits for a connection has the time of an attempt that fails, and more.
func (s *stage) send(req *ports.RawRequest) {
	s.sent++
	n := s.sent
	ctx, cancel := context.WithCancel(context.Background())
	if stats := s.conn.Stats(); stats.State != broker.Connected || stats.Reauthenticating {
		ctx = broker.WithRequestTimeout(ctx, time.Minute)
	}
	s.mu.Lock()
	s.cancels = append(s.cancels, cancel)
	at := len(s.cancels) - 1
	s.mu.Unlock()
	s.requests.Go(func() {
		_, err := s.conn.RequestRaw(ctx, req)
		s.mu.Lock()
		s.cancels[at] = nil
		s.mu.Unlock()
		cancel()
		s.seen.completed(n, err)
	})
	synctest.Wait() // so that requests of one instant are sent in their order
}

// cancel gives up the nth of the requests that are not done.
func (s *stage) cancel(n int) {
	s.mu.Lock()
	open := slices.DeleteFunc(slices.Clone(s.cancels), func(f func()) bool { return f == nil })
	s.mu.Unlock()
	if n < len(open) {
		open[n]()
	}
	synctest.Wait()
}
