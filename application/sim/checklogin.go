package sim

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/adapters/tls"
	"brokerconn/domain"
	"brokerconn/ports"
)

// What a login may show to whom, and what may follow it.

// loginCheck is the part of the checker that concerns logins.
type loginCheck struct {
	lowered   bool        // the login under way shows a secret that a mechanism before it would keep
	tlsPort   bool        // the newest link led to a port that answers with an alert
	loggingIn *model.Conn // the connection of the last token
	shaken    *model.Conn // the connection of the last SaslHandshake since the faults are over
	refused   *model.Conn // the connection whose refusal of a token waits for the client's word
	unproven  *model.Conn // the connection whose broker has proved nothing, or has said what no client accepts

	handshakeAt time.Time   // when the last SaslHandshake was sent
	loginOn     *model.Conn // the connection of the last one that was received,
	loginSent   time.Time   // when that was sent,
	loginAt     time.Time   // and received,
	sentThen    int         // and how many requests had been admitted
	tokenAt     time.Time   // when the last token was received
	wanted      time.Time   // when the owner last asked for a login,
	others      time.Time   // and replaced the authenticators
	reauthOn    *model.Conn // on which a session was last renewed,
	reauthAt    time.Time   // and when that began
	session     *model.Conn // on which the last request was received,
	ends        time.Time   // and the end of the session in which it was
}

// begun is the beginning of a login, with the list that is in force.
func (c *checker) begun(mechanism string, ep ports.Endpoint) {
	list := c.r.account.mechanisms
	i := slices.Index(list, mechanism)
	c.lowered = exposes(mechanism) && !ep.Verified && i > 0 &&
		slices.ContainsFunc(list[:i], func(name string) bool { return !exposes(name) })
}

// handshake is a SaslHandshake at the broker.
func (c *checker) handshake(req *model.Request) {
	if len(req.Body) < 2 || len(req.Body)-2 < int(binary.BigEndian.Uint16(req.Body)) {
		return
	}
	if c.r.healed { // an answer on the link of a connection before may be lost
		c.shaken = req.Conn
	}
	name := string(req.Body[2 : 2+binary.BigEndian.Uint16(req.Body)])
	if req.Conn.Authenticated() {
		if since := req.At.Sub(c.reauthAt); req.Conn == c.reauthOn && since < time.Second {
			c.fail("renewed", "a session is renewed %v after its last renewal began", since)
		}
		c.reauthOn, c.reauthAt = req.Conn, req.At
		c.session = nil // another one, which ends when the last one did if it has the same token
		c.between(req)
	}
	c.loginOn, c.loginSent, c.loginAt, c.sentThen = req.Conn, c.handshakeAt, req.At, c.sums.sent
	if ep := req.Conn.Peer().Endpoint(); exposes(name) && !ep.Verified && c.r.plan.Setup.RequireTLS {
		c.fail("verified", "a peer that is not verified received a SaslHandshake of %s", name)
	}
}

// between checks that a request was admitted between two logins of a connection, if one waited for the first
// of them, and if the owner did not ask for the second: a request for one has no effect within a login, and
// other authenticators are used behind it.
func (c *checker) between(req *model.Request) {
	r := c.r
	if req.Conn != c.loginOn || c.sums.sent > c.sentThen || len(r.queue) == 0 || r.plan.Setup.Polled ||
		!r.queue[0].until.Add(-queueTime).Before(c.tokenAt) || c.wanted.After(c.tokenAt) ||
		c.others.After(c.loginSent.Add(-replacedLately)) || c.timing.until.After(c.loginAt) ||
		r.kinds[verbIndex("gap")] {
		return
	}
	c.fail("renewed", "two logins, and request %d, which waited for the first, was not admitted between them",
		r.queue[0].number)
}

// replacedLately is longer than a login may have begun before its SaslHandshake is sent whole: what is replaced
// meanwhile is used behind that login.
const replacedLately = time.Second

// token is a token at the broker.
func (c *checker) token(conn *model.Conn, mechanism string, token []byte) {
	c.tokenAt = c.r.w.Now()
	if c.refused != nil && c.refused != conn && c.r.healed {
		c.fail("confirmed", "a refused token was left without a word")
	}
	c.refused = nil
	if c.loggingIn = conn; c.unproven == conn && string(token) != "\x01" {
		c.fail("verified", "a peer that proved nothing received a token of %s", mechanism)
	}
	shows := c.r.secrets.clear(token)
	if shows && !exposes(mechanism) {
		c.fail("secret", "a token of %s shows one", mechanism)
	}
	if _, proof, ok := strings.Cut(string(token), ",p="); ok {
		c.r.secrets.add(proof)
	}
	if !shows || conn.Peer().Endpoint().Verified {
		return
	}
	switch {
	case c.r.plan.Setup.RequireTLS:
		c.fail("verified", "a peer that is not verified received the secret of %s", mechanism)
	case c.lowered:
		c.fail("verified", "a peer that is not verified received the secret of %s, and a mechanism that keeps it "+
			"is configured before it", mechanism)
	}
}

// refusal is the JSON of a broker that refuses a token. Its client says so with a byte, or sends
// another token; otherwise both would wait, or the broker would never say error 58.
// A client that has left meanwhile says nothing.
func (c *checker) refusal(conn *model.Conn) {
	if conn == c.shaken && (c.state == domain.Authenticating || c.state == domain.Connected) {
		c.refused = conn
	}
}

// afterLogin checks a request of the owner at the broker.
func (c *checker) afterLogin(req *model.Request) {
	if !c.r.plan.Setup.Login {
		return
	}
	if !req.Conn.Authenticated() {
		c.fail("after the login", "the broker received request %d v%d", req.Key, req.Version)
	}
	if req.Conn == c.unproven {
		c.fail("verified", "a peer that proved nothing received request %d v%d", req.Key, req.Version)
	}
}

