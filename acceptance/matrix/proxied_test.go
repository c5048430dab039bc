package matrix

import (
	"context"
	"net"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/socks5"
	"brokerconn/application/sim"
)

// Cells with a proxy on the way to the broker.

// through returns the transport through a proxy of a kind, which next reaches.
func through(kind string, next netlink.DialFunc, address string) *netlink.Transport {
	o := tunnel.Options{Proxy: address}
	if kind == "connect" {
		return httpconnect.New(next, o)
	}
	return socks5.New(next, o)
}

// serveProxy returns a proxy of a kind.
func serveProxy(kind string, dial proxies.DialFunc) func(net.Conn) {
	if kind == "connect" {
		return (&proxies.Connect{Dial: dial}).Serve
	}
	return (&proxies.Socks5{Dial: dial}).Serve
}

const bubbleProxy = "proxy:1080"

// proxied puts a proxy of a kind before the broker of a bubble, at no distance from the client.
func (s *stage) proxied(kind string) {
	s.front = simulation.NewNetwork(s.world)
	s.proxyWell = s.proxy(kind, -1)
	s.front.SetSite(bubbleProxy, simulation.Site{Accept: s.proxyWell})
	s.transport = through(kind, s.front.DialContext, bubbleProxy)
}

// proxy returns the Accept of a proxy that is silent behind a number of bytes; -1: it never is.
func (s *stage) proxy(kind string, answers int64) func(*simulation.Peer) {
	serve := serveProxy(kind, func(network, _ string) (net.Conn, error) {
		return s.net.DialContext(context.Background(), network, s.addresses()[0])
	})
	return func(p *simulation.Peer) {
		conn := p.Conn()
		s.serving.Go(func() {
			defer conn.Close()
			if answers >= 0 {
				serve(&mute{conn, int(answers)})
				return
			}
			serve(conn)
		})
	}
}

// mute drops what is written behind a number of bytes, and does not end with it.
type mute struct {
	net.Conn
	left int
}

func (m *mute) Write(p []byte) (int, error) {
	n := min(len(p), m.left)
	m.left -= n
	if _, err := m.Conn.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// proxyVerbs are faults of proxies.
var proxyVerbs = map[string]verb{
	"proxy-silent": func(s *stage, step sim.Step) {
		s.front.SetSite(bubbleProxy, simulation.Site{Accept: s.proxy(s.cell.Proxy, step.N)})
		s.world.At(s.world.Now().Add(step.For), func() {
			s.front.SetSite(bubbleProxy, simulation.Site{Accept: s.proxyWell})
		})
	},
}
