package sasl

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"brokerconn/ports"
)

// A Runner runs work that may block: to fetch a token, derive a key or ask a KDC. A nil
// Runner runs each piece of work on its own goroutine. A simulation sets one that runs
// it at once, which makes a run repeatable: func(work func()) { work() }.
type Runner func(work func())

// A Step returns the response to one challenge, which is nil at the start of the login.
// It may block; its context ends when the login is closed, and Close does not wait for
// it. It may keep the challenge. Its results are those of [ports.Exchange]'s Result; it
// must not keep the response, which is cleared when the login is closed. It is not called
// again after it was done or failed, nor while it runs.
type Step func(ctx context.Context, challenge []byte) (response []byte, done bool, err error)

// Begin returns a login that consists of calls to step. It is a [ports.Watcher] too.
// Close does not wait for a running step and drops its result. If step panics, the
// login fails with an error that does not contain the panic's value. Begin panics if
// step is nil.
func Begin(run Runner, step Step) ports.Exchange {
	if step == nil {
		panic("sasl: Begin without a step")
	}
	if run == nil {
		run = func(work func()) { go work() }
	}
	l := &login{run: run, step: step, err: errNotStarted}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return &exchange{func() *login { return l }}
}

// WithHint adds to a login of Begin's what to check if the broker refuses it. hint is called
// after each response, and may return "".
func WithHint(login ports.Exchange, hint func() string) ports.Exchange {
	return hinted{login.(*exchange), hint}
}

// hinted hides, by the func, from fmt what the hint is of.
type hinted struct {
	*exchange
	hint func() string
}

var _ ports.Hinter = hinted{}

func (h hinted) Hint() string { return h.hint() }

// Refuse returns a login that fails with err. It panics if err is nil.
func Refuse(err error) ports.Exchange {
	if err == nil {
		panic("sasl: Refuse without an error")
	}
	return refusal{err}
}

type refusal struct{ err error }

func (refusal) Next([]byte)                     {}
func (r refusal) Result() ([]byte, bool, error) { return nil, false, r.err }
func (refusal) Close()                          {}

// ErrUnexpected is matched by the error of a login whose broker sent a message that the
// mechanism does not allow.
var ErrUnexpected = errors.New("sasl: unexpected message from the broker")

var (
	errNotStarted = errors.New("sasl: Result called before Next")
	errClosed     = errors.New("sasl: the login was closed")
	errAfterEnd   = fmt.Errorf("%w after the end of the login", ErrUnexpected)
	errNoReturn   = errors.New("sasl: a step of the mechanism exited its goroutine")
	errWouldBlock = errors.New("sasl: a step of the mechanism returned ErrWouldBlock, which is reserved")
)

// exchange hides a login from fmt, which prints the fields behind a pointer, among them
// the response. Of a func it prints the address.
type exchange struct{ login func() *login }

var _ ports.Watcher = (*exchange)(nil)

func (e *exchange) Next(challenge []byte)         { e.login().next(challenge) }
func (e *exchange) Result() ([]byte, bool, error) { return e.login().result() }
func (e *exchange) Watch(f func())                { e.login().watch(f) }
func (e *exchange) Close()                        { e.login().close() }

// login calls its steps on the Runner.
type login struct {
	run    Runner
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	step     Step // nil after Close
	busy     bool // a step is running
	response []byte
	done     bool
	err      error
	wake     func()
}

func (l *login) next(challenge []byte) {
	if challenge != nil {
		challenge = append([]byte{}, challenge...)
	}
	if step := l.begin(); step != nil {
		l.run(func() { l.work(step, challenge) })
	}
}

// begin returns the step to run, or nil.
func (l *login) begin() Step {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.step == nil:
		return nil
	case l.busy:
		panic("sasl: Next called while a step is running")
	case l.done:
		l.response, l.done, l.err = nil, false, errAfterEnd
		return nil
	case l.err != nil && l.err != errNotStarted:
		return nil
	}
	l.busy, l.response, l.err = true, nil, nil
	return l.step
}

// work runs a step. It recovers a panic, which would end the process, and drops its
// value, which may contain a secret.
func (l *login) work(step Step, challenge []byte) {
	response, done, err := []byte(nil), false, errNoReturn
	defer func() {
		if p := recover(); p != nil {
			response, done = nil, false
			err = fmt.Errorf("sasl: panic of a %T in the mechanism", p)
		}
		l.finish(response, done, err)
	}()
	if l.ctx.Err() == nil {
		response, done, err = step(l.ctx, challenge)
	}
	if ports.WouldBlock(err) {
		response, done, err = nil, false, errWouldBlock // the owner would ask without end
	}
}

func (l *login) finish(response []byte, done bool, err error) {
	l.mu.Lock()
	l.busy = false
	if l.step != nil {
		l.response, l.done, l.err = response, done, err
	} else {
		clear(response)
	}
	f := l.wake
	l.wake = nil
	l.mu.Unlock()
	if f != nil {
		f()
	}
}

func (l *login) result() (response []byte, done bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.step == nil:
		return nil, false, errClosed
	case l.busy:
		return nil, false, ports.ErrWouldBlock
	}
	return l.response, l.done, l.err
}

func (l *login) watch(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy && l.step != nil {
		l.wake = f
	} else {
		go f()
	}
}

func (l *login) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel()
	clear(l.response)
	l.step, l.response, l.wake = nil, nil, nil
}
