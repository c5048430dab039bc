package storm

import (
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/simulation"
	"brokerconn/domain"
	"brokerconn/ports"
)

// The clients of a storm.

// client is a client with its own way to the broker.
type client struct {
	s     *storm
	net   *simulation.Network
	conn  *domain.Connection
	alarm ports.Alarm
	awake bool
	link  *link // the newest one
}

// link is a link of a client.
type link struct {
	ports.Link
	c      *client
	peer   *simulation.Peer
	dialed time.Time
	closed bool
}

func (l *link) Watch(f func()) { l.Link.(ports.Watcher).Watch(f) }

func (l *link) Close() error {
	l.closed = true
	return l.Link.Close()
}

// dialer is the transport of a client. It counts.
type dialer struct{ c *client }

func (d dialer) Resolve(host string, port uint16) ports.Lookup { return d.c.net.Resolve(host, port) }

func (d dialer) Open(ep ports.Endpoint) ports.Link {
	s := d.c.s
	now := s.w.Now()
	if !s.lost.IsZero() {
		bin := int(now.Sub(s.lost) / Bin)
		for len(s.result.Attempts) <= bin {
			s.result.Attempts = append(s.result.Attempts, 0)
		}
		s.result.Attempts[bin]++
	}
	d.c.link = &link{Link: d.c.net.Open(ep), c: d.c, dialed: now}
	return d.c.link
}

func (s *storm) newClient(jitter bool) *client {
	c := &client{s: s, net: simulation.NewNetwork(s.w)}
	random := func() uint64 { return 1 << 63 } // the middle of the range: no jitter
	if jitter {
		random = simulation.NewWorld(uint64(len(s.clients))).Stream("backoff").Uint64
	}
	c.conn = domain.NewConnection(domain.Config{
		Host: "broker", Port: 9092, SoftwareName: "storm", SoftwareVersion: "1",
		MaxInFlight: 5, MaxPendingBytes: 1 << 20, MaxFrameBytes: 1 << 20, RequestTimeout: 30 * time.Second,
		SetupTimeout: setupTimeout, MaxThrottle: time.Minute,
		BackoffBase: backoffBase, BackoffMax: backoffMax, Rand: random,
	}, domain.Ports{Transport: dialer{c}, Codec: kafkacodec.Codec{}}, false)
	c.alarm = s.w.NewAlarm(c.drive)
	s.listen(c, nil)
	return c
}

// drive lets a client do what there is to do, and connect again when it may.
func (c *client) drive() {
	c.awake = false
	for {
		now := c.s.w.Now()
		switch out := c.conn.Step(now, false); out.Kind {
		case domain.Changed:
			c.changed(now, out)
		case domain.Idle:
			if c.connects(now, &out.Deadline) {
				continue
			}
			if out.Deadline.IsZero() {
				c.alarm.Stop()
			} else {
				c.alarm.Set(out.Deadline)
			}
			if !c.conn.Watch(c.wake) {
				return
			}
		}
	}
}

// wake is called when a port has news. The client is driven behind what is under way.
func (c *client) wake() {
	if !c.awake {
		c.awake = true
		c.s.w.At(c.s.w.Now(), c.drive)
	}
}

func (c *client) changed(now time.Time, out *domain.Output) {
	switch domain.Connected {
	case out.To:
		c.s.connected++
		if !c.s.lost.IsZero() {
			c.s.result.Waited = max(c.s.result.Waited, now.Sub(c.link.dialed))
		}
	case out.From:
		c.s.connected--
	}
}

// connects connects if the connection is down and its pause is over. Otherwise it sees to being
// asked again in time.
func (c *client) connects(now time.Time, deadline *time.Time) bool {
	if !c.conn.State().Down() {
		return false
	}
	if wait, _ := c.conn.ConnectionDelay(now); wait > 0 {
		*deadline = now.Add(wait)
		return false
	}
	c.conn.Connect(now, domain.ConnectOptions{})
	return true
}
