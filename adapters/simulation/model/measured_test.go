package model_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// What brokers do that clients seldom see. Expectations are those of Apache Kafka 4.4.0, kfake of September
// 2026 and Tansu 0.6.0, which were measured.

// naming is the body of ApiVersions v5 (KIP-1242) that names a broker; cluster "-" is null.
func naming(cluster string, node int8) []byte {
	body := []byte("\x02a\x021")
	if cluster == "-" {
		body = append(body, 0)
	} else {
		body = append(append(body, byte(len(cluster)+1)), cluster...)
	}
	return append(body, byte(node>>7), byte(node>>7), byte(node>>7), byte(node), 0)
}

func TestNamesAreCompared(t *testing.T) {
	const right, invalid, other = "0000", "002a", "0081"
	metadata := model.API{Key: ports.KeyMetadata, FlexibleFrom: -1}
	versions := model.API{Key: ports.KeyAPIVersions, Max: 5, FlexibleFrom: 3}
	plain := &model.Login{Mechanisms: []model.Mechanism{model.Plain(map[string]string{"a": "b"})}}
	for _, c := range []struct {
		name   string
		broker model.Broker
		login  bool // the client logs in first
		// code is that of the cluster "it" and the node 7, and those of others, of one alone, and of none.
		code, cluster, node, clusterAlone, nodeAlone, none string
	}{
		{"without logins", model.Broker{APIs: model.Table(metadata, versions)}, false,
			right, other, other, invalid, invalid, right},
		{"before a login", model.Broker{APIs: model.Table(metadata, versions), Login: plain}, false,
			right, right, right, invalid, invalid, right},
		{"behind a login", model.Broker{APIs: model.Table(metadata, versions), Login: plain}, true,
			right, other, other, invalid, invalid, right},
		{"a controller", model.Broker{APIs: model.Table(versions)}, false,
			right, right, right, invalid, invalid, right},
		{"before a login at kfake",
			model.Broker{APIs: model.Table(metadata, versions), Login: plain, Dialect: model.Kfake}, false,
			right, other, other, invalid, invalid, right},
	} {
		for _, asked := range []struct {
			cluster string
			node    int8
			want    string
		}{{"it", 7, c.code}, {"that", 7, c.cluster}, {"it", 8, c.node}, {"it", -1, c.clusterAlone},
			{"-", 7, c.nodeAlone}, {"-", -1, c.none}} {
			t.Run(fmt.Sprintf("%s, %s and %d", c.name, asked.cluster, asked.node), func(t *testing.T) {
				b := c.broker
				b.ClusterID, b.NodeID = "it", 7
				cl := connect(t, &b)
				if c.login {
					cl.send(17, 1, false, []byte("\x00\x05PLAIN")...)
					cl.send(36, 0, false, []byte("\x00\x00\x00\x04\x00a\x00b")...)
					cl.after(2 * time.Second)
				}
				for range 2 { // the connection stays open
					cl.send(18, 5, true, naming(asked.cluster, asked.node)...)
					got := cl.after(2 * time.Second)
					if len(got) < 20 || got[16:20] != asked.want || strings.HasSuffix(got, "closed") {
						t.Fatalf("got %q, want error %s", got, asked.want)
					}
					if c.broker.Login != nil && !c.login && c.broker.Dialect == model.Kafka {
						return // it expects ApiVersions once
					}
				}
			})
		}
	}
}

// TestMutedConnection: a broker that throttles a client reads nothing of it meanwhile (KIP-219). What was
// sent before is answered afterwards, in order.
func TestMutedConnection(t *testing.T) {
	b := &model.Broker{Change: func(r *model.Reply) {
		if r.ID == 1 {
			r.Mute = 5 * time.Second
		}
	}}
	b.APIs = model.Table(model.API{Key: 12, FlexibleFrom: -1})
	c := connect(t, b)
	c.send(12, 0, false)
	c.want("the throttled answer", "00000004"+"00000001") // it was sent a second ago
	c.send(12, 0, false)
	c.send(12, 0, false)
	if got := c.after(4900 * time.Millisecond); got != "" {
		t.Errorf("muted: got %q, want nothing", got)
	}
	c.want("the time is over", "00000004"+"00000002"+"00000004"+"00000003")
}

