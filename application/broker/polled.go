package broker

import (
	"context"
	"net"
	"strconv"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Polled is a connection for a program with an event loop of its own, with the methods of
// kafka-python's BrokerConnection. It is used by one goroutine at a time. It starts no
// goroutine, nor does a transport that can work without.
//
// Every method first does what can be done without blocking, and calls the hooks for it. Only
// CheckVersion, SendPending and a blocking Send wait, through Config.Selector. A loop is
//
//	p.Connect()                   // while it is Disconnected
//	f := p.Send(req, false)       // while it is Connected
//	for _, r := range p.Recv() {  // responses, in order
//	}
//	select {
//	case <-f.Done():              // also if f failed: f.Response has the error, and Recv omits it
//	default:
//	}
//	p.Watch(wake)                 // before each wait
//	// wait until p.NextDeadline(), or until wake is called
//
// An attempt to connect has failed if the state is Disconnected and BlackedOut returns true.
//
// Polleds come from NewPolled; the zero value is not usable.
type Polled struct {
	cfg  Config
	core *domain.Connection

	pumping  bool
	deadline time.Time // of the last Idle
	answered []*Future // answered requests that Recv has not returned yet
	results  []Result
	shared   // with its Futures
}

// Result is one response.
type Result struct {
	// Response is the response; nil for a request that expects none, and for a response that
	// cannot be decoded: Future.Response has the error.
	Response ports.Message
	// Future is the one that Send returned.
	Future *Future
}

// NewPolled returns a Polled in state Disconnected. The error lists every setting that is
// not valid.
func NewPolled(cfg Config) (*Polled, error) {
	cfg, err := cfg.withDefaults(0, polledVersionTimeout)
	if err != nil {
		return nil, err
	}
	if cfg.Selector == nil {
		cfg.Selector = clockSelector{cfg.Clock}
	}
	p := &Polled{cfg: cfg, core: cfg.connection(false)}
	p.owner = p
	return p, nil
}

// pump handles the core's outputs until it is idle. A call of it from a hook has no effect:
// the call that runs the hook goes on.
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
			p.completed(out.Future)
		case domain.Idle:
			p.deadline = out.Deadline
			return
		}
	}
}

// Connect starts an attempt to connect if it is Disconnected and the backoff is over, and goes on
// with one in progress, which tries all addresses of the host. It returns the state.
func (p *Polled) Connect() State { return p.connect(domain.ConnectOptions{}) }

func (p *Polled) connect(o domain.ConnectOptions) State {
	p.core.Connect(p.cfg.Clock.Now(), o)
	p.pump()
	return p.State()
}

// Close closes the connection, if there is one. Requests in flight fail with an ErrConnection
// that wraps err, or with ErrClosed if err is nil. Connect may be called again; only a Close
// with an error is followed by the backoff.
func (p *Polled) Close(err error) {
	p.core.Close(p.cfg.Clock.Now(), err, false)
	p.pump()
}

// Send sends a request and returns its Future. The Future of a request that is refused
// has failed when Send returns. With blocking, Send waits until the request is written.
func (p *Polled) Send(req ports.Message, blocking bool, options ...SendOption) *Future {
	mustNotBeNil(req)
	p.pump()
	var timeout time.Duration
	for _, o := range options {
		timeout = o.timeout
	}
	f := newFuture(&p.shared, req)
	f.key = req.Key()
	var core *domain.Future
	var err error
	if timeout < 0 {
		err = deadlinePassed(p.cfg.Clock.Now(), p.core, req)
	} else {
		core, err = p.core.Send(p.cfg.Clock.Now(), req, timeout)
	}
	if err != nil {
		p.core.NoteRefused(p.cfg.Clock.Now(), req)
		f.err = err
		p.complete(f)
		return f
	}
	f.core, f.epoch, core.Tag = core, p.core.Epoch(), f
	p.pump()
	if blocking {
		p.SendPending()
	}
	return f
}

// SendPendingV2 writes what the link accepts now. It reports whether the state is Connected
// and no byte is left to write.
func (p *Polled) SendPendingV2() bool {
	p.pump()
	return p.Connected() && p.core.PendingBytes() == 0
}

// Recv returns the responses that have arrived, in the order of their requests. A Future is
// done just before it is returned, or before a later request fails. Futures of requests that
// fail are done when they fail, and are not returned. The slice is valid until the next call.
func (p *Polled) Recv() []Result {
	p.pump()
	clear(p.results)
	p.results = p.results[:0]
	p.completeAnswered()
	for _, f := range p.answered {
		if !f.canceled {
			resp, _ := f.Response() // the Future has the error
			p.results = append(p.results, Result{Response: resp, Future: f})
		}
	}
	clear(p.answered)
	p.answered = p.answered[:0]
	return p.results
}

// completed is a request whose outcome is known. One that was answered is done by Recv.
func (p *Polled) completed(core *domain.Future) {
	f, err, info := core.Tag.(*Future), core.Err(), core.Info()
	if f.core == core {
		f.settle()
	}
	core.Tag = nil
	p.core.Recycle(core)
	if err == nil {
		p.answered = append(p.answered, f)
		return
	}
	p.completeAnswered() // they came first
	p.complete(f)
	p.cfg.Hooks.failed(info, err)
}

// completeAnswered decodes before it completes: a goroutine that waits for a Future must not
// find an unreadable response, which closes the connection, before the owner does.
func (p *Polled) completeAnswered() {
	var unreadable *Future
	for _, f := range p.answered {
		if f.isDone() {
			continue
		}
		if _, bad, _ := f.result(); bad {
			unreadable = f
		}
		p.complete(f)
	}
	if unreadable != nil {
		p.drop(unreadable, unreadable.err)
	}
}

func (p *Polled) complete(f *Future) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !f.isDone() {
		f.complete()
	}
}

// The part of a Polled in its Futures.

func (p *Polled) codec() ports.Codec { return p.cfg.Codec }

// await registers a goroutine that waits for the owner's.
func (p *Polled) await(_ context.Context, f *Future) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f.register()
}

func (p *Polled) listened() {}

func (p *Polled) cancel(f *Future) {
	if f.isDone() {
		return
	}
	now := p.cfg.Clock.Now()
	p.core.NoteCanceled(now, f.message, f.admittedVersion())
	var err *Error
	if f.core != nil {
		err = p.core.FailureOf(now, f.core, ErrCanceled, nil)
		p.core.Abandon(f.core)
		f.core = nil
	} else { // answered, and not returned by Recv yet
		err = p.core.Failure(now, f.message, ErrCanceled, nil)
		err.Version, err.Sent = f.version, SentFully
	}
	f.canceled, f.err = true, err
	f.dropBody()
	p.complete(f)
}

// waitEnded runs on any goroutine, so it does not ask the core.
func (p *Polled) waitEnded(ctx context.Context, f *Future) error {
	return &Error{
		Kind: ErrCanceled, Cause: contextCause(ctx),
		Broker: net.JoinHostPort(p.cfg.Host, strconv.Itoa(int(p.cfg.Port))),
		API:    domain.APIName(p.cfg.Codec, f.key), Version: -1, Sent: SentUnknown,
	}
}

func (p *Polled) unreadable(f *Future, cause error) error {
	return unreadable(p.cfg.Clock.Now(), p.core, f, cause)
}

func (p *Polled) drop(f *Future, err error) {
	if f.epoch == p.core.Epoch() {
		p.Close(asPeerFailure(err))
	}
}
