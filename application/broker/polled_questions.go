package broker

import "time"

// These methods change nothing and call no hook.

// State returns the state of the connection.
func (p *Polled) State() State { return p.core.State() }

// Connected reports whether the state is Connected, in which requests are admitted.
func (p *Polled) Connected() bool { return p.State() == Connected }

// Connecting reports whether an attempt to connect is in progress: dialing, TLS, version
// negotiation or the login.
func (p *Polled) Connecting() bool { return p.State().SettingUp() }

// Disconnected reports whether there is neither a connection nor an attempt.
func (p *Polled) Disconnected() bool { return p.State().Down() }

// BlackedOut reports whether the backoff after a failure is not over.
func (p *Polled) BlackedOut() bool { return p.core.BlackedOut(p.cfg.Clock.Now()) }

// ConnectionDelay returns how long to wait before Connect has an effect. forever reports
// that no time does: there is a connection or an attempt.
func (p *Polled) ConnectionDelay() (d time.Duration, forever bool) {
	return p.core.ConnectionDelay(p.cfg.Clock.Now())
}

// CanSendMore reports whether MaxInFlight and MaxPendingBytes leave room for a request.
func (p *Polled) CanSendMore() bool { return p.core.CanSendMore() }

// NextDeadline returns the time at which a method other than these has to be called next: the
// end of the backoff, of the setup, of a throttle, of a request timeout or of the idle
// timeout. If zero, there is nothing to do before Watch reports something. It is due at once while
// Recv has responses to return, which another method may have found.
func (p *Polled) NextDeadline() time.Time {
	if len(p.answered) > 0 {
		return p.cfg.Clock.Now()
	}
	return p.deadline
}

// Watch requests a call of f when a method would find something to do before NextDeadline. It is
// called again before each wait: a call of f ends the request, as does a later Watch. f is called by
// another goroutine, sometimes without need, and more than once if several operations are in progress.
func (p *Polled) Watch(f func()) {
	if p.core.Watch(f) {
		p.pump()
	}
}
