package domain

import (
	"encoding/binary"
	"errors"

	"brokerconn/ports"
)

// Raw tokens, of brokers before 1.0 (KIP-43): each behind its size, without header and
// correlation id, and one may be empty. Such a broker says of a login that it refuses
// nothing at all: it closes the connection. It does not answer the last token of
// GSSAPI: whether that was good shows with the first request.

// dialect is how tokens travel to a broker: the version of the SaslHandshake before them.
type dialect int16

const (
	bareTokens    dialect = iota - 1 // as they are, with no handshake before them
	rawTokens                        // behind SaslHandshake v0, as they are
	wrappedTokens                    // behind SaslHandshake v1, in SaslAuthenticate
)

// raw reports whether the tokens of the connection's login are not wrapped; false without one.
func (m *Machine) raw() bool {
	how, _ := m.dialect()
	return how != wrappedTokens && m.mechanism.Name != ""
}

func (m *Machine) dialect() (dialect, error) {
	v := m.Versions()
	version, err := v.choose(ports.KeySASLHandshake, ports.Traits{MaxVersion: int16(wrappedTokens)})
	switch _, _, asks := v.Range(ports.KeyAPIVersions); {
	case err == nil:
		return dialect(version), nil
	case asks || !m.configured():
		return wrappedTokens, err
	}
	return bareTokens, nil
}

var errUnaskedToken = errors.New("a token that nothing asked for")

func (m *Machine) sendRawToken(token []byte) {
	p := &m.stream.pending
	p.filling = append(binary.BigEndian.AppendUint32(p.filling, uint32(len(token))), token...)
	if m.login.step == loginLastAnswer {
		m.loggedIn()
	}
}

func (m *Machine) receiveRawToken(token []byte) {
	m.peer = answered
	if m.login.step != loginAnswer && m.login.step != loginLastAnswer {
		m.fail(m.newError(ErrProtocol, errUnaskedToken, ""))
		return
	}
	m.answerToken(token, 0)
}

// refusedInSilence reports whether a link that is lost may be the refusal of a raw token: the broker may have all of
// it, and has begun no answer. A loss within the SaslHandshake, which has answers of its own, or within a token of
// either side, is one of the network.
func (m *Machine) refusedInSilence() bool {
	waits := m.login.step == loginAnswer || m.login.step == loginLastAnswer
	return m.state == Authenticating && m.raw() && waits && m.frames.buffered() == 0 &&
		m.stream.queued() <= m.stream.reach()
}

// rawTokensDue reports whether what is received are raw tokens: from the first token until
// the end of the login.
func (m *Machine) rawTokensDue() bool {
	return m.login.step >= loginToken && m.raw()
}
