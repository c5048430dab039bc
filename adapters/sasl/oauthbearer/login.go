package oauthbearer

import (
	"context"
	"fmt"
	"sync"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// login is the state of one login (RFC 7628, section 3.2). The client sends the token,
// and an empty answer ends the login. Any other answer is the reason of a rejection: the
// client confirms it with the byte 0x01, and the broker fails the login with error 58 of
// SaslAuthenticate. Without that byte both sides would wait for each other.
//
// A token that was held for a while may have been revoked. In place of that byte the
// client then sends another one, once: Kafka's brokers take a new first message on the
// same connection.
type login struct {
	ports.Exchange // the steps
	auth           *Authenticator

	mu       sync.Mutex
	sent     *held // the token that was sent; may be nil
	replace  bool  // another token may be tried in its place
	answered bool  // the broker has answered, or the login was closed
}

var _ ports.Watcher = (*login)(nil)

// Watch is that of the steps.
func (l *login) Watch(f func()) { l.Exchange.(ports.Watcher).Watch(f) }

// Close closes the login. If the broker has not answered, it may have rejected the
// token: some brokers give no reason, some hang up.
func (l *login) Close() {
	l.Exchange.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent != nil && !l.answered {
		l.auth.keeper.suspect(l.sent)
	}
	l.answered = true
}

func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	if challenge == nil {
		t, cached, err := l.auth.keeper.token(ctx)
		if err != nil {
			return nil, false, err
		}
		return l.send(t, cached), false, nil
	}
	sent, replace, err := l.hear()
	switch {
	case err != nil:
		return nil, false, err
	case len(challenge) == 0:
		return nil, true, nil
	}
	l.auth.keeper.reject(sent)
	if replace {
		switch t, _, err := l.auth.keeper.token(ctx); {
		case err != nil:
		case t.AccessToken.Reveal() == sent.AccessToken.Reveal():
			l.auth.keeper.reject(t)
		default:
			return l.send(t, false), false, nil
		}
	}
	return []byte(separator), false, readRefusal(challenge, sent.AccessToken.Reveal())
}

// send returns the first message with a token.
func (l *login) send(t *held, replace bool) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent, l.replace, l.answered = t, replace, false
	return firstMessage(l.auth.authzid, &t.Token, l.auth.extensions)
}

// hear records that the broker has answered, and returns the token that it has judged.
func (l *login) hear() (sent *held, replace bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent == nil {
		return nil, false, fmt.Errorf("oauthbearer: a message before the token: %w", sasl.ErrUnexpected)
	}
	l.answered = true
	return l.sent, l.replace, nil
}
