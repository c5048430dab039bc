package sim

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/broker"
	"brokerconn/application/sim/servers"
	"brokerconn/domain"
	"brokerconn/ports"
)

// What a Setup makes of the network, the broker and the settings of the connection.

func pathOf(s Setup, w *simulation.World) simulation.Path {
	path := simulation.Path{Latency: s.Latency, Jitter: s.Jitter, Bandwidth: s.Bandwidth, Window: s.Window}
	if s.Piece > 0 {
		draw := w.Stream("pieces")
		path.Piece = func(int) int { return int(draw.Below(int64(s.Piece))) + 1 }
	}
	if s.PieceIn > 0 {
		draw := w.Stream("pieces in")
		path.PieceIn = func(int) int { return int(draw.Below(int64(s.PieceIn))) + 1 }
	}
	if s.Take > 0 {
		draw := w.Stream("takes")
		path.Take = func(int) int { return int(draw.Below(int64(s.Take))) + 1 }
	}
	return path
}

// addressesOf returns the first n addresses of a host.
func addressesOf(n int) []string {
	few := min(n, len(fewAddresses))
	list := fewAddresses[:few:few]
	for i := few; i < n; i++ {
		list = append(list, fmt.Sprintf("10.0.0.%d:9092", i+1))
	}
	return list
}

// fewAddresses are those that most plans have.
var fewAddresses = [...]string{"10.0.0.1:9092", "10.0.0.2:9092", "10.0.0.3:9092"}

func brokerOf(s Setup, r *run) *model.Broker {
	if r.release = servers.Count() - 1; s.Release != "" {
		r.release = servers.PlaceOf(string(s.Release))
	}
	b := r.memory.broker.Successor()
	b.World, b.Received, b.Change, b.Sent = r.w, r.check.received, r.spoil, r.story.answered
	if s.Old > 0 {
		b.APIs, b.LeavesUnknown = append(oldAPIs(s.Old), servers.Echo(true)), s.Old == 9
		if s.Login {
			b.Login = loginOf(s, r)
			b.Login.Bare = true
		}
		return b
	}
	switch {
	case s.Peer != "":
		servers.Become(string(s.Peer), b)
	case s.Release != "":
		b.APIs, b.LeavesUnknown = servers.APIs(r.release), r.leavesUnknown()
	default:
		b.APIs = defaultAPIs
	}
	if s.Expect {
		b.ClusterID, b.NodeID = clusterID, nodeID
	}
	if s.Login {
		b.Login = loginOf(s, r)
		if s.Raw {
			b.APIs = slices.Clone(b.APIs) // others have them too
			for i := range b.APIs {
				if b.APIs[i].Key == ports.KeySASLHandshake {
					b.APIs[i].Max = 0
				}
			}
		}
	}
	return b
}

// defaultAPIs are those of a broker that is of no release in particular.
var defaultAPIs = model.Table(append(oldAPIs(9), servers.Echo(true))...)

// oldAPIs are those of a broker of 0.8.2 or 0.9 that a client can tell it by.
func oldAPIs(minor int) []model.API {
	apis := []model.API{{Key: 0, Max: 2, FlexibleFrom: -1}}
	for _, key := range []int16{ports.KeyMetadata, ports.KeyOffsetFetch, ports.KeyFindCoordinator,
		ports.KeyListGroups} {
		if key != ports.KeyListGroups || minor >= 9 {
			apis = append(apis, model.API{Key: key, FlexibleFrom: -1, Handle: servers.Handler(key)})
		}
	}
	return apis
}

func (r *run) spoil(reply *model.Reply) {
	if len(r.spoils) > 0 {
		change := r.spoils[0]
		r.spoils = r.spoils[1:]
		change(reply)
	}
	r.spoilThrottle(reply)
	r.spoilLogin(reply)
}

// Defaults of settings that a plan leaves at 0: short, so that a run sees their ends.
const (
	inFlight       = 5
	requestTimeout = 3 * time.Second
	setupTimeout   = 8 * time.Second
	maxThrottle    = 5 * time.Second
	backoffBase    = 50 * time.Millisecond
	backoffMax     = time.Second
	maxFrame       = 1 << 20
)

