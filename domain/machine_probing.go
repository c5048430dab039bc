package domain

import (
	"fmt"
	"strings"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// The steps of machine_probes.go, as they are taken.

// askStep sends the request of the step on a connection that was just established.
func (m *Machine) askStep() {
	p := &m.probing
	if p.by.IsZero() {
		p.by = m.setupEnd
		if limit := m.cfg.VersionsTimeout; limit > 0 {
			p.by = m.now.Add(limit)
		}
	}
	p.connections++
	if p.step == stepAsk {
		m.askVersions(m.firstAsk())
	} else {
		p.roundTrips++
		m.sendProbe(probeLadder[p.step-1].key)
	}
	switch {
	case m.state != NegotiatingVersions: // the codec failed
	case !m.probes() || p.step == stepLast:
	case m.options.Check != nil || p.step != stepAsk:
		m.sendProbe(ports.KeyMetadata)
	default:
		m.inflight.front().deadline = m.now.Add(behindAfter)
	}
}

func (m *Machine) sendProbe(key int16) {
	req := &ports.ProbeRequest{APIKey: key}
	if check := m.options.Check; key == ports.KeyMetadata && check != nil {
		req.Topics = check.Topics
	}
	m.sendOwn(forProbe, req, 0, 0)
}

// giveProbesTime lets the probes that are not answered yet count as any request: the
// connection is about to be ready.
func (m *Machine) giveProbesTime() {
	for i := range m.inflight.len() {
		m.setDeadline(m.inflight.at(i), m.cfg.RequestTimeout)
	}
}

// metadataAt is when Metadata is sent behind an ApiVersions that has no response yet, whose
// deadline it is; zero: it was, or it will not be.
func (m *Machine) metadataAt() time.Time {
	if f := m.inflight.front(); m.state == NegotiatingVersions && f != nil {
		return f.deadline
	}
	return time.Time{}
}

// handleProbing sends Metadata when that is due.
func (m *Machine) handleProbing() {
	if m.due(m.metadataAt()) && !m.due(m.stepBy()) {
		m.inflight.front().deadline = time.Time{}
		m.sendProbe(ports.KeyMetadata)
	}
}

// answersNext reports whether id is that of the Metadata request sent behind ApiVersions,
// which is still unanswered: a broker of 0.9 answers so.
func (m *Machine) answersNext(id int32) bool {
	if m.state != NegotiatingVersions || !m.probing.asks() || m.inflight.len() < 2 {
		return false
	}
	first, second := m.inflight.at(0), m.inflight.at(1)
	if first.purpose != forVersions || second.Request.Key() != ports.KeyMetadata || id != second.CorrelationID {
		return false
	}
	return m.mayBeAnswered(second)
}

// acceptOutOfOrder takes the answer to Metadata for the refusal of ApiVersions that it is.
func (m *Machine) acceptOutOfOrder() {
	p := &m.probing
	m.addEvidence(fmt.Sprintf("it left %s without an answer, and answered Metadata behind it", m.question()))
	m.Recycle(m.finish(m.inflight.pop()))
	m.Recycle(m.finish(m.inflight.pop()))
	m.prove()
	if p.step != stepSuspect9 {
		m.askOnceMore(stepSuspect9)
		return
	}
	m.recognised(p.suspect())
}

// receiveProbe takes the response to a probe. The release is suspected once Metadata behind
// the probe is answered too: what is sent then is all that the broker has to answer, so a
// connection that is closed without an answer was closed because of ApiVersions. On a
// connection that is ready it is the response to Metadata sent behind ApiVersions, and not
// needed.
func (m *Machine) receiveProbe(f *Future, body []byte) {
	step := m.probing.step
	switch {
	case m.state != NegotiatingVersions:
		m.settle()
		return
	case m.probing.asks():
		return
	case f.Request.Key() == probeLadder[step-1].key:
		if _, ok := decodeOwn[*ports.ProbeResponse](m, f.Request, f.Version, body); !ok {
			return
		}
		m.addEvidence("it answered " + probeLadder[step-1].name)
	}
	if m.inflight.len() == 0 {
		m.askOnceMore(stepSuspect + step - 1)
	}
}

// askOnceMore asks a suspect for its API versions on the connection on which it answered,
// in the version that most brokers know.
func (m *Machine) askOnceMore(step int) {
	m.probing.step = step
	m.askVersions(0)
	if m.state == NegotiatingVersions { // the codec did not fail
		m.sendProbe(ports.KeyMetadata)
	}
}

// recognised uses the table of a release for this connection.
func (m *Machine) recognised(r release.Release) {
	m.remember(r)
	m.negotiated(m.remembered)
}

// remember keeps the table of a recognised release for the connections that follow.
func (m *Machine) remember(r release.Release) {
	v := versionsOf(r)
	v.found, v.evidence, v.cost = r, m.probing.evidence, m.probing.cost
	v.at = m.Endpoint().Address
	m.remembered = v
	m.note(&Event{Kind: EventReleaseDetected, Versions: v})
	m.warnOfNames(v)
}

// forgetProbes ends probes whose time passed in a pause, and a verdict that waits for its
// connection: a later Connect starts from the beginning.
func (m *Machine) forgetProbes() {
	m.probing, m.addresses = probing{}, m.addresses[1:]
	m.forgetDetected()
}

// addEvidence notes what a step has shown.
func (m *Machine) addEvidence(what string) {
	m.probing.evidence = append(m.probing.evidence, what)
}

// nextStep goes on with the next request over another connection, or gives up. e
// describes the loss of this one.
func (m *Machine) nextStep(e *Error) {
	p := &m.probing
	suspect, sentAt := p.suspect(), m.since
	suspected := suspect != release.Release{}
	if suspected {
		sentAt = m.inflight.front().Queued
	}
	m.addEvidence(fmt.Sprintf("%s: %s after %v", m.question(), e.bareCause(), round(m.now.Sub(sentAt))))
	cut := m.frames.buffered() > 0 || !m.mayBeAnswered(m.inflight.front()) // within a response, or within the question
	strict := m.options.Check != nil && m.options.Check.Strict
	retry := false
	switch {
	case suspected && !cut && suspect != probeLadder[0].found:
		m.failAndRetry(e)
		m.remember(suspect)
		return
	case (cut || m.probeAnswered()) && strict:
		e.Hint = "the check is strict: this loss does not show what the broker knows"
	case suspected:
		m.hintGivenUp(e)
	case m.addressAnswered():
		e.Hint = hintLimits
	case p.step == stepAsk && m.askedAt() > 0 && p.connections == 1:
		retry = true
	case p.step == stepAsk && m.askedAt() > 0:
		e.Hint = hintClosedOnNames
	case p.step == stepAsk && m.peer >= answered: // it knows ApiVersions
		e.Hint = hintRejectsAll
	case !m.probes() || p.step == stepLast:
		m.hintGivenUp(e)
	case !m.now.Add(m.backoff.longest(p.pauses())).Before(soonest(p.by, m.setupEnd)):
		e.Hint = "no time was left for the next probe: raise APIVersionTimeout (api_version_auto_timeout_ms)"
	default:
		e.Hint = m.hintClosed(hintClosedWhenAsked) // an owner may stop here
		if !m.probeAnswered() {                    // otherwise the same one once more
			p.step++
		}
		retry = true
	}
	m.drop(e, false, retry)
}

// probeAnswered reports whether the probe of this connection was answered, and Metadata behind it
// was not: the broker knows the request, and the connection was lost for another reason.
func (m *Machine) probeAnswered() bool {
	p := &m.probing
	return !p.asks() && p.step < stepLast && m.inflight.len() == 1 &&
		m.inflight.front().Request.Key() != probeLadder[p.step-1].key
}

// hintGivenUp completes the error of a peer that knows none of the requests.
func (m *Machine) hintGivenUp(e *Error) {
	e.Hint = m.hintClosed(hintClosedWhenAsked) + m.hintProbing()
	if evidence := m.probing.evidence; len(evidence) > 1 {
		steps := strings.ReplaceAll(strings.Join(evidence, "; "), ": "+e.bareCause()+" after ", " after ")
		e.Cause = fmt.Errorf("%w (%s)", e.Cause, steps)
	}
}

// hintProbing is added where an old release could be detected and is not.
func (m *Machine) hintProbing() string {
	if m.probes() || len(m.cfg.Mechanisms) > 0 || m.hasAnswered() {
		return ""
	}
	return hintProbe
}

// question returns the name of the step's request.
func (m *Machine) question() string {
	if !m.probing.asks() {
		return probeLadder[m.probing.step-1].name
	}
	return fmt.Sprintf("ApiVersions v%d", m.askedAt())
}

// askedAt returns the version of the ApiVersions that is in flight.
func (m *Machine) askedAt() int16 {
	f := m.inflight.front()
	if f.purpose != forVersions { // it was asked at a lower version behind Metadata
		f = m.inflight.at(m.inflight.len() - 1)
	}
	return f.Version
}

// isLegacyZeroID reports whether an answer with the id 0 is that of Kafka 0.8.2 to
// FindCoordinator, whatever id the request has. Such a broker does not know ApiVersions.
func (m *Machine) isLegacyZeroID(f *Future, id int32) bool {
	legacy := !m.probing.asks() || m.remembered != nil && !m.hasAnswered()
	return id == 0 && legacy && f.Request.Key() == ports.KeyFindCoordinator && f.Version == 0
}
