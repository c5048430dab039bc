package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"

	"brokerconn/acceptance"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
)

// modelled is a server that application/sim has a model of.
type modelled struct {
	name   string              // in servers.Peers
	become func(*model.Broker) // nil: one of servers.Peers
	start  func(testing.TB) (address string)
	login  *model.Login // nil: that of the model
	// leaves are scripts whose bytes differ, or that are not held, with the reason.
	leaves map[string]string
	// unsorted means that the rows of ApiVersions have an order of their own in each process.
	unsorted bool
	// epoch means that its finalized features have an epoch that counts what was written.
	epoch bool
}

var epochs = regexp.MustCompile("0108[0-9a-f]{16}02")

// models are the models by the name of the server in this program.
var models = map[string][]modelled{
	"kfake": {
		{name: "kfake-open", start: kfakeWith(kfake.ClusterID(cluster)), leaves: map[string]string{
			"an unknown API": panics, "a negative size": memory, "a size of 2 GiB": memory}},
		{name: "kfake", start: kfakeWith(kfake.ClusterID(cluster), kfake.EnableSASL(), kfakeUser),
			login: &model.Login{Mechanisms: []model.Mechanism{userOfScripts, model.Scripted("SCRAM-SHA-256"),
				model.Scripted("SCRAM-SHA-512")}},
			leaves: map[string]string{"an unknown API": panics, "a negative size": memory, "a size of 2 GiB": memory}},
	},
	"sarama":     {{name: "sarama-mock", start: saramaByDefault}},
	"librdkafka": {{name: "librdkafka-mock", start: of(startLibrdkafka)}},
	"kroxylicious": {
		{name: "kroxylicious", start: of(startKroxylicious), epoch: true, login: kafkaLogin, leaves: map[string]string{
			"ApiVersions within a login": "the proxy answers it by itself"}},
		{name: "its broker, without the proxy", epoch: true, become: newest, start: kafkaWith(acceptance.Plaintext),
			leaves: map[string]string{"ApiVersions v5 for it": "its cluster has another id"}},
		{name: "its broker, with logins", epoch: true, become: newest, start: kafkaWith(acceptance.SASLPlaintext),
			login: kafkaLogin},
		{name: "its broker, with sessions", epoch: true, become: newest, start: kafkaWith(acceptance.Reauth),
			login: &model.Login{Mechanisms: kafkaLogin.Mechanisms, Lifetime: acceptance.SessionLifetime}},
	},
	"tansu": {
		{name: "tansu-open", start: of(startTansu), unsorted: true, leaves: map[string]string{
			"Metadata v99": "it is answered, in a layout of its own", "a size of 2 GiB": waits}},
		{name: "tansu", start: of(startTansuWithLogins), unsorted: true,
			leaves: map[string]string{"a size of 2 GiB": waits},
			login: &model.Login{Lifetime: time.Minute, Mechanisms: []model.Mechanism{
				model.Scripted("SCRAM-SHA-256", nil, nil), model.Scripted("SCRAM-SHA-512"),
				{Name: "OAUTHBEARER", Begin: func() model.Exchange { return unknownToken }}}}},
	},
}

const (
	cluster = "odd"
	panics  = "the process panics: kmsg has no such request, which is not looked at"
	waits   = "it waits for that much"
	memory  = "it takes that much memory first"
)

// TestModelsAreTheServers holds the same conversations with a real server and with its model: both send the
// same bytes, and end the connection at the same place. ODD names the servers, as for the program; without
// it those that need Go alone are started.
func TestModelsAreTheServers(t *testing.T) {
	names := []string{"kfake", "sarama"}
	if odd, set := os.LookupEnv("ODD"); set {
		if names = strings.Fields(odd); len(names) == 0 {
			names = slices.Sorted(maps.Keys(models))
		}
	}
	for _, name := range names {
		for _, m := range models[name] {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				address := m.start(t)
				for _, script := range scripts() {
					if _, left := m.leaves[script.name]; left {
						continue
					}
					t.Run(script.name, func(t *testing.T) {
						t.Parallel()
						want := m.shown(held(t, dialed(t, address), script), script)
						if got := m.shown(held(t, m.link(), script), script); got != want {
							t.Errorf("the model sends\n%s\nthe server\n%s", got, want)
						}
					})
				}
			})
		}
	}
}