func configOf(s Setup, w *simulation.World) domain.Config {
	c := domain.Config{
		Host: host, Port: 9092, ClientID: clientID, SoftwareName: "sim", SoftwareVersion: "1",
		MaxInFlight:     or(s.InFlight, inFlight),
		MaxPendingBytes: 1 << 20, MaxFrameBytes: maxFrame,
		RequestTimeout: or(s.RequestTimeout, requestTimeout),
		SetupTimeout:   or(s.SetupTimeout, setupTimeout),
		MaxThrottle:    or(s.MaxThrottle, maxThrottle),
		IdleTimeout:    s.IdleTimeout, PingInterval: s.PingInterval,
		BackoffBase: backoffBase, BackoffMax: backoffMax,
		ProbeOldReleases:       s.old() || s.Probe,
		RequireTLSForPasswords: s.RequireTLS,
		Rand:                   w.Stream("backoff").Uint64,
		Trace:                  true,
	}
	if s.Expect {
		c.ClusterID, c.NodeID = clusterID, new(int32(nodeID))
	}
	if s.Old == 9 && s.Login { // it cannot be asked
		c.APIVersion = broker.Release{Minor: 9}
	}
	return c
}

func or[T int | time.Duration](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

func portsOf(s Setup, r *run) domain.Ports {
	p := domain.Ports{Transport: r.story.listen(&r.tap), Codec: &r.memory.codec, Metrics: &r.check.sums}
	if r.watcher != nil && r.watcher.Metrics != nil {
		p.Metrics = broker.JoinMetrics(&r.check.sums, r.watcher.Metrics)
	}
	if s.Login {
		p.Authenticators = r.authenticators()
	}
	return p
}

// memory is what a run leaves to one that comes later. Nothing in it is read again, but for what codec and
// searched remember.
type memory struct {
	last     run    // that ended, or the one under way
	text     []byte // of the trace
	records  []record
	requests []request
	links    []*tapped // of which the first opened are in use
	opened   int
	bodies   []byte // of the requests
	net      *simulation.Network
	broker   *model.Broker
	codec    codec
	searched map[searched]bool // see checker.errorText
}

var memories = sync.Pool{New: func() any { return newMemory() }}

func newMemory() *memory { return &memory{net: new(simulation.Network), broker: new(model.Broker)} }

// keepMemory is the end of a run.
func (r *run) keepMemory() {
	m := r.memory
	m.text, m.records, m.net, m.broker = r.trace.text, r.check.requests, r.net, r.broker
	clear(m.records)
	clear(m.requests)
	m.requests, m.bodies, m.opened = m.requests[:0], m.bodies[:0], 0
	r.memory = nil
	memories.Put(m) // with r
}

// newRun returns a run that is zero but for the memory of its lists.
func (m *memory) newRun() *run {
	r := &m.last
	acts, queue, pending := r.acts[:0], r.queue[:0], r.pending[:0]
	*r = run{} // in place: a literal with values is made elsewhere and copied
	r.acts, r.queue, r.pending = acts, queue, pending
	return r
}

// newLink returns a link that is zero but for the memory of its lists.
func (m *memory) newLink() *tapped {
	if m.opened == len(m.links) {
		m.links = append(m.links, new(tapped))
	}
	l := m.links[m.opened]
	m.opened++
	partial, due := l.partial[:0], l.due[:0]
	*l = tapped{}
	l.partial, l.due = partial, due
	return l
}

// newRequest returns a zero request. It is not moved, and is used for one request only.
func (m *memory) newRequest() *request {
	if len(m.requests) == cap(m.requests) {
		m.requests = make([]request, 0, 256)
	}
	m.requests = m.requests[:len(m.requests)+1]
	return &m.requests[len(m.requests)-1]
}

// newBody returns n zeros, which are used for one request only.
func (m *memory) newBody(n int) []byte {
	if cap(m.bodies)-len(m.bodies) < n {
		m.bodies = make([]byte, 0, max(32<<10, n))
	}
	begin := len(m.bodies)
	m.bodies = m.bodies[:begin+n]
	body := m.bodies[begin:len(m.bodies):len(m.bodies)]
	clear(body)
	return body
}

// codec is kafkacodec's, and remembers what it read in answers to ApiVersions: each connection of a run begins
// with one, and most are the same. What it returns is not changed by a connection. It is used by one goroutine at
// a time.
type codec struct {
	kafkacodec.Codec
	tables map[table]ports.Message
}

// table is an answer that was read.
type table struct {
	version int16
	body    string
}

// mostTables is how many are remembered.
const mostTables = 500

// Decode is that of the codec.
func (c *codec) Decode(request ports.Message, version int16, body []byte) (ports.Message, error) {
	if _, asks := request.(*ports.APIVersionsRequest); !asks {
		return c.Codec.Decode(request, version, body)
	}
	if known := c.tables[table{version, string(body)}]; known != nil {
		return known, nil
	}
	read, err := c.Codec.Decode(request, version, body)
	if err != nil {
		return nil, err
	}
	if c.tables == nil || len(c.tables) == mostTables {
		c.tables = map[table]ports.Message{}
	}
	c.tables[table{version, string(body)}] = read
	return read, nil
}
