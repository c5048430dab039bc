package servers

import (
	"slices"

	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

const keyProduce = 0

type peer struct {
	name string
	make func(*model.Broker)
}

// peers are servers of the protocol that are not brokers of Apache Kafka as a client expects one, each
// with what it makes of a broker of the newest release. What they do was measured on the real ones.
var peers = []peer{
	// librdkafka's mock cluster: ApiVersions up to v2, and above it bytes that fit no version.
	{"librdkafka-mock", func(b *model.Broker) {
		limit(b, ports.KeyAPIVersions, 0, 2)
		b.Unsupported = model.OffersUnreadable
	}},
	// Kroxylicious intersects ranges: where nothing is left the least is above the most.
	{"kroxylicious", func(b *model.Broker) {
		limit(b, ports.KeyAPIVersions, 0, 4)
		for key := int16(76); key <= 79; key++ {
			limit(b, key, 1, 0)
		}
	}},
	// Tansu answers what it does not have in the layout of v3, without an error, and also a Produce
	// without acks.
	{"tansu", func(b *model.Broker) {
		limit(b, ports.KeyAPIVersions, 0, 4)
		b.Unsupported, b.AnswersAll = model.Ignores, true
	}},
	// sarama's MockBroker closes on ApiVersions v5, lists two APIs, and leaves the others unanswered.
	// (Its Produce begins with v5; the owner's is v2.)
	{"sarama-mock", func(b *model.Broker) {
		limit(b, ports.KeyAPIVersions, 0, 4)
		limit(b, keyProduce, 2, 8)
		limit(b, 1, 7, 11)
		for i := range b.APIs {
			if key := b.APIs[i].Key; key > 1 && key != ports.KeyAPIVersions && key != KeyEcho {
				b.APIs[i].Unlisted, b.APIs[i].Silent = true, true
			}
		}
		b.Unsupported, b.AnswersAll = model.Closes, true
	}},
	// kfake: as Apache Kafka.
	{"kfake", func(*model.Broker) {}},
	// Azure Event Hubs closes on ApiVersions v4.
	{"event-hubs", func(b *model.Broker) {
		limit(b, ports.KeyAPIVersions, 0, 3)
		b.Unsupported = model.Closes
	}},
	// The listener of a controller has no Metadata, and compares no names.
	{"controller", func(b *model.Broker) {
		b.APIs = slices.DeleteFunc(b.APIs, func(a model.API) bool { return a.Key == ports.KeyMetadata })
		for i := range b.APIs {
			b.APIs[i].Unlisted = b.APIs[i].Unlisted || b.APIs[i].Key <= 1
		}
	}},
}

// limit sets the versions of an API.
func limit(b *model.Broker, key, least, most int16) {
	for i := range b.APIs {
		if b.APIs[i].Key == key {
			b.APIs[i].Min, b.APIs[i].Max = least, most
		}
	}
}

// Peers returns the names of the other servers.
func Peers() (names []string) {
	for _, each := range peers {
		names = append(names, each.name)
	}
	return names
}

// Become makes a broker one of [Peers]. It panics if there is no such server.
func Become(name string, b *model.Broker) {
	i := slices.IndexFunc(peers, func(each peer) bool { return each.name == name })
	if i < 0 {
		panic("servers: no server is named " + name)
	}
	b.APIs = slices.Clone(APIs(Count() - 1))
	peers[i].make(b)
}
