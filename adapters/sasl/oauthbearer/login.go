package oauthbearer

import (
	"context"
	"errors"
	"sync"
)

// login is one dialogue (RFC 7628, section 3.2). The client sends the token; an empty
// answer is the end. Any other is why the token is refused: the client confirms with
// a byte 0x01, upon which the broker fails the login, error 58 of SaslAuthenticate.
// Clients that leave that byte out wait for each other with the broker.
type login struct {
	auth *Authenticator

	mu      sync.Mutex // Explain may be asked while a step is under way
	sent    *held      // nil: none yet
	refused *Error     // nil: not, or not so far
}

func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	if challenge == nil {
		return l.start(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.sent == nil:
		return nil, false, errors.New("oauthbearer: the broker speaks first, which is the client's to do")
	case l.refused != nil:
		e := *l.refused
		e.trouble = "it goes on with the login all the same"
		return nil, false, &e
	case len(challenge) == 0:
		return nil, true, nil
	}
	l.refused = readRefusal(challenge, l.sent.AccessToken.Reveal())
	l.auth.keeper.reject(l.sent)
	return []byte(separator), false, nil
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

// explain knows that the broker has refused. Some brokers do so without a word of
// why: their authentication fails with the first message.
func (l *login) explain() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused != nil {
		return l.refused
	}
	if l.sent != nil {
		l.auth.keeper.reject(l.sent)
	}
	return nil
}
