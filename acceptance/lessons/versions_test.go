package lessons

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about API versions: peers that reset at an unknown version, answers in another
// version than requested, and releases newer than the library.

// cutWays ends the connection of a PolledBroker in one of the ways that there are.
var cutWays = map[string]func(*fakebroker.PolledBroker){
	"RST": func(s *fakebroker.PolledBroker) { s.Hand.Peer.Reset(nil); s.Recv() },
	"FIN": func(s *fakebroker.PolledBroker) { _ = s.Hand.Peer.Close(); s.Recv() },
}

// resetAboveV0: asked for v4 the peer hangs up; it is asked for v0, at
// once, and the next time that is asked first.
func resetAboveV0(t *testing.T) {
	for how, cut := range cutWays {
		t.Run(how, func(t *testing.T) {
			s := fakebroker.NewPolledBroker(t, nil)
			began := s.Clock.Now()
			r := receiveAll(t, s)
			require(t, r.Key == 18 && r.Version == 4, "API %d v%d was asked first", r.Key, r.Version)
			cut(s)
			r = receiveAll(t, s)
			require(t, r.Key == 18 && r.Version == 0 && r.ID == 1, "then API %d v%d, id %d", r.Key, r.Version, r.ID)
			reply(s, r, fakebroker.Table(0))
			require(t, s.Connected() && s.Clock.Now().Equal(began), "%v after %v", s.State(), s.Clock.Now().Sub(began))
			cut(s)
			s.Clock.Advance(time.Second)
			r = receiveAll(t, s)
			assert(t, r.Version == 0, "next time v%d was asked first", r.Version)
		})
	}
}

// resetAtEveryVersion: a peer that always hangs up is asked twice, at once, then it
// is probed for an old release, and from then on there is a pause after each connection.
func resetAtEveryVersion(t *testing.T) {
	for how, cut := range cutWays {
		t.Run(how, func(t *testing.T) {
			s := fakebroker.NewPolledBroker(t, nil)
			for attempt := range 4 {
				for i, want := range []fakebroker.Request{
					{Key: 18, Version: 4}, {Key: 18}, {Key: 16}, {Key: 10}, {Key: 9}, {Key: 3},
				} {
					r := requestsAll(t, s)[0]
					require(t, r.Key == want.Key && r.Version == want.Version,
						"attempt %d: API %d v%d, want API %d v%d", attempt, r.Key, r.Version, want.Key, want.Version)
					cut(s)
					require(t, s.BlackedOut() == (i > 0), "attempt %d: after connection %d: wrong pause", attempt, i)
					if i > 0 && i < 5 {
						s.Clock.AdvanceTo(s.NextDeadline())
					}
				}
				err := s.Stats().LastError
				assert(t, errors.Is(err, broker.ErrConnection) && strings.Contains(brokerError(t, err).Hint, "TLS"),
					"attempt %d: %v", attempt, err)
				s.Clock.Advance(2 * time.Second)
			}
		})
	}
}

// tooNew is the answer to a version of ApiVersions that the broker does not
// have: error 35 in version 0, with the range of ApiVersions alone from Kafka 2.4
// on, and nothing before.
func tooNew(ranges ...ports.APIRange) []byte {
	body := binary.BigEndian.AppendUint32([]byte{0, 35}, uint32(len(ranges)))
	for _, r := range ranges {
		for _, n := range [...]int16{r.Key, r.Min, r.Max} {
			body = binary.BigEndian.AppendUint16(body, uint16(n))
		}
	}
	return body
}

// tooNewInV4 is the same in the format of the version that was asked.
func tooNewInV4(highest int16) []byte {
	r := kmsg.NewPtrApiVersionsResponse()
	r.Version, r.ErrorCode = 4, 35
	r.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MaxVersion: highest}}
	return r.AppendTo(nil)
}

// mockCluster is that of librdkafka 2.16.0's mock cluster: a compact array of no API, and one API.
var mockCluster = []byte{0, 35, 1, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0}

