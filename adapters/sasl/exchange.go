package sasl

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"brokerconn/ports"
)

// A Runner runs work that may take its time: a token is fetched, a key derived, a
// KDC asked. A simulation gives one that runs it at once, so that a run can be
// repeated: func(work func()) { work() }. nil: each on a goroutine of its own.
type Runner func(work func())

// A Step makes the response to one challenge; nil is the start, before the broker
// said anything. It may block; its context ends when the login is given up, which
// nobody waits for. The challenge is its own to keep. What it returns is what
// [ports.Exchange]'s Result says. It is not called again once it was done or failed,
// nor while it runs.
type Step func(ctx context.Context, challenge []byte) (response []byte, done bool, err error)

// Begin makes a login of a step. It is a [ports.Watcher] too. Close never waits for a
// step, whose result is dropped then. A step that panics fails the login, with nothing
// of what the panic said.
func Begin(run Runner, step Step) ports.Exchange {
	if step == nil {
		panic("sasl: a login without a step")
	}
	if run == nil {
		run = func(work func()) { go work() }
	}
	l := &login{run: run, step: step, err: errNotStarted}
	l.ctx, l.giveUp = context.WithCancel(context.Background())
	return &exchange{func() *login { return l }}
}

// Refuse is a login that fails at once.
func Refuse(err error) ports.Exchange {
	if err == nil {
		panic("sasl: a login is refused without an error")
	}
	return refusal{err}
}

type refusal struct{ err error }

func (refusal) Next([]byte)                     {}
func (r refusal) Result() ([]byte, bool, error) { return nil, false, r.err }
func (refusal) Close()                          {}

// ErrUnexpected is matched by the error of a login whose broker said something
// where the mechanism has it say nothing.
var ErrUnexpected = errors.New("sasl: the broker said what the mechanism does not expect")

var (
	errNotStarted = errors.New("sasl: Result was asked before Next")
	errClosed     = errors.New("sasl: the login was given up")
	errAfterEnd   = fmt.Errorf("%w: it goes on after the end of the login", ErrUnexpected)
	errNoReturn   = errors.New("sasl: a step of the mechanism ended its goroutine")
	errWouldBlock = errors.New("sasl: a step of the mechanism said that it would block, which is not its to say")
)

// exchange is a login as its owner has it. The responses of a login are what it
// consists of, and fmt prints fields, those behind a pointer too: of a function it
// prints the address.
type exchange struct{ login func() *login }

var (
	_ ports.Exchange = (*exchange)(nil)
	_ ports.Watcher  = (*exchange)(nil)
)

func (e *exchange) Next(challenge []byte)         { e.login().next(challenge) }
func (e *exchange) Result() ([]byte, bool, error) { return e.login().result() }
func (e *exchange) Watch(f func())                { e.login().watch(f) }
func (e *exchange) Close()                        { e.login().close() }

// login runs its steps elsewhere.
type login struct {
	run    Runner
	ctx    context.Context
	giveUp context.CancelFunc

	mu       sync.Mutex
	step     Step // nil once it was given up
	busy     bool // a step is under way
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

// begin returns the step to take, if there is one.
func (l *login) begin() Step {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.step == nil:
		return nil
	case l.busy:
		panic("sasl: Next was called while a step is under way")
	case l.done:
		l.response, l.done, l.err = nil, false, errAfterEnd
		return nil
	case l.err != nil && l.err != errNotStarted:
		return nil
	}
	l.busy, l.response, l.err = true, nil, nil
	return l.step
}

// work takes a step. It contains a panic: on a goroutine of its own that would end
// the process. What it says may hold the secret that was worked on.
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
	if errors.Is(err, ports.ErrWouldBlock) {
		response, done, err = nil, false, errWouldBlock // the owner would ask for ever
	}
}

func (l *login) finish(response []byte, done bool, err error) {
	l.mu.Lock()
	l.busy = false
	if l.step != nil {
		l.response, l.done, l.err = response, done, err
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
	wait := l.busy && l.step != nil
	if wait {
		l.wake = f
	}
	l.mu.Unlock()
	if !wait {
		go f()
	}
}

func (l *login) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.giveUp()
	l.step, l.response, l.wake = nil, nil, nil
}
