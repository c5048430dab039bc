package broker

import (
	"context"
	"net"
	"strconv"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Polled is a connection for the owner of a loop: the methods of kafka-python's
// BrokerConnection. One goroutine at a time calls it. It starts none of its own,
// and over a transport that needs none there is none at all.
//
// Every method first carries out what is to be done, without blocking, and calls
// the hooks for it; only CheckVersion, SendPending and a blocking Send wait,
// through Config.Selector. A loop is
//
//	p.Connect()                   // as long as it is Disconnected
//	p.Send(req, false)            // as long as it is Connected
//	for _, r := range p.Recv() {  // answers, in order
//	}
//	// wait until p.NextDeadline(), or what p.Watch tells
type Polled struct {
	cfg  Config
	core *domain.Connection

	pumping  bool
	deadline time.Time // of the last Idle
	answered []*Future // by the broker, not handed out yet
	results  []Result
	futures  futures
}

// Result is one answer.
type Result struct {
	// Response is the answer; nil for a request that expects none, and if it
	// could not be decoded: Future tells.
	Response ports.Message
	Future   *Future
}

// NewPolled returns a Polled in state Disconnected. The error lists every setting
// that cannot be used.
func NewPolled(cfg Config) (*Polled, error) {
	cfg, err := cfg.withDefaults(0)
	if err != nil {
		return nil, err
	}
	if cfg.Selector == nil {
		cfg.Selector = clockSelector{cfg.Clock}
	}
	return &Polled{cfg: cfg, core: cfg.connection(false)}, nil
}

// pump does what is to be done now. A hook that calls the connection comes here
// while it is being done, and leaves it to who does it.
func (p *Polled) pump() {
	if p.pumping {
		return
	}
	p.pumping = true
	defer func() { p.pumping = false }()
	for {
		out := p.core.Step(p.cfg.Clock.Now(), false)
		switch out.Kind {
		case domain.Changed:
			p.cfg.Hooks.changed(out)
		case domain.Noted:
			p.cfg.Hooks.noted(p.cfg.Host, p.cfg.Port, out.Event)
		case domain.Completed:
			f := out.Future.Tag.(*Future)
			if err := out.Future.Err(); err != nil {
				p.completeAnswered() // they came first
				f.complete()
				p.cfg.Hooks.failed(out.Future.Info(), err)
				continue
			}
			f.kept = true
			p.answered = append(p.answered, f)
		case domain.Idle:
			p.deadline = out.Deadline
			return
		}
	}
}

// Connect begins a connection if there is none and the backoff is over, and goes
// on with one that has begun. It returns where that led.
func (p *Polled) Connect() State { return p.connect(domain.ConnectOptions{}) }

func (p *Polled) connect(o domain.ConnectOptions) State {
	p.core.Connect(p.cfg.Clock.Now(), o)
	p.pump()
	return p.State()
}

// Close closes the connection, if there is one: what is in flight fails with an
// ErrConnection that wraps err, or with ErrClosed if err is nil. Connect may be
// called again; only a Close with an error is followed by the backoff.
func (p *Polled) Close(err error) {
	p.core.Close(p.cfg.Clock.Now(), err, false)
	p.pump()
}

// Send sends a request. If it is refused, its Future has failed already. With
// blocking, Send waits until it is written.
func (p *Polled) Send(req ports.Message, blocking bool) *Future { return p.send(req, blocking, 0) }

// SendWithin is Send with a timeout of the request's own, in place of
// Config.RequestTimeout. With one of 0 or less it is refused: ErrRequestTimeout.
func (p *Polled) SendWithin(req ports.Message, blocking bool, timeout time.Duration) *Future {
	return p.send(req, blocking, own(timeout))
}

func (p *Polled) send(req ports.Message, blocking bool, timeout time.Duration) *Future {
	mustHave(req)
	p.pump()
	f := p.futures.take(p, req)
	var core *domain.Future
	err := error(nil)
	if timeout < 0 {
		err = over(p.core)
	} else {
		core, err = p.core.Send(p.cfg.Clock.Now(), req, timeout)
	}
	if err != nil {
		f.err = err
		f.complete()
		return f
	}
	f.core, f.epoch = core, p.core.Epoch()
	core.Tag = f
	p.pump()
	if blocking {
		p.SendPending()
	}
	return f
}

// SendPendingV2 writes what the link takes now. It returns true if the connection
// stands and nothing is left, neither of a request half written nor of one behind
// it.
func (p *Polled) SendPendingV2() bool {
	p.pump()
	return p.Connected() && p.core.PendingBytes() == 0
}

// Recv returns the answers that have come, in the order of their requests. Each
// Future is done just before it is returned, or before that of a later request
// which failed; Futures of requests that failed are done when they fail, and are
// not returned. The slice is valid until the next call.
func (p *Polled) Recv() []Result {
	p.pump()
	clear(p.results)
	p.results = p.results[:0]
	p.completeAnswered()
	for _, f := range p.answered {
		if f.kept = false; f.freed {
			p.recycle(f)
			continue
		}
		resp, _ := f.Response() // the Future tells
		p.results = append(p.results, Result{Response: resp, Future: f})
	}
	clear(p.answered)
	p.answered = p.answered[:0]
	return p.results
}

func (p *Polled) completeAnswered() {
	for _, f := range p.answered {
		if !f.done.Load() {
			f.complete()
		}
	}
}

func (p *Polled) decode(f *Future) (ports.Message, error) {
	resp, err := decodeWith(p.cfg.Codec, f.core)
	if err != nil && f.core.Err() == nil {
		err = p.core.Unreadable(f.core, err)
		f.err = err // for the hooks of the close
		if f.epoch == p.core.Epoch() {
			p.Close(forTheOthers(err))
		}
	}
	return resp, err
}

func (p *Polled) release(f *Future) {
	f.mayRelease()
	if f.kept {
		return // to Recv
	}
	if !f.done.Load() {
		p.core.Abandon(f.core)
		return
	}
	p.recycle(f)
}

func (p *Polled) recycle(f *Future) {
	if f.core != nil {
		p.core.Recycle(f.core)
	}
	p.futures.give(f)
}

// giveUp describes a wait that ended. It runs on another goroutine than the
// owner's, so it asks the core for nothing.
func (p *Polled) giveUp(ctx context.Context, _ *Future) error {
	address := net.JoinHostPort(p.cfg.Host, strconv.Itoa(int(p.cfg.Port)))
	return &Error{Kind: ErrCanceled, Broker: address, Sent: SentFully, Cause: endOf(ctx)}
}