// TestSentInTheirTurn: Sent is called for each reply that leaves the queue, also for one that sends nothing,
// when its turn has come, and for none of a connection that has ended.
func TestSentInTheirTurn(t *testing.T) {
	var sent []string
	b := &model.Broker{Think: func(r *model.Request) time.Duration { return time.Duration(r.Body[2]) * time.Second }}
	b.APIs = model.Table(model.API{Max: 2, FlexibleFrom: -1})
	c := connect(t, b)
	begin := c.w.Now()
	b.Sent = func(r *model.Reply) {
		sent = append(sent, fmt.Sprintf("%d after %v, none %v", r.ID, c.w.Now().Sub(begin), r.None))
	}
	c.send(0, 2, false, 0, 1, 3) // acks, and how long it takes
	c.send(0, 2, false, 0, 0, 0)
	c.send(0, 2, false, 0, 1, 0)
	c.after(3 * time.Second)
	if len(sent) > 0 {
		t.Errorf("before the first is due: got %q", sent)
	}
	c.after(2 * time.Second)
	want := []string{"1 after 4s, none false", "2 after 4s, none true", "3 after 4s, none false"}
	if !slices.Equal(sent, want) {
		t.Errorf("got %q, want %q", sent, want)
	}
	c.send(0, 2, false, 0, 1, 3)
	c.after(2 * time.Second)
	b.Stop(true)
	c.after(9 * time.Second)
	if len(sent) != 3 {
		t.Errorf("behind the end: got %q", sent[3:])
	}
}

// TestUnlistedAndSilent: an API may work that ApiVersions does not list, and one that is listed may be silent.
func TestUnlistedAndSilent(t *testing.T) {
	b := &model.Broker{APIs: []model.API{{Key: 18, Max: 4, FlexibleFrom: 3},
		{Key: 12, FlexibleFrom: -1, Unlisted: true},
		{Key: 13, Max: 1, FlexibleFrom: -1, Silent: true}, {Key: 17, FlexibleFrom: -1, Silent: true}}}
	c := connect(t, b)
	c.send(18, 0, false)
	c.want("the table", "0000001c"+"00000001"+"0000"+"00000003"+"001200000004"+"000d00000001"+"001100000000")
	c.send(12, 0, false)
	c.want("one that is not listed", "00000004"+"00000002")
	c.send(13, 1, false)
	c.send(17, 0, false, []byte("\x00\x05PLAIN")...)
	c.send(12, 0, false)
	c.want("behind silent ones", "00000004"+"00000005")
}

// TestAnswersAll: librdkafka's mock cluster, sarama's MockBroker and Tansu answer a Produce with acks 0.
func TestAnswersAll(t *testing.T) {
	b := &model.Broker{AnswersAll: true, APIs: model.Table(model.API{Max: 9, FlexibleFrom: 9})}
	c := connect(t, b)
	c.send(0, 2, false, 0, 0)
	c.send(0, 9, true, 0, 0, 0)
	c.want("the answers", "00000004"+"00000001"+"00000005"+"00000002"+"00")
}

// TestFieldsAreReplaced: other servers have their own tagged fields, and answer clients without a name.
func TestFieldsAreReplaced(t *testing.T) {
	b := &model.Broker{Unnamed: true, Tags: []byte{1, 3, 1, 0}, Supported: []model.Feature{{Name: "x", Max: 1}}}
	b.APIs = []model.API{{Key: 18, Max: 4, FlexibleFrom: 3}}
	c := connect(t, b)
	c.send(18, 3, true, 1, 1, 0)
	c.want("v3", "00000016"+"00000001"+"0000"+"02"+"00120000000400"+"00000000"+"01030100")
	c.send(18, 2, false)
	c.want("v2 has none", "00000014"+"00000002"+"0000"+"00000001"+"001200000004"+"00000000")
}

