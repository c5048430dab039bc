package domain

import (
	"encoding/binary"
	"fmt"
	"strings"

	"brokerconn/ports"
)

// ApiVersions is the first request of every connection, also when the answer of
// an earlier one is known: a broker otherwise lists the connection's software as
// unknown (KIP-511). It is asked at the version that worked last, and at first at
// v4, or v5 where the broker meant is named (KIP-1242).
//
// A broker that does not have that version answers error 35, in the format of
// v0 whatever was asked. From Kafka 2.4 on the answer names the versions of
// ApiVersions that it has; before, it names nothing, and v0 is left. The next
// question is always at a strictly lower version, so that a peer which claims to
// have more cannot keep us asking.
//
// Some brokers that are not Apache Kafka reset the connection instead (Azure
// Event Hubs on v4): a connection lost while asking above v0 is followed by one
// to the same address, at once, which asks at v0. Not so where a table is known from
// before: then the loss is an ordinary failure, and the next connection asks again.
// Brokers that do not know ApiVersions at all are recognised in machine_probes.
//
// Where the broker's release is configured it is not asked at all, and the table
// of that release is taken for its own.

const (
	topAsk        = 4
	topAskOfNamed = 5

	hintClosedWhenAsked = "the peer closed the connection when asked for its API versions: " +
		"a port for TLS, another protocol, a forwarder or balancer with no broker behind it, a limit of connections, " +
		"or a Kafka before 0.10?"
	hintSilentPort = "the port accepts connections but does not answer Kafka's ApiVersions: " +
		"is it a Kafka port, and does it want TLS?"
	hintProbe = " To detect a Kafka before 0.10 set ProbeOldReleases (probe_old_releases), " +
		"or name its release by APIVersion (api_version)"
	hintClosedAtOnce = "the peer closed the connection before it answered anything: " +
		"a port for TLS, another protocol, a forwarder or balancer with no broker behind it, or a limit of connections?"

	codeUnsupportedVersion  = 35
	codeRebootstrapRequired = 129
)

// firstAsk returns the version that ApiVersions is asked at on a new connection.
func (m *Machine) firstAsk() int16 {
	switch {
	case m.probing.connections > 1: // the one before was closed
		return 0
	case m.hasAnswered():
		return m.remembered.asked
	}
	if m.cfg.ClusterID != "" || m.cfg.NodeID != nil {
		return topAskOfNamed
	}
	return topAsk
}

// negotiate asks for the broker's API versions, or takes those that are known.
func (m *Machine) negotiate() {
	if v := m.remembered; m.configured() || v.detected() && v.at == m.Endpoint().Address {
		m.negotiated(v)
		return
	}
	m.setState(NegotiatingVersions, nil)
	m.askStep()
}

func (m *Machine) negotiated(v *Versions) {
	m.probing, m.options.Check = probing{}, nil
	m.giveProbesTime()
	m.note(Event{Kind: EventVersions, Versions: v})
	if len(m.cfg.Mechanisms) > 0 {
		m.setState(Authenticating, nil)
		m.authenticate()
		return
	}
	m.ready()
}

// hasAnswered reports whether a broker of the host has answered ApiVersions before.
func (m *Machine) hasAnswered() bool { return m.remembered != nil && m.remembered.asked != notAsked }

func (m *Machine) askVersions(version int16) {
	m.probing.roundTrips++
	m.sendOwn(forVersions, m.versionsQuestion(), version, 0)
}

func (m *Machine) versionsQuestion() *ports.APIVersionsRequest {
	node := int32(-1)
	if m.cfg.NodeID != nil {
		node = *m.cfg.NodeID
	}
	return &ports.APIVersionsRequest{
		SoftwareName:    m.cfg.SoftwareName,
		SoftwareVersion: m.cfg.SoftwareVersion,
		ClusterID:       m.cfg.ClusterID,
		NodeID:          node,
	}
}

// hintClosed completes a hint for a peer that closed without an answer. TLS is not suggested
// if there is TLS already.
func (m *Machine) hintClosed(hint string) string {
	if m.Endpoint().Secure {
		hint = strings.Replace(hint, "a port for TLS, ", "", 1)
	}
	return hint
}

// receiveVersions takes the response to ApiVersions.
func (m *Machine) receiveVersions(f *Future, body []byte) {
	r, ok := decodeOwn[*ports.APIVersionsResponse](m, f.Request, answeredIn(f, body), body)
	if !ok {
		return
	}
	hint := ""
	switch r.ErrorCode {
	case 0:
		m.useTable(r, f.Version)
		return
	case codeUnsupportedVersion:
		m.askLower(r, f.Version)
		return
	case codeRebootstrapRequired:
		hint = "this is another broker than ClusterID and NodeID name"
	}
	m.fail(m.newError(ErrProtocol, brokerError(r.ErrorCode, ""), hint))
}

func (m *Machine) useTable(r *ports.APIVersionsResponse, asked int16) {
	v, err := newVersions(r, asked)
	if err != nil {
		m.fail(m.newError(ErrProtocol, err, ""))
		return
	}
	m.remembered = v
	v.cost = m.probing.cost
	m.negotiated(v)
}

// answeredIn returns the version of the response to a request.
func answeredIn(f *Future, body []byte) int16 {
	if f.Request.Key() == ports.KeyAPIVersions && len(body) >= 2 &&
		int16(binary.BigEndian.Uint16(body)) == codeUnsupportedVersion {
		return 0
	}
	return f.Version
}

func (m *Machine) askLower(r *ports.APIVersionsResponse, asked int16) {
	if asked == 0 {
		m.fail(m.newError(ErrProtocol, fmt.Errorf("ApiVersions v0: %w", brokerError(codeUnsupportedVersion, "")), ""))
		return
	}
	lower := int16(0)
	for _, a := range r.Ranges {
		if a.Key == ports.KeyAPIVersions {
			lower = max(min(asked-1, a.Max), 0)
		}
	}
	m.askVersions(lower)
}
