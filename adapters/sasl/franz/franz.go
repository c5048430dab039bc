// Package franz makes an authenticator of a mechanism that was written for franz-go
// (github.com/twmb/franz-go/pkg/sasl), as it is: one of its own, such as AWS_MSK_IAM,
// or one of the many that others have written.
//
//	mechanism := aws.ManagedStreamingIAM(credentials)
//	broker.Config{Authenticators: []ports.Authenticator{franz.New(mechanism, franz.Options{})}, Transport: secure}
//
// Where there is a package of this library for a mechanism, that one checks more.
package franz

import (
	"context"
	"errors"
	"net"
	"strings"

	franz "github.com/twmb/franz-go/pkg/sasl"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options are optional.
type Options struct {
	// Runner runs the mechanism, which may fetch tokens or ask a KDC. nil: each step
	// of a login on a goroutine of its own.
	Runner sasl.Runner
}

// Authenticator logs in with a mechanism of franz-go's. It serves many connections
// at once, as mechanisms do.
type Authenticator struct {
	mechanism func() franz.Mechanism // which fmt does not find here, nor a password in it
	run       sasl.Runner
}

var (
	_ ports.Authenticator = (*Authenticator)(nil)
	_ ports.Exposer       = (*Authenticator)(nil)
)

// New returns an Authenticator. A mechanism with a Close stays its owner's to close.
func New(m franz.Mechanism, o Options) *Authenticator {
	if m == nil {
		panic("franz: there is no mechanism")
	}
	return &Authenticator{func() franz.Mechanism { return m }, o.Runner}
}

// Mechanism is the mechanism's name.
func (a *Authenticator) Mechanism() string { return a.mechanism().Name() }

// Exposes is false for SCRAM and GSSAPI. Of others it is not known, so it is true.
func (a *Authenticator) Exposes() bool {
	name := a.Mechanism()
	return name != "GSSAPI" && !strings.HasPrefix(name, "SCRAM-")
}

// Begin starts a login. It does not refuse an endpoint that is not Secure; the
// mechanism is not told about that.
func (a *Authenticator) Begin(e ports.Endpoint) ports.Exchange {
	l := &login{mechanism: a.mechanism(), host: hostport(e)}
	return sasl.Begin(a.run, l.step)
}

// hostport is what franz-go hands a mechanism: the broker's name as configured, with
// its port. Where the network has no ports it is 0; mechanisms want the name.
func hostport(e ports.Endpoint) string {
	_, port, err := net.SplitHostPort(e.Address)
	if err != nil {
		port = "0"
	}
	return net.JoinHostPort(e.Host, port)
}

// login is one login at work.
type login struct {
	mechanism franz.Mechanism
	host      string
	session   franz.Session
}

// step is franz-go's own loop (kgo, brokerCxn.doSasl), turned inside out: the
// mechanism has the first word, and an empty response is sent as long as it is not
// done. One that comes with done is sent as well, and not answered to.
func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	if challenge == nil {
		l.session, response, err = l.mechanism.Authenticate(ctx, l.host)
		if err == nil && (l.session == nil || len(response) == 0) {
			err = errors.New("franz: the mechanism has nothing to begin with")
		}
		if err != nil {
			return nil, false, err // and nothing is sent
		}
		return response, false, nil
	}
	done, response, err = l.session.Challenge(challenge)
	switch {
	case err != nil:
		return nil, false, err
	case len(response) > 0:
		return response, done, nil
	case done:
		return nil, true, nil
	}
	return []byte{}, false, nil
}
