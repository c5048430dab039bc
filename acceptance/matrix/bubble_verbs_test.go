package matrix

import (
	"encoding/binary"
	"errors"
	"maps"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim"
	"brokerconn/ports"
)

// The verbs of plans that a stage has; application/sim documents them.

type verb = func(*stage, sim.Step)

// worldVerbs are the faults.
var worldVerbs = joined(faultVerbs, tlsVerbs, proxyVerbs, loginVerbs, kerberosVerbs, processVerbs)

func joined(lists ...map[string]verb) map[string]verb {
	all := map[string]verb{}
	for _, list := range lists {
		maps.Copy(all, list)
	}
	return all
}

func each(do func(*simulation.Peer)) verb {
	return func(s *stage, _ sim.Step) {
		network := s.net
		if s.front != nil { // the client's links end at the proxy
			network = s.front
		}
		for _, p := range network.Live() {
			do(p)
		}
	}
}

func spoils(change func(*model.Reply, sim.Step)) verb {
	return func(s *stage, step sim.Step) {
		s.spoils = append(s.spoils, func(r *model.Reply) { change(r, step) })
	}
}

func sites(of func(*stage, sim.Step) simulation.Site) verb {
	return func(s *stage, step sim.Step) {
		s.setListener(of(s, step))
		s.world.At(s.world.Now().Add(step.For), func() {
			s.setListener(simulation.Site{Accept: s.accept, Handshake: s.plan.Setup.Handshake})
		})
	}
}

func names(of func(sim.Step) simulation.Name) verb {
	return func(s *stage, step sim.Step) {
		s.setName(of(step))
		s.world.At(s.world.Now().Add(step.For), func() { s.setName(simulation.Name{}) })
	}
}

// after lets something happen to each new link some time after it was accepted.
func (s *stage) after(d time.Duration, do func(*simulation.Peer)) simulation.Site {
	return simulation.Site{Accept: func(p *simulation.Peer) {
		s.world.At(s.world.Now().Add(d), func() { do(p) })
	}}
}

func closePeer(p *simulation.Peer) { _ = p.Close() }

// faultVerbs are the faults of networks and brokers.
var faultVerbs = map[string]verb{
	"reset":        each((*simulation.Peer).Reset),
	"fin":          each(closePeer),
	"silence":      each((*simulation.Peer).Silence),
	"forget":       each(func(p *simulation.Peer) { p.Forget(false) }),
	"forget-reset": each(func(p *simulation.Peer) { p.Forget(true) }),
	"refuse": sites(func(*stage, sim.Step) simulation.Site {
		return simulation.Site{Refuse: simulation.ErrRefused}
	}),
	"deaf":     sites(func(*stage, sim.Step) simulation.Site { return simulation.Site{Silent: true} }),
	"dead-end": sites(func(*stage, sim.Step) simulation.Site { return simulation.Site{Accept: closePeer} }),
	"limit-ip": sites(func(s *stage, _ sim.Step) simulation.Site { return s.after(2*time.Millisecond, closePeer) }),
	"limit-rate": sites(func(s *stage, _ sim.Step) simulation.Site {
		return s.after(time.Second, (*simulation.Peer).Reset)
	}),
	"limit-late": sites(func(s *stage, step sim.Step) simulation.Site { return s.after(step.For, s.broker.Accept) }),
	"tls-slow": func(s *stage, step sim.Step) {
		s.setListener(simulation.Site{Accept: s.broker.Accept, Handshake: step.For})
		s.world.At(s.world.Now().Add(time.Second), func() {
			s.setListener(simulation.Site{Accept: s.accept, Handshake: s.plan.Setup.Handshake})
		})
	},
	"no-dns":   names(func(sim.Step) simulation.Name { return simulation.Name{Err: errors.New("no such host")} }),
	"slow-dns": names(func(step sim.Step) simulation.Name { return simulation.Name{Delay: step.For} }),
	"late":     spoils(func(r *model.Reply, step sim.Step) { r.Delay += step.For }),
	"wrong-id": spoils(func(r *model.Reply, step sim.Step) { r.ID += int32(step.N) }),
	"twice":    spoils(func(r *model.Reply, _ sim.Step) { r.Copies = 1 }),
	"cut":      spoils(func(r *model.Reply, step sim.Step) { r.Cut = int(step.N) }),
	"size":     spoils(func(r *model.Reply, step sim.Step) { r.Size = new(int32(step.N)) }),
	"negative-size": spoils(func(r *model.Reply, step sim.Step) {
		r.Size = new(-int32(step.N))
	}),
	"short":      spoils(func(r *model.Reply, step sim.Step) { r.Body = r.Body[:len(r.Body)-int(step.N)] }),
	"long":       spoils(func(r *model.Reply, step sim.Step) { r.Body = append(r.Body, make([]byte, step.N)...) }),
	"answer-all": spoils(func(r *model.Reply, _ sim.Step) { r.None = false }),
	"http":       spoils(func(r *model.Reply, _ sim.Step) { r.Frame = []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }),
	"alert":      spoils(func(r *model.Reply, _ sim.Step) { r.Frame = []byte{0x15, 3, 3, 0, 2, 2, 40} }),
	"throttle":   func(s *stage, step sim.Step) { s.throttle = step.For },
	"tls-port": sites(func(_ *stage, step sim.Step) simulation.Site {
		return simulation.Site{Accept: func(p *simulation.Peer) { expectTLS(p, byte(step.N)) }}
	}),
}

// spoilThrottle puts a throttle time into the next answer that has one: in Metadata it is the first field from version
// 3 on, in ApiVersions it follows the table. A broker that throttles does not read meanwhile (KIP-219), for as long as
// the client keeps it.
func (s *stage) spoilThrottle(r *model.Reply) {
	at := 0
	switch {
	case s.throttle == 0:
		return
	case r.Key == ports.KeyAPIVersions && r.Flexible:
		rows, size := binary.Uvarint(r.Body[2:]) // and one
		at = 2 + size + 7*int(rows-1)
	case r.Key != ports.KeyMetadata:
		return
	}
	binary.BigEndian.PutUint32(r.Body[at:], uint32(s.throttle.Milliseconds()))
	r.Mute = min(s.throttle, throttleBound)
	s.throttle = 0
}

// expectTLS is a server of TLS that answers the first bytes of a client without it by an alert, and closes.
func expectTLS(p *simulation.Peer, alert byte) {
	read := func(p *simulation.Peer) {
		var b [512]byte
		if n, _ := p.Recv(b[:]); n > 0 {
			_, _ = p.Send([]byte{0x15, 3, 3, 0, 2, 2, alert})
			_ = p.Close()
		}
	}
	p.Handle(read)
	read(p)
}
