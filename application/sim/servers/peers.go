package servers

import (
	"math"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

type peer struct {
	name string
	make func(*model.Broker)
	open bool // no login succeeds
}

// peers are servers of the protocol that are not brokers of Apache Kafka as a client expects one, each
// with what it makes of a broker of the newest release. What they do was measured on the real ones:
// acceptance/peers/odd compares those that run on one machine with their models.
var peers = []peer{
	// librdkafka's mock cluster: ApiVersions up to v2, and above it bytes that fit no version.
	{"librdkafka-mock", func(b *model.Broker) {
		b.APIs = librdkafkaAPIs()
		b.Unsupported, b.AnswersAll = model.OffersUnreadable, true
	}, true},
	// Kroxylicious is one version of ApiVersions behind the broker.
	{"kroxylicious", func(b *model.Broker) {
		b.APIs, b.Supported, b.Finalized = kroxyliciousAPIs(), kafkaSupported, kafkaFinalized
	}, false},
	// Tansu answers what it does not have in the layout of v3, without an error, and also a Produce
	// without acks.
	{"tansu", tansu, false},
	// Without --authentication it refuses each mechanism with a list that is the mechanism.
	{"tansu-open", func(b *model.Broker) {
		tansu(b)
		b.Login = &model.Login{Open: true}
	}, true},
	// sarama's MockBroker closes on ApiVersions v5, lists two APIs, and leaves those unanswered that
	// have no handler.
	{"sarama-mock", func(b *model.Broker) {
		b.APIs = saramaAPIs()
		b.Unsupported, b.AnswersAll = model.Closes, true
		b.Unnamed, b.Tags = true, []byte{1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0} // the epoch
	}, true},
	{"kfake", kfake, false},
	// Without EnableSASL it accepts mechanisms, and no token.
	{"kfake-open", func(b *model.Broker) {
		kfake(b)
		b.Login = &model.Login{Open: true}
		for _, name := range KfakeMechanisms() {
			b.Login.Mechanisms = append(b.Login.Mechanisms, model.Scripted(name))
		}
	}, true},
	// Azure Event Hubs closes on ApiVersions v4.
	{"event-hubs", func(b *model.Broker) {
		newest(b)
		limit(b, ports.KeyAPIVersions, 0, 3)
		b.Unsupported = model.Closes
	}, false},
	// A listener of Apache Kafka that wants a login.
	{"sasl-listener", func(b *model.Broker) {
		newest(b)
		b.Login = &model.Login{Mechanisms: []model.Mechanism{model.Plain(nil)}}
	}, false},
	// The listener of a controller has no Metadata, and compares no names.
	{"controller", func(b *model.Broker) {
		newest(b)
		b.APIs = slices.DeleteFunc(b.APIs, func(a model.API) bool { return a.Key == ports.KeyMetadata })
		for i := range b.APIs {
			b.APIs[i].Unlisted = b.APIs[i].Unlisted || b.APIs[i].Key <= 1
		}
	}, false},
}

// KfakeMechanisms returns the mechanisms of kfake, which has them also without logins.
func KfakeMechanisms() []string { return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} }

func tansu(b *model.Broker) {
	b.APIs = tansuAPIs()
	b.Unsupported, b.AnswersAll, b.Dialect = model.Ignores, true, model.Tansu
	b.Unnamed, b.MaxRequest = true, math.MaxInt32
	// No supported feature, the epoch -1, no finalized feature, and a migration from ZooKeeper that is not ready.
	b.Tags = []byte{4, 0, 1, 1, 1, 8, 255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 1, 3, 1, 0}
}

func kfake(b *model.Broker) {
	b.APIs, b.Dialect = kfakeAPIs(), model.Kfake
	b.Tags = kfakeTags()
}

// kfakeTags are the features of kfake, which it has in v3 too.
var kfakeTags = sync.OnceValue(func() []byte {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.Version, resp.FinalizedFeaturesEpoch = 4, 1
	for _, f := range kfakeFeatures {
		supported := kmsg.NewApiVersionsResponseSupportedFeature()
		supported.Name, supported.MinVersion, supported.MaxVersion = f.Name, f.Min, f.Max
		resp.SupportedFeatures = append(resp.SupportedFeatures, supported)
		finalized := kmsg.NewApiVersionsResponseFinalizedFeature()
		finalized.Name, finalized.MinVersionLevel, finalized.MaxVersionLevel = f.Name, f.Max, f.Max
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, finalized)
	}
	const before = 2 + 1 + 4 // the error, an empty table, the throttle time
	return resp.AppendTo(nil)[before:]
})

// newest gives a broker the APIs of the newest release, which may be changed.
func newest(b *model.Broker) { b.APIs = slices.Clone(APIs(Count() - 1)) }

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

// Open reports whether one of [Peers] has no logins, whatever it answers to a SaslHandshake.
func Open(name string) bool { return peers[place(name)].open }

// Become makes a broker one of [Peers]. It panics if there is no such server, as Open does.
func Become(name string, b *model.Broker) { peers[place(name)].make(b) }

func place(name string) int {
	i := slices.IndexFunc(peers, func(each peer) bool { return each.name == name })
	if i < 0 {
		panic("servers: no server is named " + name)
	}
	return i
}
