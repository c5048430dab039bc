package sim

import (
	"bytes"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// Requests that are messages of the codec: Metadata of a topic that has the request's number as its
// name. Their version is negotiated, and their throttle times count.

// ask puts such a request into the owner's queue.
func (r *run) ask() {
	q := r.enqueue()
	topic, name := kmsg.NewMetadataRequestTopic(), strconv.FormatInt(q.number, 10)
	topic.Topic = &name
	q.asked = kmsg.NewPtrMetadataRequest()
	q.asked.Topics = append(q.asked.Topics, topic)
}

// numberIn returns the number of an asked request that the broker has received, 0 if it is none.
func numberIn(req *model.Request) int64 {
	if req.Key != ports.KeyMetadata {
		return 0
	}
	return numberOf(topicsOf(req))
}

func numberOf(topics []string) int64 {
	if len(topics) != 1 {
		return 0
	}
	n, err := strconv.ParseInt(topics[0], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// numberInAnswer returns the number of the request that a message answers, 0 if it has none.
func numberInAnswer(m ports.Message) int64 {
	resp, ok := m.(*kmsg.MetadataResponse)
	if !ok || len(resp.Topics) != 1 || resp.Topics[0].Topic == nil {
		return 0
	}
	return numberOf([]string{*resp.Topics[0].Topic})
}

// decoded reads the answer to an asked request.
func decoded(q *request, version int16, body []byte) ports.Message {
	m, err := kafkacodec.Codec{}.Decode(q.asked, version, bytes.Clone(body))
	if err != nil {
		return nil
	}
	return m
}

// negotiated checks the version of an asked request at the broker.
func (c *checker) negotiated(req *model.Request) {
	most, _ := kafkacodec.MaxVersion(req.Key)
	for _, a := range c.r.broker.APIs {
		if a.Key == req.Key && req.Version != min(a.Max, most) {
			c.fail("negotiated", "a request is of version %d where the broker has %d to %d", req.Version, a.Min, a.Max)
		}
	}
}

// unsupported checks the error of a request that cannot be sent in any version that the broker lists.
func (c *checker) unsupported(q *request, err error) {
	for _, a := range c.r.broker.APIs {
		if a.Key == ports.KeyMetadata && !a.Unlisted {
			c.fail("negotiated", "request %d was refused: %v", q.number, err)
		}
	}
}
