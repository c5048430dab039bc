package servers_test

import (
	"slices"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
	"brokerconn/domain/release"
	"brokerconn/ports"
)

// TestTablesAreThoseOfReleases: a broker lists what its release has, and one API more that it hides.
func TestTablesAreThoseOfReleases(t *testing.T) {
	if got, want := servers.Count(), len(release.Known()); got != want {
		t.Fatalf("got %d tables, want %d", got, want)
	}
	for i, r := range release.Known() {
		if got := servers.PlaceOf(r.String()); got != i {
			t.Errorf("the place of %v: got %d, want %d", r, got, i)
		}
		table, _, _ := release.TableOf(r)
		var got []ports.APIRange
		for _, a := range servers.APIs(i) {
			if !a.Unlisted {
				got = append(got, ports.APIRange{Key: a.Key, Min: a.Min, Max: a.Max})
			}
		}
		if want := table.Ranges(); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", r, got, want)
		}
	}
	if got := servers.PlaceOf("9.9"); got != -1 {
		t.Errorf("the place of no release: got %d, want -1", got)
	}
}

// TestFlexibleVersions of Kafka's messages: KIP-482 and its own definitions say since when.
func TestFlexibleVersions(t *testing.T) {
	want := map[int16]int16{0: 9, 1: 12, ports.KeyMetadata: 9, ports.KeySASLHandshake: -1, ports.KeyAPIVersions: 3,
		ports.KeySASLAuthenticate: 2, servers.KeyEcho: -1}
	for _, a := range servers.APIs(servers.Count() - 1) {
		if from, asked := want[a.Key]; asked && a.FlexibleFrom != from {
			t.Errorf("API %d: got flexible from v%d, want v%d", a.Key, a.FlexibleFrom, from)
		}
	}
}

// TestPeersHaveWhatWasMeasured: the versions of ApiVersions, and what is shown of other APIs.
func TestPeersHaveWhatWasMeasured(t *testing.T) {
	for name, want := range map[string]struct {
		most   int16 // of ApiVersions
		answer model.Unsupported
		lacks  []int16
	}{
		"librdkafka-mock": {2, model.OffersUnreadable, nil},
		"kroxylicious":    {4, model.OffersVersions, nil},
		"tansu":           {4, model.Ignores, nil},
		"tansu-open":      {4, model.Ignores, nil},
		"sarama-mock":     {4, model.Closes, []int16{ports.KeyAPIVersions, ports.KeyMetadata, ports.KeySASLHandshake}},
		"kfake":           {5, model.OffersVersions, nil},
		"kfake-open":      {5, model.OffersVersions, nil},
		"event-hubs":      {3, model.Closes, nil},
		"sasl-listener":   {5, model.OffersVersions, nil},
		"controller":      {5, model.OffersVersions, []int16{0, 1, ports.KeyMetadata}},
	} {
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(servers.Peers(), name) {
				t.Fatal("it is not listed")
			}
			var b model.Broker
			servers.Become(name, &b)
			listed := map[int16]model.API{}
			most := int16(-1)
			for _, a := range b.APIs {
				if !a.Unlisted {
					listed[a.Key] = a
				}
				if a.Key == ports.KeyAPIVersions {
					most = a.Max
				}
			}
			if got := most; got != want.most || b.Unsupported != want.answer {
				t.Errorf("got ApiVersions up to v%d, and %d above; want v%d, %d", got, b.Unsupported,
					want.most, want.answer)
			}
			for _, key := range want.lacks {
				if _, has := listed[key]; has {
					t.Errorf("it has API %d", key)
				}
			}
		})
	}
	var b model.Broker
	servers.Become("kroxylicious", &b)
	i := slices.IndexFunc(b.APIs, func(a model.API) bool { return a.Key == 76 })
	if a := b.APIs[i]; a.Min != 1 || a.Max != 0 {
		t.Errorf("API 76 of kroxylicious: got v%d to v%d, want v1 to v0", a.Min, a.Max)
	}
	saslpeer.Panics(t, "servers: no server is named nothing", func() { servers.Become("nothing", &b) })
}
