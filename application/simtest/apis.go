package simtest

import (
	"bytes"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Handler answers requests of one API. The request and the response are of the version that was
// asked for. It is called by the world when nothing else happens, and must not wait for anything.
// If it returns nil there is no answer.
type Handler func(brokerIndex int, req kmsg.Request) kmsg.Response

// Handle replaces the answers of all brokers to an API, such as kmsg.Metadata; nil restores them. Those
// to ApiVersions and to the login's APIs cannot be replaced; see Broker.
func (w *World) Handle(key kmsg.Key, h Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handled[key.Int16()] = h
	w.handles.Store(true)
}

// Error codes of Kafka, and the timestamps that ListOffsets takes for an end of a log.
const (
	offsetOutOfRange        = 1
	unknownTopicOrPartition = 3
	notLeaderOrFollower     = 6
	unknownTopicID          = 100
	latestOffset            = -1
)

// handle answers a request, as Handle or the cluster does.
func (w *World) handle(n *node, r *model.Reply) {
	w.mu.Lock()
	handler := w.handled[r.Key]
	w.mu.Unlock()
	if handler != nil {
		w.served, w.rouses = servedByTest, true
	} else if w.served = max(w.served, servedByCluster); w.last.answers(r, w.names.changed()) {
		return
	}
	req := kmsg.RequestForKey(r.Key)
	req.SetVersion(r.Version)
	if err := req.ReadFrom(bytes.Clone(r.Request.Body)); err != nil {
		r.None, r.Close = true, true // a broker ends the connection of a request that it cannot read
		return
	}
	own := handler == nil
	if own {
		handler = func(i int, req kmsg.Request) kmsg.Response { return w.answer(i, req, r) }
	}
	var resp kmsg.Response
	w.protect("a handler", func() { resp = handler(n.index, req) })
	if resp == nil {
		r.None = true
		return
	}
	resp.SetVersion(r.Version)
	r.Body = resp.AppendTo(r.Memory(bodyRoom))
	if failed := w.noteErrors(n, resp, r.Request); own && !failed && r.Key == ports.KeyMetadata {
		w.last = metadata{r.Version, bytes.Clone(r.Request.Body), bytes.Clone(r.Body), w.names.changed()}
	}
}

// metadata is an answer to Metadata. It is kept for programs that ask for the same again and again.
type metadata struct {
	version       int16
	asked, answer []byte
	changes       int // of the names, until then
}

// answers answers r if it asks for the same, and reports whether it does.
func (m *metadata) answers(r *model.Reply, changes int) bool {
	same := r.Key == ports.KeyMetadata && r.Version == m.version && changes == m.changes && m.answer != nil &&
		bytes.Equal(r.Request.Body, m.asked)
	if same {
		r.Body = append(r.Memory(len(m.answer)), m.answer...)
	}
	return same
}

// bodyRoom is enough for most answers.
const bodyRoom = 512

// answer is what a broker of the cluster answers.
func (w *World) answer(i int, req kmsg.Request, r *model.Reply) kmsg.Response {
	switch req := req.(type) {
	case *kmsg.MetadataRequest:
		return w.metadata(req)
	case *kmsg.DescribeClusterRequest:
		return w.describe(req)
	case *kmsg.FindCoordinatorRequest:
		return w.coordinator(req)
	case *kmsg.ProduceRequest:
		return w.produce(i, req)
	case *kmsg.FetchRequest:
		resp, some := w.fetch(i, req)
		if wait := time.Duration(req.MaxWaitMillis) * time.Millisecond; !some && wait > 0 {
			r.Delay += wait
		}
		return resp
	case *kmsg.ListOffsetsRequest:
		return w.offsets(i, req)
	}
	return req.ResponseKind()
}

const clusterID = "simulated-cluster"

func (w *World) metadata(req *kmsg.MetadataRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	resp.ClusterID, resp.ControllerID = kmsg.StringPtr(clusterID), 0
	resp.Brokers = make([]kmsg.MetadataResponseBroker, 0, len(w.nodes))
	for _, n := range w.nodes {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = int32(n.index), n.host, port
		resp.Brokers = append(resp.Brokers, b)
	}
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range w.names.all() {
			resp.Topics = append(resp.Topics, w.describeTopic(t))
		}
		return resp
	}
	for _, asked := range req.Topics {
		var t *topic
		if asked.Topic != nil {
			t = w.names.get(*asked.Topic)
		} else {
			t = w.names.find(asked.TopicID)
		}
		if t == nil {
			missing := kmsg.NewMetadataResponseTopic()
			missing.TopicID, missing.ErrorCode = asked.TopicID, unknownTopicID
			resp.Topics = append(resp.Topics, missing)
			continue
		}
		resp.Topics = append(resp.Topics, w.describeTopic(t))
	}
	return resp
}

func (w *World) describeTopic(t *topic) kmsg.MetadataResponseTopic {
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.TopicID = &t.name, t.id
	all := w.names.replicas
	topic.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, len(t.partitions))
	for i := range t.partitions {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.LeaderEpoch = int32(i), w.names.leader(t, i), w.names.epoch()
		p.Replicas, p.ISR = all, all
		topic.Partitions = append(topic.Partitions, p)
	}
	return topic
}

func (w *World) describe(req *kmsg.DescribeClusterRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	resp.ClusterID = clusterID
	for _, n := range w.nodes {
		b := kmsg.NewDescribeClusterResponseBroker()
		b.NodeID, b.Host, b.Port = int32(n.index), n.host, port
		resp.Brokers = append(resp.Brokers, b)
	}
	return resp
}

// coordinator returns the broker of a group: always the same.
func (w *World) coordinator(req *kmsg.FindCoordinatorRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	of := func(key string) *node {
		return w.nodes[w.sim.Stream("coordinator of "+key).Below(int64(len(w.nodes)))]
	}
	if req.Version < 4 {
		n := of(req.CoordinatorKey)
		resp.NodeID, resp.Host, resp.Port = int32(n.index), n.host, port
		return resp
	}
	for _, key := range req.CoordinatorKeys {
		c, n := kmsg.NewFindCoordinatorResponseCoordinator(), of(key)
		c.Key, c.NodeID, c.Host, c.Port = key, int32(n.index), n.host, port
		resp.Coordinators = append(resp.Coordinators, c)
	}
	return resp
}

// leads returns the log of a partition, and an error code if a broker does not lead it.
func (w *World) leads(i int, t *topic, number int32) (*partition, int16) {
	switch {
	case t == nil:
		return nil, unknownTopicID
	case number < 0 || int(number) >= len(t.partitions):
		return nil, unknownTopicOrPartition
	case w.names.leader(t, int(number)) != int32(i):
		return nil, notLeaderOrFollower
	}
	return t.partitions[number], 0
}

// named returns a topic by its name, or by its id if it has no name.
func (w *World) named(name string, id [16]byte) *topic {
	if name != "" {
		return w.names.get(name)
	}
	return w.names.find(id)
}
