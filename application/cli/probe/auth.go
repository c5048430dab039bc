package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// auth asks a broker for its mechanisms, logs in, and logs in again. A broker tells its
// mechanisms only when it refuses one, so it is asked for one that there is not, over a
// connection of its own.

func (a *app) auth() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "auth HOST:PORT",
		Short: "Try the login, and list the SASL mechanisms of a broker",
		Long: `auth lists the SASL mechanisms that the broker offers, logs in with the one that the
properties configure (sasl_mechanism and so on), tells how long the broker lets the
session last, and renews it once on the same connection (KIP-368). Where no login is
configured the list is all. A broker that renews no session (before 2.2, or without
connections.max.reauth.ms) says so, which is no failure.

As JSON: mechanisms (null: the broker did not tell), login and renewal (null: not
tried), each with ok, took_ms and error, and session_ms (0: for ever).`,
		Example: `  kafkaprobe auth localhost:9092
  kafkaprobe auth localhost:9093 -F client.properties --json | jq .session_ms`,
	}, func(ctx context.Context, args []string) error {
		ctx, cancel := a.limited(ctx)
		defer cancel()
		cfg, err := a.config(args[0])
		if err != nil {
			return err
		}
		p := &authProbe{app: a, cfg: cfg, doc: authDocument{Broker: args[0], Logs: len(cfg.Authenticators) > 0}}
		err = p.run(ctx)
		p.doc.Error = describe(err)
		return errors.Join(a.emit(p.doc, p.doc.text()), err)
	})
}

// authProbe is one run.
type authProbe struct {
	app *app
	cfg broker.Config
	doc authDocument

	began time.Time // of the login under way
}

func (p *authProbe) run(ctx context.Context) error {
	refusal := p.askMechanisms(ctx)
	if !p.doc.Logs || p.doc.Mechanisms == nil && unreached(refusal) {
		return refusal
	}
	p.cfg.Hooks.AuthStart = func(broker.Endpoint, broker.LoginInfo) { p.began = time.Now() }
	p.cfg.Hooks.AuthDone = p.loggedIn
	p.app.progress.waitFor("logging in")
	conn, err := broker.Dial(ctx, p.cfg)
	if err != nil {
		return p.app.identify(ctx, refused(err))
	}
	defer conn.Close()
	return p.renew(ctx, conn)
}

// askMechanisms is nil if the broker told them.
func (p *authProbe) askMechanisms(ctx context.Context) error {
	cfg := p.cfg
	cfg.Authenticators = []ports.Authenticator{nobody{}}
	conn, err := broker.Dial(ctx, cfg)
	if err == nil {
		conn.Close()
		return checkf(nil, "the broker took a login with a mechanism that does not exist")
	}
	var told *broker.MechanismError
	if errors.As(err, &told) && len(told.Offered) > 0 {
		p.doc.Mechanisms = told.Offered
		return nil
	}
	return p.app.identify(ctx, refused(err))
}

// unreached reports whether the broker was not spoken to, so that a login would meet
// the same.
func unreached(err error) bool {
	var e *broker.Error
	return !errors.As(err, &e) || e.Phase != broker.Authenticating
}

// renew logs in again. A new connection in its place is not what was asked for.
func (p *authProbe) renew(ctx context.Context, conn *broker.Conn) error {
	if p.doc.Login == nil {
		return checkf(nil, "the login was not seen")
	}
	p.app.progress.waitFor("renewing the session")
	err := conn.Reauthenticate(ctx)
	switch r := p.doc.Renewal; {
	case r == nil && err == nil:
		p.doc.Renewal = &attempt{Error: "not possible with this release"}
		return nil
	case r == nil, r.OK:
		return err
	case r.illegalState:
		return nil // the broker renews no session, and has said so
	}
	return p.doc.Renewal.err
}

func (p *authProbe) loggedIn(_ broker.Endpoint, l broker.LoginInfo, err error) {
	now := &attempt{Mechanism: l.Mechanism, OK: err == nil, TookMillis: millis(time.Since(p.began)), err: err}
	if err != nil {
		now.Error = err.Error()
		var said *broker.BrokerError
		now.illegalState = errors.As(err, &said) && said.Code == 34
	}
	switch {
	case l.Again:
		p.doc.Renewal = now
	case p.doc.Login == nil:
		p.doc.Login = now
		p.doc.SessionMillis = l.Lifetime.Milliseconds()
	}
}

// nobody is a mechanism that no broker has.
type nobody struct{}

func (nobody) Mechanism() string { return "KAFKAPROBE-LIST" }

func (nobody) Begin(ports.Endpoint) ports.Exchange { return nobody{} }

func (nobody) Next([]byte) {}

func (nobody) Result() ([]byte, bool, error) {
	return nil, false, fmt.Errorf("nothing is said to a broker that takes %s", nobody{}.Mechanism())
}

func (nobody) Close() {}
