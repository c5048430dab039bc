package domain

import (
	"encoding/binary"
	"errors"
)

// Raw tokens, of brokers before 1.0 (KIP-43): each behind its size, without header and
// correlation id, and one may be empty. Such a broker says of a login that it refuses
// nothing at all: it closes the connection. It does not answer the last token of
// GSSAPI: whether that was good shows with the first request.

var errUnaskedToken = errors.New("a token that nothing asked for")

func (m *Machine) sendRawToken(token []byte) {
	m.pending.filling = binary.BigEndian.AppendUint32(m.pending.filling, uint32(len(token)))
	m.pending.filling = append(m.pending.filling, token...)
	m.queued += uint64(sizeFieldBytes + len(token))
	if m.login.step == loginLastAnswer {
		// The peer has yet to show that it took it.
		m.proven = false
		m.loggedIn()
	}
}

func (m *Machine) receiveRawToken(token []byte) {
	m.proven = true
	if m.login.step != loginAnswer && m.login.step != loginLastAnswer {
		m.fail(m.newError(ErrProtocol, errUnaskedToken, ""))
		return
	}
	m.answerToken(token, 0)
}

// rawTokensDue reports whether what is received are raw tokens: from the first token until
// the end of the login.
func (m *Machine) rawTokensDue() bool {
	return m.login.dialect.raw() && m.login.step >= loginToken
}