// inSession checks that a request was admitted within its session, the first one of which is the one
// that a login may have been made for. It cannot be, if the broker named none, as in an old login, or
// another lifetime.
func (c *checker) inSession(conn *model.Conn, q *request) {
	ends := conn.SessionEnds()
	first := c.session != conn || c.ends != ends
	c.session, c.ends = conn, ends
	if first || ends.IsZero() || c.r.plan.Setup.Raw || c.r.kinds[verbIndex("lifetime")] {
		return
	}
	if !q.at.Before(ends) {
		c.fail("in session", "request %d was admitted %v after the end of the session", q.number, q.at.Sub(ends))
	}
}

// named checks how an error of the link is reported: a handshake of TLS that failed, and an alert in
// place of an answer, as such.
func (c *checker) named(err error) {
	if !c.tlsPort && !c.r.plan.Setup.TLS {
		return
	}
	if c.tlsPort && errors.Is(err, domain.ErrProtocol) && !errors.Is(err, domain.ErrTLSExpected) {
		c.fail("named", "an alert of TLS is reported as %v", err)
	}
	cause, ok := errors.AsType[*tls.Error](err)
	if !ok {
		return
	}
	if !errors.Is(err, domain.ErrTLS) {
		c.fail("named", "a failed handshake is reported as %v", err)
	}
	final := cause.Reason == tls.CertificateRequired || cause.Reason == tls.CertificateRefused
	if domain.Retriable(err) == final {
		c.fail("named", "retriable is %v: %v", !final, err)
	}
}

// prospect is whether a connection logs in without a fault.
type prospect uint8

const (
	never   prospect = iota
	perhaps          // if it knows what the broker has, from a connection before
	certainly
)

// prospect returns what the account in use is worth. The first mechanism of its list that the broker
// has and that does not show a secret which those before it keep is used. If the settings forbid the
// very first one, the broker is not asked which it has.
func (r *run) prospect() prospect {
	s, list := r.plan.Setup, r.account.mechanisms
	verified := s.TLS && !s.Unverified
	if !s.Login && s.Peer != saslListener {
		return certainly
	}
	if r.account.password == wrongPassword || s.open() || !s.Login {
		return never
	}
	forbidden := func(name string) bool { return exposes(name) && !verified && s.RequireTLS }
	kept := false // by a mechanism before
	for _, name := range list {
		lowers := exposes(name) && !verified && kept
		switch kept = kept || !exposes(name); {
		case s.hangsUp() && !lowers && !slices.Contains(r.offered(), name):
			return never
		case lowers || !slices.Contains(r.offered(), name):
		case forbidden(name):
			return never
		case forbidden(list[0]):
			return perhaps
		default:
			return certainly
		}
	}
	return never
}

// offered are the mechanisms of the broker.
func (r *run) offered() []string {
	return listOf(cmp.Or(r.plan.Setup.Offers, cmp.Or(r.plan.Setup.Mechanism, "PLAIN")))
}

// refused lets a connection fail that cannot log in, and then gives it an account with which it can,
// if there is one. It returns whether it can now.
func (r *run) refused(end time.Time) (able bool) {
	s := r.plan.Setup
	before := r.serial
	var next time.Time // when another request is sent: one a millisecond, so that time passes
	for begun := false; r.Failure == nil; {
		if r.check.last > before && r.prospect() == perhaps { // it does log in, and another time after a swap
			return true
		}
		if r.w.Now().After(end) {
			r.check.fail("ends well", "no login failed in time, and none can succeed; state %v, last error: %v",
				r.conn.state(), r.conn.stats().LastError)
		}
		if begun && r.conn.state() == domain.Disconnected && s.failsLogins(r.conn.stats().LastError) &&
			!r.dozing(r.w.Now()) { // otherwise a failed request may not have been received
			break
		}
		begun = begun || r.conn.state() == domain.Connecting
		if now := r.w.Now(); len(r.queue) == 0 && !now.Before(next) {
			next = now.Add(time.Millisecond)
			r.send(10, false)
			r.awake = true
			r.w.At(now, func() {})
			r.w.At(next, func() {})
		}
		if !r.step() && r.Failure == nil {
			r.check.fail("ends well", "nothing is to happen; state %v", r.conn.state())
		}
	}
	to := accountOf(Setup{Mechanism: strings.Join(r.offered(), ",")})
	if s.RequireTLS && (s.Unverified || !s.TLS) {
		to.mechanisms = slices.DeleteFunc(to.mechanisms, exposes)
	}
	if len(to.mechanisms) == 0 || s.open() || !s.Login || r.Failure != nil {
		return false
	}
	r.setAccount(to)
	r.awake = true
	r.w.At(r.w.Now(), func() {})
	return true
}

// failsLogins reports whether an error is that of a login that cannot succeed.
func (s Setup) failsLogins(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	if !s.Login { // the client has none: the broker hangs up on the first request
		return ok && e.Phase == domain.Connected && errors.Is(err, domain.ErrConnection) && e.Hint != ""
	}
	return errors.Is(err, domain.ErrAuthentication) ||
		(s.open() || s.hangsUp() || s.Peer == "kfake") && ok && e.Phase == domain.Authenticating
}

// saslListener is the one of servers.Peers that wants a login, whether the client has one or not.
const saslListener = "sasl-listener"

// hangsUp reports whether the broker closes the connection on a mechanism that it lacks, without a word, as
// kfake does on a token that it refuses. A client cannot tell that from a broker that is lost, and tries
// the same again.
func (s Setup) hangsUp() bool { return s.Peer == "tansu" }
