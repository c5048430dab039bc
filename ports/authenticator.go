package ports

// Authenticator is one SASL mechanism with its credentials. It is used by many
// connections at once and must be safe for that.
type Authenticator interface {
	// Mechanism is the name sent in SaslHandshake, for example "PLAIN".
	Mechanism() string
	// Begin starts one login and returns at once. It may refuse an endpoint, for
	// instance one that is not Verified: Exchange.Result then returns the refusal.
	Begin(Endpoint) Exchange
}

// Exposer is optional on an [Authenticator]. Exposes reports whether its logins send
// a reusable credential, a password or a token, so that the peer, or a reader of a link that
// is not Secure, can replay it. An Authenticator without this method is treated as one that
// does, unless its mechanism is GSSAPI or one of SCRAM.
type Exposer interface{ Exposes() bool }

// Exchange is one login, a dialogue of challenges and responses. One goroutine
// at a time uses it.
//
// nil and empty differ: Next(nil) starts the login, before any challenge;
// Next([]byte{}) brings an empty challenge. A nil response with done means that
// nothing is left to send.
type Exchange interface {
	// Next starts a step and returns at once. The challenge is valid only during
	// the call.
	Next(challenge []byte)
	// Result returns the response to the last challenge. done: the mechanism
	// needs nothing more from the broker; a response returned with done is
	// still sent, and its SaslAuthenticate answer is read for an error and the
	// session's lifetime. PLAIN and OAUTHBEARER are done only after the broker's
	// empty answer. The error is ErrWouldBlock while a token is fetched, a key is
	// derived or a KDC is asked. Any other error ends the login; if a response is
	// returned with it, that response is sent and its answer read first.
	Result() (response []byte, done bool, err error)
	// Close ends the login and clears its secrets. It is idempotent.
	Close()
}