// unsupportedVersion: the next version is the one that the peer claims to have if it is lower, and v0 otherwise.
func unsupportedVersion(t *testing.T) {
	has := func(lo, hi int16) []byte { return tooNew(ports.APIRange{Key: 18, Min: lo, Max: hi}) }
	for _, c := range []struct {
		name    string
		answers [][]byte // to each question; then the table
		asked   []int16
	}{
		{"Kafka 2.4 on", [][]byte{has(0, 3)}, []int16{4, 3}},
		{"Kafka 0.10 to 2.3", [][]byte{tooNew()}, []int16{4, 0}},
		{"other APIs alone", [][]byte{tooNew(ports.APIRange{Key: 3, Max: 9})}, []int16{4, 0}},
		{"claims what it refused", [][]byte{has(0, 4)}, []int16{4, 0}},
		{"claims more", [][]byte{has(0, 9)}, []int16{4, 0}},
		{"claims less and less", [][]byte{has(0, 3), has(0, 1)}, []int16{4, 3, 1}},
		{"in the format of v4", [][]byte{tooNewInV4(3)}, []int16{4, 3}},
		{"librdkafka's mock cluster", [][]byte{mockCluster}, []int16{4, 0}},
		{"an error code alone", [][]byte{{0, 35}}, []int16{4, 0}},
		{"an invalid range", [][]byte{has(-5, -2)}, []int16{4, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fakebroker.NewPolledBroker(t, nil)
			var asked []int16
			for _, answer := range c.answers {
				r := receiveAll(t, s)
				asked = append(asked, r.Version)
				reply(s, r, answer)
			}
			r := receiveAll(t, s)
			asked = append(asked, r.Version)
			assert(t, slices.Equal(asked, c.asked), "asked for %v, want %v", asked, c.asked)
			reply(s, r, fakebroker.Table(r.Version))
			assert(t, s.Connected(), "%v: %v", s.State(), s.Stats().LastError)
			f := s.Send(ask(), false)
			r = receiveAll(t, s)
			reply(s, r, make([]byte, 6))
			noError(t, errorOf(f.Response()))
		})
	}
	t.Run("at v0 as well", func(t *testing.T) {
		s := fakebroker.NewPolledBroker(t, nil)
		for range 2 {
			reply(s, receiveAll(t, s), tooNew())
		}
		err := s.Stats().LastError
		assert(t, s.BlackedOut() && errors.Is(err, broker.ErrProtocol) &&
			strings.Contains(err.Error(), "UNSUPPORTED_VERSION"), "%v, %v", s.State(), err)
	})
}

// configuredRelease: a release that is not out yet is taken for the newest
// that is known, with a warning; a patch number is nothing to warn of.
func configuredRelease(t *testing.T) {
	for _, c := range []struct {
		release broker.Release
		verdict string
		warned  bool
	}{
		{broker.Release{Major: 9, Minor: 9}, "", true},
		{broker.Release{Major: 3, Minor: 2, Patch: 3}, "3.2", false},
		{broker.Release{Major: 2, Minor: 8, Patch: 99}, "2.8", false},
		{broker.Release{Major: 0, Minor: 10, Patch: 2}, "0.10.2", false},
	} {
		t.Run(fmt.Sprint(c.release, " ", c.release.Patch), func(t *testing.T) {
			var warnings []string
			s := fakebroker.NewPolledBroker(t, func(cfg *broker.Config) {
				cfg.APIVersion = c.release
				cfg.Hooks = &broker.Hooks{Warning: func(text string) { warnings = append(warnings, text) }}
			})
			require(t, s.Connect() == broker.Connected, "%v: %v", s.State(), s.Stats().LastError)
			warned := len(warnings) > 0
			assert(t, warned == c.warned, "warnings %q", warnings)
			got, err := s.CheckVersion(time.Second, false, nil)
			assert(t, err == nil && (c.verdict == "" || got.String() == c.verdict), "%v, %v", got, err)
			f := s.Send(kmsg.NewPtrMetadataRequest(), false)
			r := receiveAll(t, s)
			assert(t, r.Key == 3, "API %d was sent: %v", r.Key, f)
		})
	}
}

// futureBroker: the broker has higher versions of each API, and new APIs. Requests use the
// known versions, and the verdict is "at least".
func futureBroker(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	r := receiveAll(t, s)
	answer := kmsg.NewPtrApiVersionsResponse()
	answer.Version = r.Version
	for key := int16(0); key < 300; key++ {
		answer.ApiKeys = append(answer.ApiKeys,
			kmsg.ApiVersionsResponseApiKey{ApiKey: key, MinVersion: 2, MaxVersion: 99})
	}
	reply(s, r, answer.AppendTo(nil))
	verdict, err := s.CheckVersion(time.Second, false, nil)
	assert(t, err == nil && verdict.Kind == broker.AtLeast && strings.HasPrefix(verdict.String(), "at least "),
		"%v, %v", verdict, err)
	f := s.Send(ask(), false)
	r = receiveAll(t, s)
	highest := ask().MaxVersion()
	assert(t, r.Key == 12 && r.Version == highest, "API %d v%d, want v%d, our highest", r.Key, r.Version, highest)
	body := kmsg.NewPtrHeartbeatResponse()
	body.Version = r.Version
	reply(s, r, body.AppendTo([]byte{0})) // a header with tagged fields
	noError(t, errorOf(f.Response()))
}
