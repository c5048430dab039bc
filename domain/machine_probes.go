package domain

import (
	"fmt"
	"strings"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Brokers before 0.10 do not know ApiVersions. How they take a request that they do
// not know is how they are told apart:
//
//	0.8    closes the connection
//	0.9    says nothing, keeps it open, and answers what comes next
//
// So behind ApiVersions Metadata is sent, which all know: at once where somebody
// asked for the release, and otherwise after 200 ms of silence. An answer to the
// second request and not to the first is a broker of 0.9, and no timeout was waited
// for. Where the connection is closed, the same question in version 0 follows (some
// that are not Apache Kafka reset above that), and then, each over a connection of its
// own, at once and to the same address, what the releases brought, newest first. Who
// answers has a name:
//
//	ListGroups       0.9.0
//	FindCoordinator  0.8.2
//	OffsetFetch      0.8.1
//	Metadata         0.8.0
//
// Each has Metadata behind it as well. A ladder that nobody answers is one failure.
// Silence is never an answer, and ends all of it: a broker that starts, or has much to
// do, would be taken for an older one (kafka-python#1498).
//
// Where there is a login nothing of this happens: before it no broker answers.
//
// A broker that closed the connection on ApiVersions, and answers ListGroups, is none of
// 0.9: most likely one that was just starting. It is asked for its API versions once
// more, on that connection.
//
// What was found is kept for the next connection, which does not ask, after a clean
// close of one on which the broker has answered. After a loss it may be another by then.

type rungOfLadder struct {
	key   int16
	name  string
	found release.Release
}

var probeLadder = [...]rungOfLadder{
	{ports.KeyListGroups, "ListGroups", release.Release{Minor: 9}},
	{ports.KeyFindCoordinator, "FindCoordinator", release.Release{Minor: 8, Patch: 2}},
	{ports.KeyOffsetFetch, "OffsetFetch", release.Release{Minor: 8, Patch: 1}},
	{ports.KeyMetadata, "Metadata", release.Release{Minor: 8}},
}

// behindAfter is how long a broker may think about ApiVersions before Metadata
// follows.
const behindAfter = 200 * time.Millisecond

// Check is how a broker is to be asked for its release.
type Check struct {
	// Strict: a connection that was lost before all of the question had left, or within
	// an answer, says nothing of what the broker knows, and ends the check. Otherwise
	// any loss counts.
	Strict bool
	// Topics are those that Metadata asks for. None: all. Brokers of 0.8 create one
	// that is not there.
	Topics []string
}

// probing is a question for the API versions under way, over one connection or several.
type probing struct {
	step     int       // 0: ApiVersions; above: probeLadder[step-1]
	by       time.Time // when all of it is given up; zero: none is under way
	behindAt time.Time // when Metadata is sent behind; zero: it was, or will not be
	said     time.Time // when the step's question was
	saw      []string  // of the steps that are over
	twice    bool      // ApiVersions was asked once more

	connections, trips int
}

// probes reports whether a broker that does not know ApiVersions is asked otherwise.
func (m *Machine) probes() bool { return len(m.cfg.Mechanisms) == 0 }

// askStep begins a step on a connection that has just been established.
func (m *Machine) askStep() {
	p := &m.probing
	if p.by.IsZero() {
		p.by = m.setupEnd
		if limit := m.cfg.VersionsTimeout; limit > 0 {
			p.by = m.now.Add(limit)
		}
	}
	p.connections++
	m.setupBy = soonest(p.by, m.addressBy)
	p.said = m.now
	if p.step == 0 {
		m.askVersions()
	} else {
		p.trips++
		m.sendProbe(probeLadder[p.step-1].key)
	}
	switch {
	case !m.probes() || p.step == len(probeLadder):
	case m.check != nil || p.step > 0:
		m.sendProbe(ports.KeyMetadata)
	default:
		p.behindAt = m.now.Add(behindAfter)
	}
}

func (m *Machine) sendProbe(key int16) {
	req := &ports.ProbeRequest{APIKey: key}
	if key == ports.KeyMetadata && m.check != nil {
		req.Topics = m.check.Topics
	}
	m.sendControl(req, 0, 0)
}

// trail lets what was sent behind the question, and is not answered, count as any
// request: the connection is about to be ready.
func (m *Machine) trail() {
	m.trailing = m.inflight.len()
	for i := range m.trailing {
		m.setDeadline(m.inflight.at(i), m.cfg.RequestTimeout)
	}
}

// handleProbing sends what is to follow a broker's silence.
func (m *Machine) handleProbing() {
	p := &m.probing
	if m.state == NegotiatingVersions && !p.behindAt.IsZero() && !m.now.Before(p.behindAt) && m.now.Before(m.setupBy) {
		p.behindAt = time.Time{}
		m.sendProbe(ports.KeyMetadata)
	}
}

// overtaken reports whether the answer is that of the request behind the one which is
// due, as a broker of 0.9 gives it; then that is what it is.
func (m *Machine) overtaken(id int32) bool {
	if m.state != NegotiatingVersions || m.probing.step != 0 || m.inflight.len() < 2 {
		return false
	}
	first, second := m.inflight.at(0), m.inflight.at(1)
	if first.Request.Key() != ports.KeyAPIVersions || second.Request.Key() != ports.KeyMetadata || id != second.CorrelationID {
		return false
	}
	return m.mayBeAnswered(second)
}

func (m *Machine) takeOvertaken() {
	m.Recycle(m.finish(m.inflight.pop()))
	m.Recycle(m.finish(m.inflight.pop()))
	m.prove()
	m.saw("it left ApiVersions without an answer, and answered Metadata behind it")
	m.recognised(release.Release{Minor: 9})
}

// receiveProbe takes the answer to a probe. On a connection that is ready it is the one
// to what was sent behind, and of no more use.
func (m *Machine) receiveProbe(f *Future, body []byte) {
	step := m.probing.step
	switch {
	case m.state != NegotiatingVersions:
		m.trailing--
		m.settle()
	case step == 0 || f.Request.Key() != probeLadder[step-1].key:
	default:
		if _, ok := decodeControl[*ports.ProbeResponse](m, f.Request, f.Version, body); ok {
			m.saw("it answered " + probeLadder[step-1].name)
			m.answeredProbe(step)
		}
	}
}

func (m *Machine) answeredProbe(step int) {
	if probeLadder[step-1].key != ports.KeyListGroups {
		m.recognised(probeLadder[step-1].found)
		return
	}
	m.probing.step, m.probing.twice = 0, true
	m.askVersions()
	m.sendProbe(ports.KeyMetadata)
}

// recognised: the broker is of a release that cannot be asked.
func (m *Machine) recognised(r release.Release) {
	v := versionsOf(r)
	v.found, v.evidence = r, m.probing.saw
	v.connections, v.trips = m.probing.connections, m.probing.trips
	m.known, m.knownAt = v, m.endpoint.Address
	m.negotiated(v)
}

// saw notes what a step has shown.
func (m *Machine) saw(what string) { m.probing.saw = append(m.probing.saw, what) }

// nextStep goes on with the next question over another connection, or gives up. e is
// what has become of this one.
func (m *Machine) nextStep(e *Error) {
	p := &m.probing
	m.saw(fmt.Sprintf("%s: %v after %v", m.question(), e.Cause, m.now.Sub(p.said).Round(time.Millisecond)))
	vague := m.frames.buffered() > 0 || m.pending.len() > 0
	switch {
	case vague && m.check != nil && m.check.Strict:
		e.Hint = "the check is strict: this tells nothing of what the broker knows"
	case p.step == 0 && m.ask > 0:
		m.askV0, m.again = true, true
	case m.probes() && !p.twice && p.step < len(probeLadder):
		p.step++
		m.again = true
	default:
		e.Hint = m.hintClosed(hintClosedWhenAsked)
		if len(p.saw) > 1 {
			e.Cause = fmt.Errorf("%w (%s)", e.Cause, strings.Join(p.saw, "; "))
		}
	}
	m.fail(e)
}

// question is what a step asks.
func (m *Machine) question() string {
	if m.probing.step > 0 {
		return probeLadder[m.probing.step-1].name
	}
	return fmt.Sprintf("ApiVersions v%d", m.ask)
}
