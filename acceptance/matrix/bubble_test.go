package matrix

import (
	"context"
	"crypto/tls"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/driver"
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
	cell      Cell
	plan      sim.Plan
	world     *simulation.World
	net       *simulation.Network
	behind    *simulation.Network // between servers of TLS and the broker
	front     *simulation.Network // between the client and a proxy
	proxyWell func(*simulation.Peer)
	servers   map[int64]*tls.Config
	accept    func(*simulation.Peer)
	broker    *model.Broker
	transport ports.Transport
	conn      *broker.Conn
	seen      *Seen
	spoils    []func(*model.Reply)
	login     loginFaults
	process   process
	throttle  time.Duration // of the next answer that has the field
	began     time.Time
	sent      int64
	cancels   []func() // of the requests that are not done, in their order
	requests  sync.WaitGroup
	serving   sync.WaitGroup // servers of TLS
	mu        sync.Mutex     // of cancels, and of the faults of logins
}

// bubbleSetups are the settings of plans that a stage has.
var bubbleSetups = []string{"Addresses", "Latency", "TLS", "Handshake", "Login", "Mechanism", "Lifetime", "Piece",
	"Take", "Window", "Polled", "Old", "Probe", "Release", "Peer"}

// lacks returns a setting or a verb of the plan that a stage lacks, "" if it has all.
func lacks(p sim.Plan) string {
	setup := reflect.ValueOf(p.Setup)
	for i := range setup.NumField() {
		if name := setup.Type().Field(i).Name; !setup.Field(i).IsZero() && !slices.Contains(bubbleSetups, name) {
			return name
		}
	}
	for _, s := range p.Steps {
		if worldVerbs[s.Verb] == nil && ownerVerbs[s.Verb] == nil {
			return s.Verb
		}
	}
	return ""
}

// bubble runs a cell. It returns what was wrong.
func bubble(t *testing.T, c Cell) (wrong []string) {
	plan, err := sim.ParsePlanOf(c.Plan(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	if missing := lacks(plan); missing != "" {
		return []string{"a stage lacks " + missing}
	}
	t.Run("bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{cell: c, plan: plan, seen: newSeen(c.moment())}
			s.seen.conn = true
			wrong = s.run(t, c)
		})
	})
	return wrong
}

func (s *stage) run(t *testing.T, c Cell) []string {
	setup := s.plan.Setup
	s.world = simulation.NewWorld(s.plan.Seed)
	events := driver.Follow(s.world)
	s.net = simulation.NewNetwork(s.world)
	s.broker = &model.Broker{World: s.world, Change: s.spoil, APIs: bubbleAPIs()}
	switch {
	case setup.Old > 0:
		s.broker.APIs = servers.APIs(servers.PlaceOf(oldReleases[setup.Old]))
		s.broker.LeavesUnknown = setup.Old == 9
	case setup.Peer != "":
		servers.Become(string(setup.Peer), s.broker)
	case setup.Release != "":
		s.broker.APIs = servers.APIs(servers.PlaceOf(string(setup.Release)))
	}
	if setup.Login {
		s.broker.Login = &model.Login{Lifetime: setup.Lifetime, Mechanisms: []model.Mechanism{s.server()}}
	}
	s.accept, s.transport = s.broker.Accept, s.process.transport(s.net)
	if c.Proxy != "" {
		s.proxied(c.Proxy)
	}
	if s.realTLS() {
		s.secure(t)
		s.seen.moment = 0 // such handshakes take another time
	}
	s.setListener(simulation.Site{Accept: func(p *simulation.Peer) { s.accept(p) }, Handshake: setup.Handshake})
	s.setName(simulation.Name{})
	s.began = time.Now()
	s.process.began = s.began
	s.process.apart = slices.ContainsFunc(s.plan.Steps, func(s sim.Step) bool { return s.Verb == "hook-sleeps" })
	steps := slices.Clone(s.plan.Steps)
	slices.SortStableFunc(steps, func(a, b sim.Step) int { return int(a.At - b.At) })
	for _, step := range steps {
		if do := worldVerbs[step.Verb]; do != nil {
			s.world.At(s.began.Add(step.At), func() { do(s, step) })
		}
	}
	for s.world.StepUntil(s.began) { // faults of the beginning come before all else
	}
	events.Start()
	var err error
	if s.conn, err = broker.NewConn(s.config()); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if do := ownerVerbs[step.Verb]; do != nil {
			time.Sleep(time.Until(s.began.Add(step.At)))
			s.process.wait()
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
	events.Stop()
	s.net.Shutdown()
	for _, network := range []*simulation.Network{s.behind, s.front} {
		if network != nil {
			network.Shutdown()
		}
	}
	s.serving.Wait()
	return append(s.seen.wrong(c), s.process.wrong(s.plan)...)
}

// bubbleAPIs are those of a broker that is of no release in particular: old ones, by which a client can tell its age.
func bubbleAPIs() []model.API {
	apis := []model.API{servers.Echo(true), {Key: 0, Max: 2, FlexibleFrom: -1, Handle: servers.Handler(0)}}
	for _, key := range []int16{ports.KeyMetadata, ports.KeyOffsetFetch, ports.KeyFindCoordinator,
		ports.KeyListGroups} {
		apis = append(apis, model.API{Key: key, FlexibleFrom: -1, Handle: servers.Handler(key)})
	}
	return model.Table(apis...)
}

// oldReleases are the releases of the setting "old".
var oldReleases = map[int]string{8: "0.8.2", 9: "0.9.0"}

func (s *stage) config() broker.Config {
	cfg := broker.Config{
		Host: "broker", Transport: s.transport, Clock: &s.process,
		RequestTimeout: requestBound, SetupTimeout: setupBound, IdleTimeout: -1, MaxThrottle: throttleBound,
		MaxResponseBytes: 1 << 20, Metrics: &s.seen.tally,
		ReconnectBackoff: backoffBase, ReconnectBackoffMax: backoffMax, Rand: s.world.Stream("backoff").Uint64,
		ProbeOldReleases: new(s.plan.Setup.Probe || s.plan.Setup.Old > 0),
		Hooks: broker.JoinHooks(logging.Hooks(slog.New(&lines{seen: s.seen})), &broker.Hooks{
			StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
				s.seen.changed(time.Since(s.began), from, to, err)
				s.seen.pauses(to, s.conn.Stats().BackoffUntil, s.process.Now())
			},
		}, s.process.hooks()),
	}
	if s.plan.Setup.Login {
		cfg.Authenticators = []ports.Authenticator{s.authenticator()}
	}
	return cfg
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
	s.spoilHandshake(r)
	s.spoilThrottle(r)
}
