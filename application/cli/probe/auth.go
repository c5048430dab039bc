package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// auth lists the mechanisms of a broker, logs in, and reauthenticates. A broker names its
// mechanisms only when it rejects one, so they are requested over a connection of their
// own, with a mechanism that does not exist.

func (a *app) auth() *cobra.Command {
	return a.command(&cobra.Command{
		Use: "auth HOST:PORT", Short: "Try the login, and list the SASL mechanisms of a broker",
		Long: `auth lists the SASL mechanisms that the broker offers, logs in with the mechanism that
the properties configure (sasl_mechanism and so on), reports how long the broker lets
the session last, and reauthenticates once on the same connection (KIP-368). If the
properties configure no login, only the mechanisms are listed. A broker that does not
support reauthentication (before 2.2, or without connections.max.reauth.ms) is reported
as such; that is not a failure.

As JSON: mechanisms (null: the broker did not name them), login and renewal (null: not
tried), each with ok, took_ms and error, and session_ms (0: no limit).`,
		Example: `  kafkaprobe auth localhost:9092
  kafkaprobe auth localhost:9093 -F client.properties --json | jq .session_ms`,
	}, a.withTimeout(func(ctx context.Context, args []string) error {
		cfg, err := a.config(args[0])
		if err != nil {
			return err
		}
		doc := authDocument{Broker: args[0], configured: len(cfg.Authenticators) > 0}
		p := &authProbe{app: a, cfg: cfg, doc: doc}
		err = p.run(ctx)
		p.doc.Error = describe(err)
		return errors.Join(a.emit(p.doc, p.doc.text()), err)
	}))
}

// authProbe is one run of auth.
type authProbe struct {
	app *app
	cfg broker.Config
	doc authDocument

	began time.Time // when the login in progress began
}

