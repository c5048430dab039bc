package simtest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
)

// names are the topics of the cluster. Each one that is asked for exists.
type names struct {
	w        *World
	mu       sync.Mutex
	topics   map[string]*topic
	order    []*topic // in which they came to be
	moved    int      // by how many brokers the leaders have moved
	changes  int      // topics made, and moves of leaders
	replicas []int32  // of every partition: all brokers
}

type topic struct {
	name       string
	id         [16]byte
	first      int // leader of partition 0, before leaders moved
	partitions []*partition
}

// get returns a topic, which it makes if it is new.
func (n *names) get(name string) *topic {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.make(name)
}

func (n *names) make(name string) *topic {
	if t := n.topics[name]; t != nil {
		return t
	}
	sum := sha256.Sum256([]byte(name))
	t := &topic{name: name, id: [16]byte(sum[:])}
	t.first = int(n.w.sim.Stream("leader of " + name).Below(int64(len(n.w.nodes))))
	for range n.w.o.Partitions {
		t.partitions = append(t.partitions, &partition{})
	}
	n.topics[name] = t
	n.order = append(n.order, t)
	n.changes++
	return t
}

// find returns the topic with an id, or nil.
func (n *names) find(id [16]byte) *topic {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.IndexFunc(n.order, func(t *topic) bool { return t.id == id }); i >= 0 {
		return n.order[i]
	}
	return nil
}

// all returns the topics in the order in which they came to be.
func (n *names) all() []*topic {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.order)
}

func (n *names) leader(t *topic, partition int) int32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return int32((t.first + partition + n.moved) % len(n.w.nodes))
}

func (n *names) moveLeaders(by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moved += by
	n.changes++
}

func (n *names) changed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changes
}

// epoch is that of the leaders.
func (n *names) epoch() int32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return int32(n.moved)
}

// Leader returns the node id of a partition's leader, which is also its index among the brokers. It
// panics if the topic does not have that partition.
func (w *World) Leader(topic string, partition int) int32 {
	if partition < 0 || partition >= w.o.Partitions {
		panic(fmt.Sprintf("simtest: there is no partition %d: Options.Partitions is %d", partition, w.o.Partitions))
	}
	return w.names.leader(w.names.get(topic), partition)
}