// TestOtherModelsDiffer: the scripts distinguish servers.
func TestOtherModelsDiffer(t *testing.T) {
	for _, pair := range [][2]string{{"kfake", "kfake-open"}, {"tansu", "tansu-open"}, {"sarama-mock", "event-hubs"},
		{"librdkafka-mock", "kroxylicious"}, {"kfake-open", "controller"}} {
		differ := 0
		for _, script := range scripts() {
			if held(t, modelled{name: pair[0]}.link(), script) != held(t, modelled{name: pair[1]}.link(), script) {
				differ++
			}
		}
		if differ == 0 {
			t.Errorf("no script is answered differently by %s and %s", pair[0], pair[1])
		}
	}
}

func unknownToken([]byte) ([]byte, string, error) { return nil, "", errors.New("") }

// shown is what is compared: all bytes, but for the order of rows that have none, and for epochs.
func (m modelled) shown(text string, script script) string {
	if m.epoch {
		text = epochs.ReplaceAllString(text, "epoch")
	}
	if !m.unsorted || script.table < 0 {
		return text
	}
	end := strings.LastIndexByte(text, ' ')
	p, err := hex.DecodeString(text[:end])
	if err != nil {
		return text
	}
	for left := p; whole(left); {
		size := 4 + int(binary.BigEndian.Uint32(left))
		sortRows(left[:size], script.table)
		left = left[size:]
	}
	return hex.EncodeToString(p) + text[end:]
}

// sortRows sorts the rows of an answer to ApiVersions, which no other answer is as long as.
func sortRows(frame []byte, version int16) {
	if len(frame) < 200 {
		return
	}
	at, size, count := 14, 6, int(binary.BigEndian.Uint32(frame[10:]))
	if version >= 3 {
		at, size, count = 11, 7, int(frame[10])-1
	}
	if rows := frame[at:]; len(rows) >= count*size {
		rows = rows[:count*size]
		copy(rows, slices.Concat(slices.SortedFunc(slices.Chunk(slices.Clone(rows), size), slices.Compare)...))
	}
}

// of returns the address of a peer of this program.
func of(start func(context.Context) (*peer, error)) func(testing.TB) string {
	return func(t testing.TB) string {
		p, err := start(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.stop)
		return p.address
	}
}

// The one user of the scripts.
var (
	userOfScripts = model.Plain(map[string]string{acceptance.PlainUser: acceptance.PlainPassword})
	kfakeUser     = kfake.Superuser("PLAIN", acceptance.PlainUser, acceptance.PlainPassword)
)

// kafkaLogin has the mechanisms in the order of a hash table of Java.
var kafkaLogin = &model.Login{Mechanisms: []model.Mechanism{userOfScripts, model.Scripted("SCRAM-SHA-512"),
	model.Scripted("SCRAM-SHA-256"), model.Bearer(func(string) (string, string) { return "", "invalid_token" })}}

// newest makes a broker one of the newest release.
func newest(b *model.Broker) {
	servers.Become("kroxylicious", b) // for the features
	b.APIs = servers.APIs(servers.Count() - 1)
}

func kafkaWith(l acceptance.Listener) func(testing.TB) string {
	return func(t testing.TB) string {
		var config acceptance.Config
		if l != acceptance.Plaintext { // which each broker has
			config.Listeners = append(config.Listeners, l)
		}
		b, err := acceptance.Start(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b.AddrOf(l)
	}
}

func kfakeWith(opts ...kfake.Opt) func(testing.TB) string {
	return func(t testing.TB) string {
		c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c.ListenAddrs()[0]
	}
}

// saramaByDefault has the table that a MockBroker has by itself, and answers two APIs. It reports each
// frame that it cannot read to the test, which does not ask.
func saramaByDefault(t testing.TB) string {
	r := &reporter{}
	mock := sarama.NewMockBrokerAddr(r, 1, "127.0.0.1:0")
	t.Cleanup(mock.Close)
	mock.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(r),
		"ProduceRequest":     sarama.NewMockProduceResponse(r),
	})
	return mock.Addr()
}
