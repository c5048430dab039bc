package simtest

import (
	"crypto/tls"
	"errors"
	"net"

	"brokerconn/adapters/simulation"
)

// Listen returns a listener for a server of the test: a proxy, or another broker. Connections come to
// it by its address, "proxy:9092" for instance, from those who dial w.Transport or use w.Config with
// another Host. With Options.TLS it accepts TLS. The network is ignored.
//
// If the host is empty, localhost or 127.0.0.1, the server takes the place of a broker: the first call
// returns the listener of broker 0, the next one that of broker 1, whatever the port. Faults of
// connections hit it as they do the model, those of brokers' answers do not. So it is the ListenFn of
// kfake:
//
//	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.ListenFn(w.Listen))
func (w *World) Listen(network, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	w.foreign.Store(true) // the server has goroutines
	var l *simulation.Listener
	switch host {
	case "", "localhost", "127.0.0.1":
		n := w.nextListened()
		if n == nil {
			return nil, errors.New("simtest: Listen: no broker is left: see Options.Brokers")
		}
		host, l = n.host, w.net.Listen(n.address)
		n.listen(w, l.Serve)
	default:
		l = w.net.Listen(address)
		w.net.SetSite(address, simulation.Site{Path: w.pathTo(host), Accept: l.Serve})
	}
	if w.o.TLS {
		return tls.NewListener(l, w.serverTLS(host)), nil
	}
	return l, nil
}

// nextListened returns the next broker that Listen returns, or nil.
func (w *World) nextListened() *node {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listened == len(w.nodes) {
		return nil
	}
	w.listened++
	return w.nodes[w.listened-1]
}