func (p *authProbe) run(ctx context.Context) error {
	err := p.listMechanisms(ctx)
	if !p.doc.configured || p.doc.Mechanisms == nil && !reachedLogin(err) {
		return err
	}
	p.cfg.Hooks.AuthStart = func(broker.Endpoint, broker.LoginInfo) { p.began = time.Now() }
	p.cfg.Hooks.AuthDone = p.authDone
	p.app.progress.waitFor("logging in")
	conn, err := p.app.dialWith(ctx, p.cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	return p.reauthenticate(ctx, conn)
}

// listMechanisms returns nil if the broker named its mechanisms.
func (p *authProbe) listMechanisms(ctx context.Context) error {
	offered, err := mechanismsOf(ctx, p.cfg)
	if err != nil {
		return p.app.identify(ctx, refused(err))
	}
	p.doc.Mechanisms = offered
	return nil
}

// mechanismsOf returns the mechanisms that the broker names when it rejects an unknown one.
func mechanismsOf(ctx context.Context, cfg broker.Config) ([]string, error) {
	cfg.Authenticators = []ports.Authenticator{unknownMechanism{}}
	conn, err := broker.Dial(ctx, cfg)
	if err == nil {
		conn.Close()
		return nil, errors.New("the broker accepted a login with a mechanism that does not exist")
	}
	if rejected, ok := errors.AsType[*broker.MechanismError](err); ok && len(rejected.Offered) > 0 {
		return rejected.Offered, nil
	}
	return nil, err
}

// wantsLogin returns err, or a better error if the broker closed the connection on a request
// because there was no login: then it names the mechanisms that it offers.
func (a *app) wantsLogin(ctx context.Context, cfg broker.Config, err error) error {
	e, ok := errors.AsType[*broker.Error](err)
	if !ok || len(cfg.Authenticators) > 0 || e.Kind != broker.ErrConnection || e.Phase != broker.Connected ||
		e.API != "" && e.Sent != broker.SentFully || e.ResponseBytes > 0 {
		return err
	}
	a.progress.waitFor("asking " + e.Address + " for its mechanisms")
	offered, failed := mechanismsOf(ctx, cfg)
	if failed != nil {
		return err
	}
	return identified(e, broker.ErrAuthentication,
		fmt.Errorf("the port wants a login, by %s", strings.Join(offered, " or ")),
		"set security_protocol to SASL_PLAINTEXT, or SASL_SSL, and sasl_mechanism to one of these")
}

// reachedLogin reports whether the connection failed in the login. If it failed earlier,
// another login fails in the same way.
func reachedLogin(err error) bool {
	e, ok := errors.AsType[*broker.Error](err)
	return ok && e.Phase == broker.Authenticating
}

// reauthenticate logs in once more on conn. A new connection instead of conn does not
// count.
func (p *authProbe) reauthenticate(ctx context.Context, conn *broker.Conn) error {
	if p.doc.Login == nil {
		return errors.New("the connection is ready without a login")
	}
	p.app.progress.waitFor("reauthenticating")
	err := conn.Reauthenticate(ctx)
	switch r := p.doc.Renewal; {
	case r == nil && err == nil:
		p.doc.Renewal = &attempt{Error: "not possible with this release"}
		return nil
	case r == nil, r.OK:
		return err
	case r.illegalState:
		return nil
	}
	return p.doc.Renewal.err
}

// authDone is the hook.
func (p *authProbe) authDone(_ broker.Endpoint, l broker.LoginInfo, err error) {
	now := &attempt{Mechanism: l.Mechanism, OK: err == nil, TookMillis: millis(time.Since(p.began)), err: err}
	if err != nil {
		now.Error = err.Error()
		answer, ok := errors.AsType[*broker.BrokerError](err)
		now.illegalState = ok && answer.Code == 34
	}
	switch {
	case l.Again:
		p.doc.Renewal = now
	case p.doc.Login == nil:
		p.doc.Login, p.doc.SessionMillis = now, l.Lifetime.Milliseconds()
	}
}

// unknownMechanism is an Authenticator whose mechanism no broker has.
type unknownMechanism struct{}

func (unknownMechanism) Mechanism() string { return "KAFKAPROBE-LIST" }
func (unknownMechanism) Exposes() bool     { return false }

func (unknownMechanism) Begin(ports.Endpoint) ports.Exchange { return unknownMechanism{} }

func (unknownMechanism) Next([]byte) {}

func (m unknownMechanism) Result() ([]byte, bool, error) {
	return nil, false, fmt.Errorf("the broker accepted the mechanism %s, which does not exist", m.Mechanism())
}

func (unknownMechanism) Close() {}

// authDocument is the answer of auth.
type authDocument struct {
	Broker        string     `json:"broker"`
	Mechanisms    []string   `json:"mechanisms"` // null: the broker did not name them
	Login         *attempt   `json:"login"`      // null: not tried, or not reached
	SessionMillis int64      `json:"session_ms"` // 0: no limit
	Renewal       *attempt   `json:"renewal"`    // null: not tried
	Error         *errorInfo `json:"error"`      // null: no failure

	configured bool // the properties configure a login
}

// attempt is one login.
type attempt struct {
	Mechanism  string  `json:"mechanism"`
	OK         bool    `json:"ok"`
	TookMillis float64 `json:"took_ms"`
	Error      string  `json:"error,omitempty"`

	err          error
	illegalState bool // error 34: the broker does not support reauthentication
}

func (d authDocument) text() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s %s\n", what, oneLine(fmt.Sprintf(format, args...)))
	}
	if d.Mechanisms != nil {
		line("mechanisms", "%s", strings.Join(d.Mechanisms, " "))
	}
	switch l := d.Login; {
	case !d.configured:
		line("login", "not tried: none is configured")
	case l == nil:
	case !l.OK:
		line("login", "%s failed, after %v ms", l.Mechanism, l.TookMillis)
	default:
		line("login", "%s, in %v ms", l.Mechanism, l.TookMillis)
		if d.SessionMillis == 0 {
			line("session", "no limit")
		} else {
			line("session", "%v; reauthentication is due after 85 to 95 %% of it",
				time.Duration(d.SessionMillis)*time.Millisecond)
		}
	}
	switch r := d.Renewal; {
	case r == nil:
	case r.OK:
		line("renewal", "on the same connection, in %v ms", r.TookMillis)
	case r.illegalState:
		line("renewal", "not supported by the broker (connections.max.reauth.ms is not set)")
	case r.err == nil:
		line("renewal", "%s", r.Error)
	default:
		line("renewal", "failed, after %v ms", r.TookMillis)
	}
	return b.String()
}
