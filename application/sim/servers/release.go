package servers

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation/model"
	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Count returns how many releases have a table: see [release.Known].
func Count() int { return len(tables()) }

// APIs returns the APIs of the release at a place of release.Known. They are shared: the result must
// not be changed.
func APIs(place int) []model.API { return tables()[place] }

// Release returns the release at a place of release.Known.
func Release(place int) release.Release { return known()[place] }

var known = sync.OnceValue(release.Known)

// PlaceOf returns the place of a release, such as "4.4" or "0.8.2", and -1 if it has no table.
func PlaceOf(name string) int {
	if place, ok := places()[name]; ok {
		return place
	}
	return -1
}

var places = sync.OnceValue(func() map[string]int {
	m := map[string]int{}
	for i, r := range known() {
		m[r.String()] = i
	}
	return m
})

var tables = sync.OnceValue(func() (all [][]model.API) {
	for _, r := range known() {
		table, _, _ := release.TableOf(r)
		var apis []model.API
		for _, row := range table.Ranges() {
			apis = append(apis, apiOf(row))
		}
		all = append(all, append(apis, Echo(false)))
	}
	return all
})

// apiOf returns an API of a broker with its handler.
func apiOf(row ports.APIRange) model.API {
	api := model.API{Key: row.Key, Min: row.Min, Max: row.Max, FlexibleFrom: -1, Handle: Handler(row.Key)}
	if req := kmsg.RequestForKey(row.Key); req != nil {
		if traits, err := (kafkacodec.Codec{}).Describe(req); err == nil {
			api.FlexibleFrom = traits.FlexibleFrom
		}
	}
	return api
}

// KeyEcho is the key of an API that Kafka does not have.
const KeyEcho = 1000

// Echo returns the API that answers with the bytes of the request.
func Echo(listed bool) model.API {
	return model.API{Key: KeyEcho, FlexibleFrom: -1, Unlisted: !listed, Handle: func(r *model.Reply) {
		r.Body = append(r.Memory(len(r.Request.Body)), r.Request.Body...)
	}}
}

// Handler returns what answers a Produce, and an API by which a client can tell an old broker, and nil for
// all others, whose bodies are empty.
func Handler(key int16) func(*model.Reply) {
	switch key {
	case keyProduce:
		return produced
	case ports.KeyMetadata:
		return metadata
	case ports.KeyOffsetFetch:
		return empty(4)
	case ports.KeyFindCoordinator:
		return empty(12)
	case ports.KeyListGroups:
		return listGroups
	}
	return nil
}

const keyProduce = 0

// produced answers with no topic, and no throttle time.
func produced(r *model.Reply) {
	switch {
	case r.Version == 0:
		empty(4)(r)
	case r.Flexible:
		r.Body = append(r.Memory(6), 1, 0, 0, 0, 0, 0)
	default:
		empty(8)(r)
	}
}

// empty answers with no group, no offset, no error.
func empty(size int) func(*model.Reply) {
	return func(r *model.Reply) { r.Body = append(r.Memory(size), make([]byte, size)...) }
}

// listGroups answers with no group, and within a login with error 34.
func listGroups(r *model.Reply) {
	r.Body = append(r.Memory(11), make([]byte, 6)...)
	at := 0
	if r.Version > 0 { // the throttle time is before the error
		r.Body, at = append(r.Body, 0, 0, 0, 0), 4
	}
	if r.Flexible { // the list has a length of one byte
		r.Body = append(r.Body[:at+2], 1, 0)
	}
	if r.Refused {
		r.Body[at+1] = errIllegalState
	}
}

const errIllegalState = 34

// metadata answers with the topics that are asked for, and no broker.
func metadata(r *model.Reply) {
	if r.Version == 0 && len(r.Request.Body) == 4 {
		empty(8)(r)
		return
	}
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = r.Version
	for _, name := range Topics(&r.Request) {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = &name
		resp.Topics = append(resp.Topics, topic)
	}
	r.Body = resp.AppendTo(nil)
}

// Topics returns the topics that a Metadata request asks for. It is nil for a request that cannot be
// read.
func Topics(r *model.Request) (names []string) {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = r.Version
	if err := req.ReadFrom(r.Body); err != nil {
		return nil
	}
	for _, topic := range req.Topics {
		if topic.Topic != nil {
			names = append(names, *topic.Topic)
		}
	}
	return names
}
