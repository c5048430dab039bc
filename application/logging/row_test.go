package logging_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/logging"
)

// outage is a Logger of level Info and the broker whose events it writes.
type outage struct {
	out   bytes.Buffer
	hooks *broker.Hooks
	began time.Time
	lines []string
}

func newOutage() *outage {
	o := &outage{began: time.Now()}
	o.hooks = logging.Hooks(logger(&o.out, slog.LevelInfo))
	return o
}

// note keeps the lines since the last call, each with the time.
func (o *outage) note() {
	for line := range strings.Lines(o.out.String()) {
		line = strings.NewReplacer("level=", "", "msg=", "", "\n", "", ` from=Connecting to=Disconnected`, "",
			` from=Connected to=Disconnected`, "", ` from=Connecting to=Connected`, "").Replace(line)
		o.lines = append(o.lines, fmt.Sprintf("%v %s", time.Since(o.began), line))
	}
	o.out.Reset()
}

func endpoint(port string) broker.Endpoint {
	return broker.Endpoint{Host: "b", Network: "tcp", Address: "10.0.0.1:" + port}
}

func (o *outage) fail(from broker.State, port string, kind error) {
	o.hooks.StateChanged(from, broker.Disconnected, endpoint(port), &broker.Error{Kind: kind, Broker: "b:" + port})
	o.note()
}

func (o *outage) connect(port string) {
	o.hooks.StateChanged(broker.Connecting, broker.Connected, endpoint(port), nil)
	o.note()
}

func (o *outage) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(o.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(o.lines, "\n"), strings.Join(want, "\n"))
	}
	o.lines = nil
}

// TestOutageIsPaced: one line at once, then after pauses that double, and one when it ends: a broker that is
// down for an hour else writes 3600 (confluentinc/librdkafka#2845, IBM/sarama#760).
func TestOutageIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		for range 100 {
			o.fail(broker.Connecting, "9092", broker.ErrDial)
			time.Sleep(time.Second)
		}
		o.connect("9092")
		const failed = ` WARN "could not connect" address=10.0.0.1:9092`
		const why = ` error="b:9092: cannot connect"`
		o.want(t,
			`0s`+failed+why,
			`10s`+failed+` failures=11 lasted=10s`+why,
			`30s`+failed+` failures=31 lasted=30s`+why,
			`1m10s`+failed+` failures=71 lasted=1m10s`+why,
			`1m40s INFO connected address=10.0.0.1:9092 failures=100 lasted=1m40s`)
		// After an hour that is over: the next failure is the first of another row.
		time.Sleep(time.Hour)
		o.fail(broker.Connected, "9092", broker.ErrConnection)
		o.connect("9092")
		o.want(t, `1h1m40s WARN "connection lost" address=10.0.0.1:9092 error="b:9092: connection lost"`,
			`1h1m40s INFO connected address=10.0.0.1:9092 failures=1 lasted=0s`)
		time.Sleep(time.Hour)
		o.connect("9092")
		o.want(t, `2h1m40s INFO connected address=10.0.0.1:9092`)
	})
}

// TestLongestPauseOfAnOutage is 10 minutes.
func TestLongestPauseOfAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		for range 24 * 3600 {
			o.fail(broker.Connecting, "9092", broker.ErrDial)
			time.Sleep(time.Second)
		}
		if n := len(o.lines); n < 24*6 || n > 24*6+10 {
			t.Errorf("got %d lines in a day, want about one in 10 minutes: %d", n, 24*6)
		}
	})
}

// TestFlappingIsPaced: a broker that closes each connection after a moment fails again and again too. The
// last line says what is so.
func TestFlappingIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		for range 12 {
			o.connect("9092")
			time.Sleep(500 * time.Millisecond)
			o.fail(broker.Connected, "9092", broker.ErrConnection)
			time.Sleep(500 * time.Millisecond)
		}
		o.connect("9092")
		const lost, why = ` WARN "connection lost" address=10.0.0.1:9092`, ` error="b:9092: connection lost"`
		const up = ` INFO connected address=10.0.0.1:9092`
		o.want(t, `0s`+up, `500ms`+lost+why, `1s`+up+` failures=1 lasted=500ms`,
			`10.5s`+lost+` failures=11 lasted=10s`+why, `11s`+up+` failures=11 lasted=10.5s`)
	})
}

// TestOtherFailureIsWrittenAtOnce, and so is the same of another broker.
func TestOtherFailureIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		for range 3 {
			o.fail(broker.Connecting, "9092", broker.ErrDial)
			o.fail(broker.Connecting, "9092", broker.ErrSetupTimeout)
			o.fail(broker.Connecting, "9093", broker.ErrDial)
		}
		o.connect("9093")
		o.want(t,
			`0s WARN "could not connect" address=10.0.0.1:9092 error="b:9092: cannot connect"`,
			`0s WARN "could not connect" address=10.0.0.1:9092 failures=2 lasted=0s `+
				`error="b:9092: connection setup timed out"`,
			`0s WARN "could not connect" address=10.0.0.1:9093 error="b:9093: cannot connect"`,
			`0s INFO connected address=10.0.0.1:9093 failures=3 lasted=0s`)
	})
}

// TestRowIsOfOneBroker: another one of the same host does not end it, and has none of its own.
func TestRowIsOfOneBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		o.fail(broker.Connecting, "9092", broker.ErrDial)
		o.connect("9093")
		o.want(t, `0s WARN "could not connect" address=10.0.0.1:9092 error="b:9092: cannot connect"`,
			`0s INFO connected address=10.0.0.1:9093`)
	})
}

// TestRefusedLoginIsPaced: its two lines keep together.
func TestRefusedLoginIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		for range 15 {
			err := &broker.Error{Kind: broker.ErrAuthentication, Broker: "b:9092"}
			o.hooks.AuthDone(endpoint("9092"), broker.LoginInfo{Mechanism: "PLAIN"}, err)
			o.fail(broker.Authenticating, "9092", broker.ErrAuthentication)
			time.Sleep(time.Second)
		}
		if len(o.lines) != 4 {
			t.Errorf("got %q, want two lines twice", o.lines)
		}
	})
}

// TestRowsOfBrokersThatAreGone are dropped: a scan of many hosts leaves none behind.
func TestRowsOfBrokersThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutage()
		fail := func(port int) { o.fail(broker.Connecting, strconv.Itoa(port), broker.ErrDial) }
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for port := range 50_000 {
			fail(port)
			time.Sleep(time.Second)
			o.lines = nil
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
			t.Errorf("got %d bytes after 50000 brokers, want a few thousand rows at most", grown)
		}
		runtime.KeepAlive(o)
	})
}
