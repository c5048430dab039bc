package probe

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/proxies"
)

// An otherServer speaks Kafka's protocol and is not Apache Kafka.
type otherServer struct {
	table   []kmsg.ApiVersionsResponseApiKey
	highest int16 // the version of ApiVersions above which it closes the connection
	code    int16 // the error code of its answer to ApiVersions
	serves  int32 // how many requests it answers; then it closes every connection; 0: all
	answer  func(fakebroker.Request) []byte

	connections, requests atomic.Int32
}

func (s *otherServer) listen(t *testing.T) (address string) {
	return proxies.Listen(t, func(c net.Conn) {
		s.connections.Add(1)
		if s.serves > 0 && s.requests.Load() > s.serves {
			c.Close()
			return
		}
		fakebroker.Serve(c, func(r fakebroker.Request) []byte {
			switch n := s.requests.Add(1); {
			case s.serves > 0 && n > s.serves, r.Key == 18 && r.Version > s.highest:
				c.Close()
				return nil
			case r.Key != 18:
				return s.answer(r)
			}
			resp := kmsg.NewPtrApiVersionsResponse()
			resp.Version, resp.ErrorCode, resp.ApiKeys = r.Version, s.code, s.table
			return resp.AppendTo(nil)
		})
	})
}

// rows makes a table: key, lowest and highest version.
func rows(numbers ...[3]int16) (table []kmsg.ApiVersionsResponseApiKey) {
	for _, n := range numbers {
		table = append(table, kmsg.ApiVersionsResponseApiKey{ApiKey: n[0], MinVersion: n[1], MaxVersion: n[2]})
	}
	return table
}

// Azure Event Hubs has a table of its own, and closes the connection on ApiVersions v4.
func TestCheckVersionOfService(t *testing.T) {
	service := &otherServer{highest: 3, table: rows([3]int16{0, 3, 7}, [3]int16{1, 4, 6}, [3]int16{2, 0, 7},
		[3]int16{3, 0, 5}, [3]int16{8, 0, 8}, [3]int16{9, 0, 8}, [3]int16{10, 0, 1}, [3]int16{11, 0, 7},
		[3]int16{12, 0, 4}, [3]int16{13, 0, 4}, [3]int16{17, 0, 1}, [3]int16{18, 0, 3}, [3]int16{36, 0, 1})}
	address := service.listen(t)
	o := probe(t, "check-version", address).succeeded(t, "custom, nearest")
	if strings.Contains(o.stdout, "ZooKeeper") || strings.Contains(o.stdout, "KRaft") {
		t.Errorf("got %q, want no kind of Apache's servers", o.stdout)
	}
	if doc := decode[versionDocument](t, probe(t, "check-version", address, "--json")); doc.Lineage != nil {
		t.Errorf("got lineage %q, want null", *doc.Lineage)
	}
}

// sarama's MockBroker (v1.61.1) lists Produce and Fetch only, also when it answers ApiVersions. Others list versions
// of it on which they close the connection.
func TestPingUsesAnsweredVersion(t *testing.T) {
	for _, c := range []struct {
		server *otherServer
		want   string
	}{
		{&otherServer{highest: 4, table: rows([3]int16{0, 5, 8}, [3]int16{1, 7, 11})}, "ApiVersions v4"},
		{&otherServer{highest: 3, table: rows([3]int16{0, 5, 8}, [3]int16{18, 0, 4})}, "ApiVersions v0"},
	} {
		probe(t, "ping", c.server.listen(t), "-c", "2", "-i", "1ms").succeeded(t, c.want, "2 sent, 2 answered")
	}
}

// A proxy that has no version in common with its broker sends a range that is upside down (Kroxylicious 0.12).
func TestLeftOutAPIsAreReported(t *testing.T) {
	proxy := &otherServer{highest: 4, table: rows([3]int16{3, 0, 9}, [3]int16{3, 0, 1}, [3]int16{12, 0, 3},
		[3]int16{18, 0, 4}, [3]int16{76, 1, 0})}
	o := probe(t, "apis", proxy.listen(t))
	if o.code != exitOK || strings.Contains(o.stdout, "Metadata") || !strings.Contains(o.stdout, "Heartbeat") {
		t.Errorf("got exit code %d and %q, want the other APIs", o.code, o.stdout)
	}
	contains(t, o.stderr, "warning", "3 (v0 to v9), 3 (v0 to v1), 76 (v1 to v0)")
}

func TestRequestOfUnlistedAPI(t *testing.T) {
	server := &otherServer{highest: 4, table: rows([3]int16{3, 0, 1}, [3]int16{18, 0, 4}),
		answer: func(fakebroker.Request) []byte { return []byte{0, 25} }}
	address := server.listen(t)
	probe(t, "request", address, "Heartbeat").failed(t, exitFailed, "does not have API 12")
	o := probe(t, "request", address, "Heartbeat", "--version", "0")
	if o.code != exitFailed {
		t.Errorf("got exit code %d, want that of an answer with an error code", o.code)
	}
	contains(t, o.stdout, `"ErrorCode": 25`)
	contains(t, o.stderr, "does not list Heartbeat", "UNKNOWN_MEMBER_ID")
}

// The port of a forwarder without a broker behind it, or with a limit of connections, meets few connections.
func TestHangUpMeetsFewConnections(t *testing.T) {
	var connections atomic.Int32
	address := proxies.Listen(t, func(c net.Conn) { connections.Add(1); c.Close() })
	probe(t, "ping", address, "-c", "1").failed(t, exitProtocol, "max.connections.per.ip", "forwarder")
	if got := connections.Load(); got > 4 {
		t.Errorf("got %d connections, want at most 4", got)
	}
}

// A broker that limits its connections closes them at once (max.connections.per.ip): once it has answered, it is not
// asked whether it is another kind of server.
func TestKnownBrokerIsNotIdentified(t *testing.T) {
	server := &otherServer{highest: 4, table: rows([3]int16{3, 0, 1}, [3]int16{18, 0, 4}), serves: 2}
	o := probe(t, "ping", server.listen(t), "-c", "4", "-i", "1ms", "--json").
		failed(t, exitFailed, "3 of 4 pings were lost")
	contains(t, o.stdout, `"answered":1,"lost":3`, "max.connections.per.ip")
	if got := server.connections.Load(); got != 3 {
		t.Errorf("got %d connections, want 3: one for each ping after a loss", got)
	}
}

// An error code of ApiVersions is an answer of a broker, which may have more to say later.
func TestErrorCodeOfAPIVersions(t *testing.T) {
	server := &otherServer{highest: 4, code: 15}
	probe(t, "apis", server.listen(t)).failed(t, exitFailed, "error 15 COORDINATOR_NOT_AVAILABLE")
	if got := server.connections.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}
