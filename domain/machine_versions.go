package domain

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"brokerconn/ports"
)

// ApiVersions is the first request of every connection, also when the answer of
// an earlier one is known: a broker otherwise lists the connection's software as
// unknown (KIP-511). It is asked at the version that worked last, and at first at
// v4, or v5 where the broker meant is named (KIP-1242).
//
// The error code is the first field of the answer in every version, and is read before the
// rest. A broker that does not have the version answers error 35, in the format of v0. Some
// that are not Apache Kafka use that of the version, or one that is neither. If the answer
// names a lower version of ApiVersions that is asked next, and v0 otherwise, on the same
// connection. So a peer that claims to have more each time cannot keep us asking. A table
// is also read if it is in the format of v0 whatever was asked.
//
// Other servers close the connection instead (Azure Event Hubs at v4, sarama's MockBroker at
// v5): a connection that is lost while asking above v0 is followed by one to the same
// address, at once, which asks at v0. Where the address has answered before, it is more
// likely that the broker is starting, or limits its connections, and another connection makes
// that worse: the loss is an ordinary failure, and v0 is asked after every other pause.
// Brokers that do not know ApiVersions at all are recognised in machine_probes.
//
// Where the broker meant is named, the question is asked again behind a login: before it
// Kafka compares nothing. Without a login it is asked again if a table that came in a lower version
// lists v5: the version was lower because a connection was lost, perhaps by a restart. A broker
// before 4.4 and a controller never compare, which is reported.
//
// Where the broker's release is configured it is not asked at all, and the table
// of that release is taken for its own.

const (
	topAsk        = 4
	topAskOfNamed = 5

	hintClosedWhenAsked = "the peer closed the connection when asked for its API versions: " +
		"a port for TLS, another protocol, a forwarder without a broker behind it, a broker that limits connections " +
		"(max.connections.per.ip), or a Kafka before 0.10?"
	hintLimits = "a broker has answered at this address before: it is starting, or it limits connections " +
		"(max.connections.per.ip) or their rate (connection_creation_rate)"
	hintLate = "a broker has answered at this address before: it is overloaded, or it accepts connections late " +
		"because it limits their rate (max.connection.creation.rate)"
	hintSilentPort = "the port accepts connections but does not answer Kafka's ApiVersions: " +
		"is it a Kafka port, and does it want TLS?"
	hintProbe = " To detect a Kafka before 0.10 set ProbeOldReleases (probe_old_releases), " +
		"or name its release by APIVersion (api_version)"
	hintNotAsked   = "a peer whose release is named by APIVersion (api_version) is not asked for its API versions"
	hintRejectsAll = "the peer rejected a higher version of ApiVersions and closed the connection when asked at v0: " +
		"see its log; " + hintNotAsked
	hintClosedAtOnce = "the peer closed the connection before it answered anything: " +
		"a port for TLS, a controller's port, another release than APIVersion (api_version) names, another protocol, " +
		"a forwarder or balancer with no broker behind it, or a limit of connections?"

	hintClosedOnNames = "the peer answered ApiVersions at v0, and closed the connection when it was asked at v5, " +
		"which it lists, with ClusterID (expected.cluster.id) and NodeID (expected.node.id)"

	hintServerError = "a proxy with no broker behind it answers this, or a broker whose log has more"

	codeUnknownServerError  = -1
	codeUnsupportedVersion  = 35
	codeRebootstrapRequired = 129
)

// firstAsk returns the version that ApiVersions is asked at on a new connection.
func (m *Machine) firstAsk() int16 {
	switch {
	case m.probing.connections > 1: // the one before was closed
		return 0
	case m.addressAnswered() && m.closedWhenAsked() && m.attempts > 2 && m.attempts%2 == 1:
		return 0 // there may be another server now
	case m.hasAnswered() && m.namesBroker() && m.remembered.asked > 0: // it may have been upgraded
		return topAskOfNamed
	case m.hasAnswered():
		return m.remembered.asked
	}
	if m.namesBroker() {
		return topAskOfNamed
	}
	return topAsk
}

// namesBroker reports whether the broker meant is named.
func (m *Machine) namesBroker() bool { return m.cfg.ClusterID != "" || m.cfg.NodeID != nil }

// comparesNames reports whether a broker with this table compares the names.
func comparesNames(v *Versions) bool {
	return v.hasNames() && v.lists(ports.KeyMetadata)
}

// hasNames reports whether the broker has a version of ApiVersions that names it.
func (v *Versions) hasNames() bool { return v.has(ports.KeyAPIVersions, topAskOfNamed) }

// warnOfNames reports that the names of the broker meant are not compared.
func (m *Machine) warnOfNames(v *Versions) {
	rejected := v.asked < topAskOfNamed && len(m.cfg.Mechanisms) == 0
	if !m.namesBroker() || comparesNames(v) && !rejected {
		return
	}
	why := "the broker is older than Kafka 4.4"
	switch {
	case v.hasNames() && rejected:
		why = "it lists v5 of ApiVersions and rejects it"
	case v.hasNames():
		why = "it is a controller, without Metadata"
	}
	m.note(&Event{Kind: EventWarning, Text: "ClusterID (expected.cluster.id) and NodeID (expected.node.id) are not " +
		"compared by " + m.Endpoint().Address + ": " + why})
}

