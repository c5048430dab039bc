package broker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Conn is a connection for many goroutines. A lost one is made again when the
// next request asks for it, under backoff; requests wait meanwhile, each until
// its own time-out.
//
// A Conn adds three things to the core: a lock, a line for callers that the core
// does not admit yet (line.go), and one alarm. No call into the link is made
// under the lock, and no user's code: see conn_drive.go for who drains, and
// conn_park.go for who reads and writes.
type Conn struct {
	cfg   Config
	alarm ports.Alarm

	mu       sync.Mutex
	core     *domain.Connection
	line     line
	free     []*Future
	dialling bool // Dial waits
	dialled  chan error
	wanted   bool    // Send was refused for want of a connection
	failures []error // of the attempts while Dial waits
	over     bool    // closed for good, and everybody was told
	gone     chan struct{}

	// conn_drive.go
	draining bool
	alarmAt  time.Time // when the alarm is set to; zero: it is not
	wakeUp   func()    // wake, made once

	// conn_park.go
	realTime       bool // the alarm rings by itself, so a parked caller is found
	patrolAt       time.Time
	reader, writer parked
	halted         domain.Lease // of the link that is interrupted; without Link: none is
	helpers        int          // goroutines of the Conn's own
}

// NewConn returns a Conn that connects when it is first asked for something. The
// error lists every setting that cannot be used.
func NewConn(cfg Config) (*Conn, error) {
	realTime := cfg.Clock == nil
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Conn{cfg: cfg, core: cfg.connection(true), gone: make(chan struct{}), realTime: realTime}
	c.wakeUp = c.wake
	c.alarm = cfg.Clock.NewAlarm(c.ring)
	return c, nil
}

// Dial returns a Conn that is ready: connected, API versions negotiated, logged
// in. It tries each address of the host once. ctx bounds the dialling alone.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	c, err := NewConn(cfg)
	if err != nil {
		return nil, err
	}
	c.dialling, c.dialled = true, make(chan error, 1)
	c.wake()
	select {
	case err = <-c.dialled:
	case <-ctx.Done():
		c.mu.Lock()
		c.dialling = false
		err = c.giveUp(ctx, nil)
		c.mu.Unlock()
	}
	if err != nil {
		c.Abort(err)
		return nil, err
	}
	return c, nil
}

// Connect waits until requests are admitted, in line with them, and connects if
// need be, again and again until ctx or the request time-out ends.
func (c *Conn) Connect(ctx context.Context) error {
	f := c.enter(nil)
	defer f.Release()
	if err := c.await(ctx, f); err != nil {
		return err
	}
	return f.err
}

// tellDial ends the wait of Dial. With the lock held.
func (c *Conn) tellDial(err error) {
	c.dialling = false
	if n := len(c.failures) - 1; err != nil && n > 0 {
		earlier := c.failures[0].Error()
		for _, e := range c.failures[1:n] {
			earlier += "; " + e.Error()
		}
		err = fmt.Errorf("%w (before that: %s)", err, earlier)
	}
	c.failures = nil
	c.dialled <- err
}

// giveUp describes a wait that ended with ctx; f is the request waited for. With
// the lock held.
func (c *Conn) giveUp(ctx context.Context, f *Future) error {
	m := c.core.Machine
	e := m.Failure(ErrGivenUp, context.Cause(ctx))
	if f != nil && f.core != nil {
		e.Sent = m.Sent(f.core)
	}
	if last := m.LastError(); last != nil && (f == nil || f.core == nil) {
		e.Cause = fmt.Errorf("%w; the connection's last failure: %w", e.Cause, last)
	}
	return e
}

// Request sends a request and waits for its answer. It is safe to call from many
// goroutines. While the connection is not ready, or its in-flight limit reached,
// callers wait in line, first come, first served.
//
// When ctx ends, Request returns an error that matches it and ErrGivenUp; the
// connection goes on, and the answer is dropped when it comes. A request that
// expects no answer (Produce with acks 0) gives nil and nil once it is written.
//
// Conn is a kmsg.Requestor by this method: req.RequestWith(ctx, conn) is typed.
func (c *Conn) Request(ctx context.Context, req kafkacodec.Request) (kafkacodec.Response, error) {
	resp, err := c.Call(ctx, req)
	if err != nil || resp == nil {
		return nil, err
	}
	answer, ok := resp.(kafkacodec.Response)
	if !ok {
		panic(fmt.Sprintf("broker: Request needs a Codec that makes kmsg responses, not a %T; use Call", resp))
	}
	return answer, nil
}

