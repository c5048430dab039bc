package parity

import (
	"errors"
	"net"
	"strconv"
	"time"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What is on its way over real sockets arrives when it does, and no trace may
// depend on when. So Polled is asked only after all that the broker sent is at
// hand, and where it waits, what is under way comes before the broker acts, and
// that before time passes.

func (p *polled) silent() bool {
	for _, a := range p.settings.addresses {
		if a.Kind == "silent" && p.Stats().Address == net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port)) {
			return true
		}
	}
	return false
}

// settle waits until all that the broker sent is at hand: Polled has read nothing
// of it yet, but the link has.
func (p *polled) settle() error {
	if !p.expecting() {
		return nil
	}
	p.mu.Lock()
	conn := p.conn
	p.mu.Unlock()
	if err := conn.holds(p.arrived); err != nil {
		return err
	}
	return p.news()
}

// expecting says whether something that the broker sent has not come in yet.
func (p *polled) expecting() bool {
	a := p.arrived
	if p.Disconnected() || p.State() == broker.Connecting || a.Link != p.links {
		return false
	}
	return p.counts.received < a.Bytes || a.End != ""
}

// news waits, in real time, for what is certain to come.
func (p *polled) news() error {
	ready := make(chan struct{}, 4)
	p.Watch(func() { ready <- struct{}{} })
	return awaitNews(ready)
}

func awaitNews(ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-time.After(patience):
		return errors.New("no news, and some is certain to come")
	}
}

// work is what happens while a call blocks: what is on its way arrives, then the
// broker acts. false: nothing happens before time passes.
func (p *polled) work(what any) bool {
	if p.State() == broker.Connecting && !p.silent() || p.expecting() {
		p.stuck = errors.Join(p.stuck, p.newsOf(what))
		return p.stuck == nil
	}
	if p.unsent && p.arrived.Reading { // there will be room
		p.stuck = errors.Join(p.stuck, p.newsOf(what))
		return p.stuck == nil
	}
	acted, a, err := p.w(p.progress())
	p.arrived, p.stuck = a, errors.Join(p.stuck, err)
	return acted && p.stuck == nil
}

func (p *polled) newsOf(what any) error {
	ready := make(chan struct{}, 1)
	what.(ports.Watcher).Watch(func() { ready <- struct{}{} })
	return awaitNews(ready)
}
