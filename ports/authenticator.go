package ports

// Authenticator is one SASL mechanism with its credentials. It is used by many
// connections at once and must be safe for that.
type Authenticator interface {
	// Mechanism is the name sent in SaslHandshake, for example "PLAIN".
	Mechanism() string
	// Begin starts one login and returns at once. It may refuse an endpoint, for
	// instance one that is not Secure: the refusal shows in Exchange.Result.
	Begin(Endpoint) Exchange
}

// Exposer is optional on an [Authenticator]. Exposes reports whether its logins send
// what another could log in with, a password or a token: whoever can read a link that
// is not Secure has it then. An Authenticator without it is taken for one whose logins
// do not.
type Exposer interface{ Exposes() bool }

// Exchange is one login, a dialogue of challenges and responses. One goroutine
// at a time uses it.
//
// nil and empty differ: Next(nil) is the start, before the broker said anything;
// Next([]byte{}) is an empty challenge. A nil response with done means that there
// is nothing left to send.
type Exchange interface {
	// Next starts a step and returns at once. The challenge is valid only during
	// the call.
	Next(challenge []byte)
	// Result returns the response to the last challenge. done: the mechanism
	// needs nothing more from the broker; a response that comes with done is
	// still sent, and its SaslAuthenticate answer awaited for an error and the
	// session's lifetime. PLAIN and OAUTHBEARER are done only after the broker's
	// empty answer. ErrWouldBlock while a token is fetched, a key derived, a KDC
	// asked. Any other error ends the login, behind the broker's answer to the
	// response if there is one beside it.
	Result() (response []byte, done bool, err error)
	// Close gives up the login and forgets its secrets. Idempotent.
	Close()
}
