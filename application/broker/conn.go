package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Conn is a connection for many goroutines. A lost one is made again when the
// next request asks for it, under backoff; requests wait meanwhile, each until
// its own timeout.
//
// A Conn adds three things to the core: a lock, a line for callers that the core
// does not admit yet (line.go), and one alarm. Ports are called under the lock,
// except for what may park; hooks never are. See conn_await.go for how a caller
// waits, conn_drive.go for who drains, and conn_park.go for who reads and writes.
//
// Conns come from Dial and NewConn; the zero value is of no use.
type Conn struct {
	cfg   Config
	alarm ports.Alarm

	mu       sync.Mutex
	core     *domain.Connection
	line     line
	futures  futures
	dialling bool      // Dial waits
	dialBy   time.Time // until when; zero: as long as it takes
	dialled  chan error
	wanted   bool    // Send was refused for want of a connection
	closing  bool    // Drain was called
	failures []error // of the attempts while Dial waits
	over     bool    // closed for good, and everybody was told
	gone     chan struct{}

	// conn_drive.go
	draining bool
	alarmAt  time.Time // when the alarm is set to; zero: it is not
	wakeUp   func()    // wake, made once

	// conn_park.go
	realTime       bool // the Clock is the system's: the alarm finds a parked caller
	patrolAt       time.Time
	reader, writer parked
	halted         domain.Lease // of the link that is interrupted; without Link: none is
	helpers        int          // goroutines of the Conn's own
}

// NewConn returns a Conn that connects when it is first asked for something. The
// error lists every setting that cannot be used.
func NewConn(cfg Config) (*Conn, error) {
	cfg, err := cfg.withDefaults(defaultIdleTimeout)
	if err != nil {
		return nil, err
	}
	_, realTime := cfg.Clock.(system.Clock)
	c := &Conn{cfg: cfg, core: cfg.connection(true), gone: make(chan struct{}), realTime: realTime}
	c.wakeUp = c.wake
	c.alarm = cfg.Clock.NewAlarm(c.ring)
	return c, nil
}

// Request sends a request and waits for its answer. It is safe to call from many
// goroutines. While the connection is not ready, or its in-flight limit reached,
// callers wait in line, first come, first served.
//
// When ctx ends, Request returns an error that matches ctx.Err(), its cause, and
// ErrCanceled; the connection goes on, and the answer is dropped when it comes. A
// caller at work in the link notices within 20 ms. A request that expects no
// answer (Produce with acks 0) gives nil and nil once it is written.
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
	if req == nil {
		panic("broker: the request is nil")
	}
	f := c.enter(req, requestTimeout(ctx))
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
	mustHave(req)
	f := c.enter(req, requestTimeout(ctx))
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
func (c *Conn) Send(req ports.Message) *Future { return c.send(req, 0) }

// SendWithin is Send with a timeout of the request's own, in place of
// Config.RequestTimeout. With one of 0 or less it is refused: ErrRequestTimeout.
func (c *Conn) SendWithin(req ports.Message, timeout time.Duration) *Future {
	return c.send(req, own(timeout))
}

func (c *Conn) send(req ports.Message, timeout time.Duration) *Future {
	mustHave(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.futures.take(c, req)
	now := c.cfg.Clock.Now()
	if c.core.Check(now) {
		c.drain()
	}
	var err error
	switch {
	case timeout < 0:
		err = over(c.core)
	case c.closing:
		err = c.core.Failure(ErrDraining, nil)
	case c.line.len() > 0:
		// Others came first, and wait for something.
		err = c.core.Failure(cmp.Or(c.core.CanSend(), ErrTooManyInFlight), nil)
	default:
		err = c.admit(f, now, timeout)
	}
	if err != nil {
		c.refuse(f, err)
		c.wanted = c.wanted || errors.Is(err, ErrNotConnected)
		c.drain()
		return f
	}
	c.drain()
	c.startWriter()
	c.startReader()
	return f
}

func mustHave(req ports.Message) {
	if req == nil {
		panic("broker: the request is nil")
	}
}

// admit hands a request to the core. With the lock held.
func (c *Conn) admit(f *Future, now time.Time, timeout time.Duration) error {
	if f.req == nil { // Connect: to be admitted was all it wanted
		f.complete()
		return nil
	}
	core, err := c.core.Send(now, f.req, timeout)
	if err != nil {
		return err
	}
	if !f.joined.IsZero() {
		core.Queued = f.joined
	}
	f.core, f.epoch = core, c.core.Epoch()
	core.Tag = f
	return nil
}

func (c *Conn) decode(f *Future) (ports.Message, error) {
	resp, err := decodeWith(c.cfg.Codec, f.core)
	if err != nil && f.core.Err() == nil {
		// Whoever sends what cannot be read is not to be trusted with the next
		// frame either; but by now there may be another connection.
		c.mu.Lock()
		defer c.mu.Unlock()
		m := c.core
		err = m.Unreadable(f.core, err)
		f.err = err // for the hooks of the close
		if f.epoch == m.Epoch() {
			m.Close(c.cfg.Clock.Now(), forTheOthers(err), c.cfg.NoReconnect)
			c.drain()
		}
	}
	return resp, err
}

func (c *Conn) release(f *Future) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.mayRelease()
	if !f.done.Load() {
		c.line.leave(f)
		if f.core != nil {
			c.core.Abandon(f.core)
		} else if c.closing {
			c.drain() // it may have been the last
		}
		return
	}
	if f.core != nil {
		c.core.Recycle(f.core)
	}
	c.futures.give(f)
}

// Close closes the connection for good: requests in flight and in line fail with
// ErrClosed. It may be called twice, from several goroutines, and from a hook; it
// returns without waiting for hooks that are running. The error is always nil.
func (c *Conn) Close() error {
	c.Abort(nil)
	return nil
}

// Abort is Close with a cause: requests fail with an ErrConnection that wraps it.
func (c *Conn) Abort(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.core.Close(c.cfg.Clock.Now(), cause, true)
	c.drain()
}

// Done is closed once the connection is closed for good, every request was told,
// and no goroutine of the Conn is left.
func (c *Conn) Done() <-chan struct{} { return c.gone }