// TestSuccessorIsANewBroker: it has nothing of the one before but the memory, whose connections have ended, and
// what was due on them later changes nothing.
func TestSuccessorIsANewBroker(t *testing.T) {
	b := &model.Broker{AnswersAll: true, MaxRequest: 100, ClusterID: "it",
		Think: func(*model.Request) time.Duration { return 5 * time.Second }}
	b.APIs = model.Table(model.API{Key: 12, FlexibleFrom: -1, Handle: func(r *model.Reply) {
		r.Body = append(r.Memory(3), "old"...)
	}})
	c := connect(t, b)
	c.send(12, 0, false)
	c.after(2 * time.Second)
	next := b.Successor()
	if n := len(b.Conns()) + len(next.Conns()); n != 0 || next.MaxRequest != 0 || next.APIs != nil ||
		next.Think != nil || next.AnswersAll || next.ClusterID != "" {
		t.Errorf("got %d connections, and %+v, want none, and nothing of the old one", n, next)
	}
	next.World, next.APIs = c.w, model.Table(model.API{Key: 12, FlexibleFrom: -1, Handle: func(r *model.Reply) {
		r.Body = append(r.Memory(3), "new"...)
	}})
	c.n.SetSite(address, simulation.Site{Accept: next.Accept, Path: simulation.Path{Latency: time.Second}})
	old := c.link
	c.link = c.n.Open(ports.Endpoint{Address: address})
	c.w.Advance(2 * time.Second)
	c.send(12, 0, false)
	c.want("the new one", "00000007"+"00000002"+hex.EncodeToString([]byte("new")))
	c.want("later", "")
	c.link = old
	c.w.Advance(9 * time.Second)
	if got := c.after(0); strings.Contains(got, hex.EncodeToString([]byte("old"))) {
		t.Errorf("the old connection: got %q, want no answer", got)
	}
}

// TestLateEventsChangeNothing: the end of a mute, an answer that is due, and a call of what handles the link
// come behind the end of the connection.
func TestLateEventsChangeNothing(t *testing.T) {
	for name, end := range map[string]func(*client, *model.Broker){
		"the client closes": func(c *client, _ *model.Broker) { c.link.Close() },
		"the broker closes": func(_ *client, b *model.Broker) { b.Stop(false) },
		"it resets":         func(_ *client, b *model.Broker) { b.Stop(true) },
		"the peer resets":   func(_ *client, b *model.Broker) { b.Conns()[0].Peer().Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			var seen []int32
			b := &model.Broker{Change: func(r *model.Reply) {
				if r.Mute, r.Delay = 5*time.Second, time.Second; r.ID == 2 {
					r.Delay = 20 * time.Second
				}
			}}
			b.Received = func(r *model.Request) { seen = append(seen, r.ID) }
			b.APIs = model.Table(model.API{Key: 12, FlexibleFrom: -1})
			c := connect(t, b)
			c.send(12, 0, false)
			c.send(12, 0, false) // is answered later than the connection lasts
			c.after(4 * time.Second)
			c.send(12, 0, false) // is not read: it is muted
			c.after(1500 * time.Millisecond)
			end(c, b)
			c.w.Advance(time.Hour)
			want := []int32{1, 2}
			if name == "the client closes" { // what came before the end is there when it reads again
				want = append(want, 3)
			}
			if !slices.Equal(seen, want) {
				t.Errorf("got the requests %v, want %v", seen, want)
			}
			if n := len(b.Conns()); n != 0 {
				t.Errorf("%d connections are left", n)
			}
			if c.w.Step() {
				t.Error("something is still to happen")
			}
		})
	}
}
