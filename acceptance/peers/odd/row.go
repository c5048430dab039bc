package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

const (
	requests    = 1000
	acksZero    = 10 // a produce request without a response before each tenth
	topic       = "odd"
	inFlight    = 100
	answerLimit = 30 * time.Second
)

// peer is a server that runs.
type peer struct {
	name    string // with its release
	address string
	lineage broker.Lineage // 0: it is not Apache Kafka

	transport ports.Transport     // nil: TCP
	login     ports.Authenticator // nil: it has no logins
	sessions  bool                // sessions end, and are reauthenticated while the row runs
	ask       func() ports.Message
	remark    string

	before func(context.Context) error // checks what is its own; nil: nothing
	drop   func() error                // ends its connections; it accepts others at the same address
	stop   func()
}

func (p *peer) config() (cfg broker.Config, err error) {
	cfg.MaxInFlight, cfg.Transport = inFlight, p.transport
	if p.login != nil {
		cfg.Authenticators = []ports.Authenticator{p.login}
	}
	cfg.Host, cfg.Port, err = broker.ParseAddress(p.address)
	return cfg, err
}

// row is what a peer did.
type row struct {
	asked    int16 // the version of ApiVersions that was answered
	verdict  broker.Verdict
	answered int
	dropped  int64 // responses to requests that expect none
	login    string
}

// measure makes the row of a peer. What is its own takes as long as the row may, since it may
// start again meanwhile.
func measure(ctx context.Context, p *peer) (r row, err error) {
	if p.before != nil {
		if err := p.before(ctx); err != nil {
			return r, err
		}
	}
	cfg, err := p.config()
	if err != nil {
		return r, err
	}
	r.login = "none"
	if p.login != nil {
		r.login = p.login.Mechanism()
	}
	c, err := broker.NewConn(cfg)
	if err != nil {
		return r, err
	}
	defer c.Close()
	if err := r.fill(ctx, c, p); err != nil {
		return r, err
	}
	if err := p.drop(); err != nil {
		return r, fmt.Errorf("drop: %w", err)
	}
	return r, servedAgain(ctx, c, p)
}

// fill asks over one connection.
func (r *row) fill(ctx context.Context, c *broker.Conn, p *peer) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	versions, err := c.APIVersions(ctx)
	if err != nil {
		return fmt.Errorf("APIVersions: %w", err)
	}
	r.asked = versions.RequestVersion()
	if r.verdict, err = c.CheckVersion(ctx, broker.Check{}); err != nil {
		return fmt.Errorf("CheckVersion: %w", err)
	}
	if r.verdict.Lineage != p.lineage {
		return fmt.Errorf("CheckVersion: got the lineage %v, want %v", r.verdict.Lineage, p.lineage)
	}
	if r.answered, err = pipeline(ctx, c, p.ask); err != nil {
		return fmt.Errorf("%d of %d answered: %w", r.answered, requests, err)
	}
	if p.sessions {
		r.login += ", reauthenticated"
		if err := reauthenticated(ctx, c, p); err != nil {
			return err
		}
	}
	r.dropped = c.Stats().Dropped
	if n := c.Stats().Ready; n != 1 {
		return fmt.Errorf("got %d connections for the requests, want 1", n)
	}
	return nil
}

// pipeline sends all requests before it waits for the first, as far as inFlight permits.
func pipeline(ctx context.Context, c *broker.Conn, ask func() ports.Message) (answered int, err error) {
	var sent, produced []*broker.Future
	for i := range requests {
		if i%acksZero == 0 {
			f, err := c.SendWait(ctx, produce())
			if err != nil {
				return 0, fmt.Errorf("a produce request: %w", err)
			}
			produced = append(produced, f)
		}
		f, err := c.SendWait(ctx, ask())
		if err != nil {
			return 0, err
		}
		sent = append(sent, f)
	}
	for _, f := range sent {
		if _, err := f.Wait(ctx); err != nil {
			return answered, err
		}
		answered++
	}
	for _, f := range produced {
		if _, err := f.Wait(ctx); err != nil {
			return answered, fmt.Errorf("a produce request: %w", err)
		}
	}
	return answered, nil
}

// produce returns a request for no partition that expects no response.
func produce() ports.Message {
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewPtrProduceRequest()
	p.Acks = 0
	p.Topics = append(p.Topics, t)
	return p
}

// reauthenticated asks until the session was authenticated again.
func reauthenticated(ctx context.Context, c *broker.Conn, p *peer) error {
	for c.Stats().Relogins == 0 {
		f, err := c.SendWait(ctx, p.ask())
		if err == nil {
			_, err = f.Wait(ctx)
		}
		if err != nil {
			return fmt.Errorf("reauthentication: %w", err)
		}
	}
	return nil
}

// servedAgain asks until a connection after the first one answers. Until the loss is
// noticed, requests may fail.
func servedAgain(ctx context.Context, c *broker.Conn, p *peer) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	for {
		f, err := c.SendWait(ctx, p.ask())
		if err == nil {
			_, err = f.Wait(ctx)
		}
		s := c.Stats()
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("reconnect: %w; the last loss: %v", ctx.Err(), s.LastError)
		case err != nil || s.Reconnects == 0:
			continue
		case p.login != nil && s.Logins != s.Ready:
			return fmt.Errorf("reconnect: got %d logins on %d connections", s.Logins, s.Ready)
		}
		return nil
	}
}
