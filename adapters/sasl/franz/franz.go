// Package franz makes an authenticator of a mechanism for franz-go
// (github.com/twmb/franz-go/pkg/sasl): one of franz-go's own, such as AWS_MSK_IAM, or a
// third party's.
//
//	mechanism := aws.ManagedStreamingIAM(credentials)
//	broker.Config{Authenticators: []ports.Authenticator{franz.New(mechanism, franz.Options{})}, Transport: secure}
//
// If this library has a package for the mechanism, prefer that one: it checks more.
package franz

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"strings"

	franz "github.com/twmb/franz-go/pkg/sasl"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options configure New.
type Options struct {
	// Runner runs the mechanism, which may fetch tokens or ask a KDC. If nil, each step
	// of a login runs on its own goroutine.
	Runner sasl.Runner
}

// Authenticator logs in with a mechanism for franz-go. It is safe for concurrent use by
// many connections if the mechanism is.
type Authenticator struct {
	mechanism func() franz.Mechanism // may hold a password; fmt prints no func's contents
	run       sasl.Runner
}

var _ ports.Authenticator = (*Authenticator)(nil)
var _ ports.Exposer = (*Authenticator)(nil)

// New returns an Authenticator. It panics if m is nil. The caller closes a mechanism
// that has a Close method.
func New(m franz.Mechanism, o Options) *Authenticator {
	if m == nil {
		panic("franz: New without a mechanism")
	}
	return &Authenticator{func() franz.Mechanism { return m }, o.Runner}
}

// Mechanism returns the mechanism's name.
func (a *Authenticator) Mechanism() string { return a.mechanism().Name() }

// Exposes returns false for SCRAM and GSSAPI, and true for any other mechanism.
func (a *Authenticator) Exposes() bool {
	name := a.Mechanism()
	return name != "GSSAPI" && !strings.HasPrefix(name, "SCRAM-")
}

// Begin starts a login. It accepts an endpoint that is not Secure; franz-go has no way
// to report that to the mechanism.
func (a *Authenticator) Begin(e ports.Endpoint) ports.Exchange {
	l := &login{mechanism: a.mechanism(), host: hostport(e)}
	return sasl.Begin(a.run, l.step)
}

// hostport returns the broker's host as configured, with its port, as franz-go passes
// it to a mechanism. The port is 0 if the network has no ports.
func hostport(e ports.Endpoint) string {
	_, port, _ := net.SplitHostPort(e.Address)
	return net.JoinHostPort(e.Host, cmp.Or(port, "0"))
}

// login is the state of one login.
type login struct {
	mechanism franz.Mechanism
	host      string
	session   franz.Session
}

// step is one turn of franz-go's loop (kgo, brokerCxn.doSasl): the mechanism sends the
// first message, and an empty response is sent until the mechanism is done. A response
// together with done is sent as well, and the broker does not answer it.
func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	if challenge == nil {
		l.session, response, err = l.mechanism.Authenticate(ctx, l.host)
		if err == nil && (l.session == nil || len(response) == 0) {
			err = errors.New("franz: the mechanism returned no first message")
		}
		if err != nil {
			return nil, false, err // nothing is sent
		}
		return bytes.Clone(response), false, nil // the mechanism may keep its own
	}
	done, response, err = l.session.Challenge(challenge)
	switch {
	case err != nil:
		return nil, false, err
	case len(response) > 0:
		return bytes.Clone(response), done, nil
	case done:
		return nil, true, nil
	}
	return []byte{}, false, nil
}
