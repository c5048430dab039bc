package oauthbearer

import (
	"context"
	"fmt"
	"sync"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// login is one dialogue (RFC 7628, section 3.2). The client sends the token; an empty
// answer is the end. Any other says why the token is refused: the client confirms
// with a byte 0x01, upon which the broker fails the login, with error 58 of
// SaslAuthenticate. Clients that leave that byte out wait for each other with the
// broker; those that forget what came before it have an error without a reason.
type login struct {
	auth  *Authenticator
	steps ports.Exchange

	mu    sync.Mutex
	sent  *held // nil: nothing
	heard bool  // the broker has answered, or has been given up
}

var (
	_ ports.Exchange = (*login)(nil)
	_ ports.Watcher  = (*login)(nil)
)

func (l *login) Next(challenge []byte)         { l.steps.Next(challenge) }
func (l *login) Result() ([]byte, bool, error) { return l.steps.Result() }
func (l *login) Watch(f func())                { l.steps.(ports.Watcher).Watch(f) }

// Close may be all that is heard of a refusal: there are brokers whose login fails
// without a reason, and such as hang up.
func (l *login) Close() {
	l.steps.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent != nil && !l.heard {
		l.auth.keeper.doubt(l.sent)
	}
	l.heard = true
}

func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	if challenge == nil {
		return l.start(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent == nil {
		return nil, false, fmt.Errorf("oauthbearer: the broker speaks first: %w", sasl.ErrUnexpected)
	}
	l.heard = true
	if len(challenge) == 0 {
		return nil, true, nil
	}
	l.auth.keeper.reject(l.sent)
	return []byte(separator), false, readRefusal(challenge, l.sent.AccessToken.Reveal())
}

func (l *login) start(ctx context.Context) (response []byte, done bool, err error) {
	t, err := l.auth.keeper.token(ctx)
	if err != nil {
		return nil, false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = t
	return firstMessage(l.auth.authzid, &t.Token, l.auth.extensions), false, nil
}