// RequestRaw is Request for a body that is already encoded, and gives the body
// behind the response header. The memory is the caller's.
func (c *Conn) RequestRaw(ctx context.Context, req *ports.RawRequest) ([]byte, error) {
	f := c.enter(req)
	defer f.Release()
	if err := c.await(ctx, f); err != nil {
		return nil, err
	}
	if f.err != nil {
		return nil, f.err
	}
	return f.core.TakeBody(), f.core.Err()
}

// Call is Request for any message that the Codec speaks.
func (c *Conn) Call(ctx context.Context, req ports.Message) (ports.Message, error) {
	f := c.enter(req)
	defer f.Release()
	if err := c.await(ctx, f); err != nil {
		return nil, err
	}
	return f.Response()
}

// Send sends a request and returns at once: its Future is done when the answer is
// there, or at once with an error if the request was refused. It never waits in
// line; refused for want of a connection, it sees to it that one is tried for the
// next. Release the Future when it is no longer looked at.
func (c *Conn) Send(req ports.Message) *Future {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.newFuture(req)
	var err error
	if c.line.len() > 0 {
		err = c.core.Machine.Failure(ErrTooManyInFlight, nil) // others came first
	} else {
		err = c.admit(f, c.cfg.Clock.Now(), 0)
	}
	if err != nil {
		c.refuse(f, err)
		c.wanted = true
		c.drain()
		return f
	}
	c.drain()
	c.startWriter()
	c.startReader()
	return f
}

// newFuture takes one that was released, or makes one. With the lock held.
func (c *Conn) newFuture(req ports.Message) *Future {
	if n := len(c.free); n > 0 {
		f := c.free[n-1]
		c.free = c.free[:n-1]
		f.reuse(req)
		return f
	}
	return &Future{owner: c, token: make(chan struct{}, 1), req: req}
}

// admit hands a request to the core. With the lock held.
func (c *Conn) admit(f *Future, now time.Time, timeout time.Duration) error {
	if f.req == nil { // Connect: to be admitted was all it wanted
		f.complete()
		return nil
	}
	core, err := c.core.Machine.Send(now, f.req, timeout)
	if err != nil {
		return err
	}
	f.core = core
	core.Tag = f
	return nil
}

func (c *Conn) decode(f *domain.Future) (ports.Message, error) {
	resp, err := decodeWith(c.cfg.Codec, f)
	if err != nil && f.Err() == nil {
		// Whoever sends what cannot be read is not to be trusted with the next
		// frame either.
		c.mu.Lock()
		defer c.mu.Unlock()
		err = c.core.Machine.Unreadable(f, err)
		c.core.Machine.Close(c.cfg.Clock.Now(), forTheOthers(err), c.cfg.NoReconnect)
		c.drain()
	}
	return resp, err
}

// maxFree is how many released futures a Conn keeps.
const maxFree = 1024

func (c *Conn) release(f *Future) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.done.Load() {
		f.freed = true
		c.line.leave(f)
		if f.core != nil {
			c.core.Machine.Abandon(f.core)
		}
		return
	}
	if f.core != nil {
		c.core.Machine.Recycle(f.core)
		f.core = nil
	}
	if len(c.free) < maxFree {
		c.free = append(c.free, f)
	}
}

// Close closes the connection for good: requests in flight and in line fail with
// ErrClosed. It may be called twice, from several goroutines, and from a hook; it
// returns without waiting for hooks that are running. The error is always nil.
func (c *Conn) Close() error {
	c.Abort(nil)
	return nil
}

// Abort is Close with a cause: requests fail with it, as an ErrConnection.
func (c *Conn) Abort(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.core.Machine.Close(c.cfg.Clock.Now(), cause, true)
	c.drain()
}

// Done is closed once the connection is closed for good, every request was told,
// and no goroutine of the Conn is left.
func (c *Conn) Done() <-chan struct{} { return c.gone }