// askBehindLogin asks again whether this is the broker meant, and reports whether it does.
func (m *Machine) askBehindLogin() bool {
	if !m.namesBroker() || m.remembered == nil || !comparesNames(m.remembered) {
		return false
	}
	m.askVersions(topAskOfNamed)
	return true
}

// addressAnswered reports whether a broker has answered ApiVersions at the address before.
func (m *Machine) addressAnswered() bool {
	return m.hasAnswered() && m.remembered.at == m.Endpoint().Address
}

// closedWhenAsked reports whether the last connection was lost while ApiVersions was asked.
func (m *Machine) closedWhenAsked() bool {
	return m.lastErr != nil && m.lastErr.Phase == NegotiatingVersions && m.lastErr.Kind == ErrConnection
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
	m.note(&Event{Kind: EventVersions, Versions: v})
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
	switch code := errorCodeOf(body); code {
	case 0:
		version := m.formatOf(f, body)
		if r, ok := decodeOwn[*ports.APIVersionsResponse](m, f.Request, version, body); ok {
			m.tableAnswered(f, r, version)
		}
	case codeUnsupportedVersion:
		m.askLower(f, body)
	case codeUnknownServerError:
		m.fail(m.newError(ErrConnection, NewBrokerError(code, ""), hintServerError))
	case codeRebootstrapRequired:
		m.fail(m.newError(ErrProtocol, NewBrokerError(code, ""), "this is another broker than ClusterID "+
			"(expected.cluster.id) and NodeID (expected.node.id) name"))
	default:
		refused := NewBrokerError(code, "")
		m.fail(m.newError(refused.kind(ErrProtocol), refused, ""))
	}
}

// formatOf returns the version in whose format a table is: that which was asked, or v0 if only
// that can be read. Java's client reads both.
func (m *Machine) formatOf(f *Future, body []byte) int16 {
	if f.Version > 0 && !m.reads(f, f.Version, body) && m.reads(f, 0, body) {
		return 0
	}
	return f.Version
}

func (m *Machine) reads(f *Future, version int16, body []byte) bool {
	_, err := m.decode(f.Request, version, slices.Clone(body))
	return err == nil
}

// tableAnswered uses the table that answers f, or ends the setup if the question was that behind a
// login.
func (m *Machine) tableAnswered(f *Future, r *ports.APIVersionsResponse, asked int16) {
	if m.state == Authenticating {
		m.finishLogin()
		return
	}
	v, err := newVersions(r, asked)
	switch {
	case err != nil:
		m.fail(m.newError(ErrProtocol, err, ""))
	case f.Version < topAskOfNamed && m.asksAgain(f, v):
		m.probing.step = stepAsk // no release is suspected any more
		m.askVersions(topAskOfNamed)
	default:
		m.useTable(v)
	}
}

// asksAgain reports whether the first question of a connection, also one behind a probe, is followed by
// one that names the broker meant. Where there is a login, that follows behind it.
func (m *Machine) asksAgain(f *Future, v *Versions) bool {
	first := f.CorrelationID == 1 || m.probing.step >= stepSuspect && m.probing.step < stepSuspect9
	return m.namesBroker() && len(m.cfg.Mechanisms) == 0 && first && comparesNames(v)
}

// errorCodeOf returns the error code of an answer that begins with it, 0 if it is too short.
func errorCodeOf(body []byte) int16 {
	if len(body) < 2 {
		return 0
	}
	return int16(binary.BigEndian.Uint16(body))
}

func (m *Machine) useTable(v *Versions) {
	if !m.hasAnswered() {
		m.warnOfNames(v)
	}
	v.cost, v.at = m.probing.cost, m.Endpoint().Address
	if left := v.table.LeftOut(); len(left) > 0 && !slices.Equal(left, m.remembered.LeftOut()) {
		m.note(&Event{Kind: EventAPIsLeftOut, Versions: v})
	}
	m.remembered = v
	m.negotiated(v)
}

// answeredIn returns the version of the response to a request.
func answeredIn(f *Future, body []byte) int16 {
	if f.Request.Key() == ports.KeyAPIVersions && errorCodeOf(body) == codeUnsupportedVersion {
		return 0
	}
	return f.Version
}

// askLower asks at the version that a rejection names if that is lower, and at v0 otherwise.
func (m *Machine) askLower(f *Future, rejection []byte) {
	if f.Version == 0 || m.state == Authenticating {
		cause := fmt.Errorf("ApiVersions v%d: %w", f.Version, NewBrokerError(codeUnsupportedVersion, ""))
		m.fail(m.newError(ErrProtocol, cause, ""))
		return
	}
	lower := int16(0)
	if highest := m.offered(f, rejection); highest > 0 && highest < f.Version {
		lower = highest
	}
	m.askVersions(lower)
}

// offered returns the highest version of ApiVersions that a rejection names, and 0 if it cannot be
// read in the format of v0, nor in that of the version that was asked.
func (m *Machine) offered(f *Future, rejection []byte) int16 {
	for _, version := range [...]int16{0, f.Version} {
		decoded, err := m.decode(f.Request, version, slices.Clone(rejection))
		r, ok := decoded.(*ports.APIVersionsResponse)
		if err != nil || !ok {
			continue
		}
		for _, a := range r.Ranges {
			if a.Key == ports.KeyAPIVersions {
				return a.Max
			}
		}
	}
	return 0
}
