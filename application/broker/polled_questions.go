package broker

import "time"

// The questions of a Polled. They change nothing.

// State is where the connection stands.
func (p *Polled) State() State { return p.core.State() }

// Connected reports whether requests are admitted.
func (p *Polled) Connected() bool { return p.State() == Connected }

// Connecting reports whether the connection is on its way: dialling, TLS,
// negotiating versions or logging in.
func (p *Polled) Connecting() bool { return p.State().SettingUp() }

// Disconnected reports whether there is neither a connection nor an attempt.
func (p *Polled) Disconnected() bool { return p.State().Down() }

// BlackedOut reports whether the pause after a failure lasts.
func (p *Polled) BlackedOut() bool { return p.core.BlackedOut(p.cfg.Clock.Now()) }

// ConnectionDelay is how long to wait before it is worth trying to connect.
// forever: an event will tell, not the time.
func (p *Polled) ConnectionDelay() (d time.Duration, forever bool) {
	return p.core.ConnectionDelay(p.cfg.Clock.Now())
}

// CanSendMore reports whether the limits leave room for another request.
func (p *Polled) CanSendMore() bool { return p.core.CanSendMore() }

// NextDeadline is the one time to wait for, and then to call any method but a
// question: the end of the backoff, of the setup, of a throttle, of the first
// request's time or of that without traffic. Zero: only news matters.
func (p *Polled) NextDeadline() time.Time { return p.deadline }

// Watch asks for a call of f when a method would find news before NextDeadline.
// f is called on another stack, at most once for each thing under way, and
// possibly for nothing.
func (p *Polled) Watch(f func()) {
	if p.core.Watch(f) {
		p.pump()
	}
}
