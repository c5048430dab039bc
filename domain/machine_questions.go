package domain

import (
	"time"

	"brokerconn/ports"
)

// The questions. None of them changes the Machine.

// State returns the state of the connection.
func (m *Machine) State() State { return m.state }

// Condition returns which requests a Connected connection admits: one of [Conditions].
func (m *Machine) Condition() string { return m.condition.String() }

// hostPort returns the host and port to look up.
func (m *Machine) hostPort() (host string, port uint16) { return m.cfg.Host, m.cfg.Port }

// Epoch returns the number of the current attempt, 0 before the first.
func (m *Machine) Epoch() uint64 { return m.epoch }

// Endpoint returns the address in use, or used last.
func (m *Machine) Endpoint() ports.Endpoint {
	if len(m.addresses) == 0 {
		return ports.Endpoint{}
	}
	return m.addresses[0]
}

// Versions returns the broker's API versions, nil before they are known on this connection.
func (m *Machine) Versions() *Versions {
	if m.state != Authenticating && m.state != Connected {
		return nil
	}
	return m.remembered
}

// LastError returns why the connection last went down or could not be made, an *[Error]. It
// is nil once the connection was ready, and after a close without cause.
func (m *Machine) LastError() error {
	if m.lastErr == nil {
		return nil
	}
	return m.lastErr
}

// InFlight returns the number of the owner's requests that are admitted and not done: they
// wait for a response, or to be written if they expect none.
func (m *Machine) InFlight() int { return m.sink.sums.inFlight() }

// ResponsesDue returns how many responses the owner's requests wait for on the connection.
func (m *Machine) ResponsesDue() int {
	if m.state != Connected {
		return 0
	}
	return m.InFlight() - len(m.unanswered)
}

// awaitsInSetup reports whether a response is due in the setup.
func (m *Machine) awaitsInSetup() bool { return m.state.SettingUp() && m.inflight.len() > 0 }

// RequestTimeout returns the configured timeout of requests.
func (m *Machine) RequestTimeout() time.Duration { return m.cfg.RequestTimeout }

// PendingBytes returns the number of bytes that wait to be written, or that a writer has.
func (m *Machine) PendingBytes() int {
	if !m.flowing() && !m.stream.lent() {
		return 0 // of a dropped connection, until its requests have failed
	}
	return m.stream.pending.len()
}

// resolving reports whether the host is looked up.
func (m *Machine) resolving() bool { return m.state == Connecting && len(m.addresses) == 0 }

// opening reports whether the link is, and bytes do not flow yet.
func (m *Machine) opening() bool {
	return m.state == Connecting && len(m.addresses) > 0 || m.state == Handshake
}

// flowing reports whether bytes may flow.
func (m *Machine) flowing() bool { return m.state >= NegotiatingVersions && m.state <= Connected }

// up reports whether bytes flow on the connection of an epoch.
func (m *Machine) up(epoch uint64) bool { return m.flowing() && epoch == m.epoch }

// loggingIn reports whether a login is under way.
func (m *Machine) loggingIn() bool { return m.login.step != loginNone }

// Busy reports whether a call of the core's own is under way: a step of the setup, a login
// that renews the session, a ping, or a probe whose response is late.
func (m *Machine) Busy() bool {
	core := m.state == Connected && m.inflight.len()+len(m.unanswered) > m.InFlight()
	return core || m.state.SettingUp() || m.loggingIn()
}
