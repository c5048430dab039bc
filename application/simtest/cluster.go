package simtest

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const port = 9092

// node is one broker of the cluster.
type node struct {
	index         int
	host, address string
	path          simulation.Path
	model         *model.Broker
	accept        func(*simulation.Peer) // what listens at the address

	mu sync.Mutex
	// The faults that are active; the last one of each list counts.
	sites  []*simulation.Site
	names  []*simulation.Name
	delays []*time.Duration
	spoils []*func(*model.Reply) // of the next answers, each once; the first one counts
	// The faults RefuseLogins that are active.
	refusals []*bool
}

// build makes the brokers of a world, with the memory of others.
func (w *World) build(old []*model.Broker) {
	apis := apisOf(w.o.Release)
	w.names = names{w: w, topics: map[string]*topic{}}
	for i := range w.o.Brokers {
		host := hostOf(i)
		n := &node{index: i, host: host, address: net.JoinHostPort(host, strconv.Itoa(port))}
		n.path = w.pathTo(host)
		n.model = &model.Broker{}
		if i < len(old) {
			n.model = old[i].Successor()
		}
		n.model.World, n.model.Think, n.model.Change = w.sim, n.think, n.spoil
		// Brokers of 0.9 leave unanswered what they do not know; those before end the connection.
		n.model.LeavesUnknown = has(apis, ports.KeyListGroups) && !has(apis, ports.KeyAPIVersions)
		n.model.APIs = slices.Clone(apis)
		handle := func(r *model.Reply) { w.handle(n, r) }
		for j := range n.model.APIs {
			n.model.APIs[j].Handle = handle
		}
		n.model.Login = w.login(n)
		n.accept = n.model.Accept
		w.nodes = append(w.nodes, n)
		if w.o.TLS {
			w.ServeTLS(i, w.serverTLS(host))
		}
		n.apply(w)
		w.names.replicas = append(w.names.replicas, int32(i))
	}
}

func hostOf(index int) string { return "broker-" + strconv.Itoa(index) }

// pathTo returns the way to a host. No two are equally far away, and no delivery comes at a round
// time, at which the program under test might do something by itself.
func (w *World) pathTo(host string) simulation.Path {
	draw := w.sim.Stream("latency of " + host)
	least := w.o.Latency / 2
	return simulation.Path{Latency: least + draw.Between(0, least/4) | 1, Jitter: w.o.Latency + least}
}

// apisOf returns the APIs of a release, in versions that kmsg knows too.
func apisOf(name string) (apis []model.API) {
	apisMu.Lock()
	defer apisMu.Unlock()
	if known := apisByRelease[name]; known != nil {
		return known
	}
	for _, r := range table(name).Ranges() {
		most, known := kafkacodec.MaxVersion(r.Key)
		if !known || most < r.Min {
			continue
		}
		apis = append(apis, model.API{Key: r.Key, Min: r.Min, Max: min(r.Max, most), FlexibleFrom: flexibleFrom(r)})
	}
	apisByRelease[name] = apis
	return apis
}

func has(apis []model.API, key int16) bool {
	return slices.ContainsFunc(apis, func(a model.API) bool { return a.Key == key })
}

var (
	apisMu        sync.Mutex
	apisByRelease = map[string][]model.API{}
)

func flexibleFrom(r ports.APIRange) int16 {
	traits, err := kafkacodec.Codec{}.Describe(kmsg.RequestForKey(r.Key))
	if err != nil {
		panic(err)
	}
	return traits.FlexibleFrom
}

func (w *World) node(i int) *node {
	if i < 0 || i >= len(w.nodes) {
		panic(fmt.Sprintf("simtest: there is no broker %d: Options.Brokers is %d", i, len(w.nodes)))
	}
	return w.nodes[i]
}

// listen replaces what listens at the address.
func (n *node) listen(w *World, accept func(*simulation.Peer)) {
	n.mu.Lock()
	n.accept = accept
	n.mu.Unlock()
	n.apply(w)
}

// apply makes the network as the active faults want it.
func (n *node) apply(w *World) {
	n.mu.Lock()
	defer n.mu.Unlock()
	site := simulation.Site{Accept: n.accept}
	if len(n.sites) > 0 {
		site = *n.sites[len(n.sites)-1]
	}
	site.Path = n.path
	w.net.SetSite(n.address, site)
	var name simulation.Name
	if len(n.names) > 0 {
		name = *n.names[len(n.names)-1]
	}
	w.net.SetName(n.host, name)
}

// think is how long an answer takes.
func (n *node) think(*model.Request) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.delays) > 0 {
		return *n.delays[len(n.delays)-1]
	}
	return 0
}

// spoil changes the next answer.
func (n *node) spoil(r *model.Reply) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.spoils) > 0 {
		change := *n.spoils[0]
		n.spoils = n.spoils[1:]
		change(r)
	}
}
