package sim

import (
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation/model"
	"brokerconn/domain/release"
	"brokerconn/ports"
)

// ReleaseName is a release of Kafka that has a table: "0.8.2", "4.4".
type ReleaseName string

// releaseOf returns the place of a release among those that are known, -1 without one.
func releaseOf(name ReleaseName) int {
	if place, ok := places()[name]; ok {
		return place
	}
	return -1
}

var places = sync.OnceValue(func() map[ReleaseName]int {
	m := map[ReleaseName]int{}
	for i, r := range release.Known() {
		m[ReleaseName(r.String())] = i
	}
	return m
})

// The first releases that have a table of API versions, and sessions that end.
const (
	firstAsked    ReleaseName = "0.10.0"
	firstSessions ReleaseName = "2.2"
)

// old reports whether the broker is one before 0.10, which has no table of API versions.
func (s Setup) old() bool {
	return s.Old > 0 || s.Release != "" && releaseOf(s.Release) < releaseOf(firstAsked)
}

// apisOf returns the APIs of a release.
func apisOf(place int) []model.API { return releases()[place] }

var releases = sync.OnceValue(func() (all [][]model.API) {
	for _, r := range release.Known() {
		table, _, _ := release.TableOf(r)
		var apis []model.API
		for _, row := range table.Ranges() {
			apis = append(apis, apiOf(row))
		}
		all = append(all, append(apis, echoAPI))
	}
	return all
})

// echoAPI is the API of the owner's requests, which no broker lists.
var echoAPI = model.API{Key: keyEcho, FlexibleFrom: -1, Unlisted: true, Handle: echo}

func echo(r *model.Reply) { r.Body = append(r.Memory(len(r.Request.Body)), r.Request.Body...) }

// apiOf returns an API of a broker with its handler.
func apiOf(row ports.APIRange) model.API {
	api := model.API{Key: row.Key, Min: row.Min, Max: row.Max, FlexibleFrom: -1, Handle: handlers[row.Key]}
	if req := kmsg.RequestForKey(row.Key); req != nil {
		if traits, err := (kafkacodec.Codec{}).Describe(req); err == nil {
			api.FlexibleFrom = traits.FlexibleFrom
		}
	}
	return api
}

// handlers answer what a client can tell an old broker by.
var handlers = map[int16]func(*model.Reply){
	ports.KeyMetadata:        metadata,
	ports.KeyOffsetFetch:     empty(4),
	ports.KeyFindCoordinator: empty(12),
	ports.KeyListGroups:      empty(6),
}

// empty answers with no group, no offset, no error.
func empty(size int) func(*model.Reply) {
	return func(r *model.Reply) { r.Body = append(r.Memory(size), make([]byte, size)...) }
}

// metadata answers with the topics that are asked for, and no broker.
func metadata(r *model.Reply) {
	if r.Version == 0 && len(r.Request.Body) == 4 {
		r.Body = make([]byte, 8)
		return
	}
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = r.Version
	for _, name := range topicsOf(&r.Request) {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = &name
		resp.Topics = append(resp.Topics, topic)
	}
	r.Body = resp.AppendTo(nil)
}

func topicsOf(r *model.Request) (names []string) {
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

// shift makes the broker one of another release, some places away, and restarts it. It stays one
// that can do what the run needs.
func (r *run) shift(by int, away time.Duration) {
	if r.plan.Setup.Release == "" || r.plan.Setup.Peer != "" {
		return
	}
	least := r.release
	switch {
	case r.plan.Setup.Login:
		least = releaseOf(firstSessions)
	case by < 0:
		least = min(r.release, releaseOf(firstAsked))
	}
	r.release = min(max(r.release+by, least), len(releases())-1)
	r.broker.APIs, r.broker.LeavesUnknown = apisOf(r.release), r.leavesUnknown()
	r.trace.line(r.w.Now(), "release")
	r.trace.word(release.Known()[r.release].String())
	r.trace.end()
	r.restart(away, true)
}

// leavesUnknown reports whether the broker is one of 0.9.
func (r *run) leavesUnknown() bool { return release.Known()[r.release].String() == "0.9.0" }

// told is what CheckVersion returned.
func (c *checker) told(v release.Verdict) {
	if c.r.plan.Setup.Release == "" {
		return
	}
	is := release.Known()[c.asked]
	if v.Kind == release.Custom || v.High.Compare(is) < 0 || v.Low.Compare(is) > 0 {
		c.fail("the release", "a broker of %v is said to be %v", is, v)
	}
}

// set reads a release.
func (n *ReleaseName) set(value string) error {
	if *n = ReleaseName(value); releaseOf(*n) < 0 {
		return fmt.Errorf("no table of Kafka %s", value)
	}
	return nil
}

// isOld reports whether the broker is now one before 0.10.
func (r *run) isOld() bool {
	return r.plan.Setup.Old > 0 || r.plan.Setup.Release != "" && r.release < releaseOf(firstAsked)
}
