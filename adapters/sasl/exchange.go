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

// Begin makes a login of a step.
func Begin(run Runner, step Step) ports.Exchange {
	if run == nil {
		run = func(work func()) { go work() }
	}
	e := &exchange{run: run, step: step, err: errNotStarted}
	e.ctx, e.giveUp = context.WithCancel(context.Background())
	return e
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

var (
	errNotStarted = errors.New("sasl: Result was asked before Next")
	errClosed     = errors.New("sasl: the login was given up")
)

// exchange is a login, whose steps run elsewhere.
type exchange struct {
	run    Runner
	step   Step
	ctx    context.Context
	giveUp context.CancelFunc

	mu       sync.Mutex
	busy     bool // a step is under way
	response []byte
	done     bool
	err      error
	watch    func()
}

var (
	_ ports.Exchange = (*exchange)(nil)
	_ ports.Watcher  = (*exchange)(nil)
)

func (e *exchange) Next(challenge []byte) {
	if challenge != nil {
		challenge = append([]byte{}, challenge...)
	}
	e.mu.Lock()
	switch {
	case e.ctx.Err() != nil:
		e.mu.Unlock()
		return
	case e.busy:
		e.mu.Unlock()
		panic("sasl: Next was called while a step is under way")
	case e.done || e.err != nil && e.err != errNotStarted:
		// The broker said more than the mechanism wants to hear.
		if e.err == nil {
			e.response, e.done, e.err = nil, false, errors.New("the broker goes on after the end of the login")
		}
		e.mu.Unlock()
		return
	}
	e.busy, e.response, e.err = true, nil, nil
	e.mu.Unlock()
	e.run(func() { e.finish(e.try(challenge)) })
}

// try contains a panic: on a goroutine of its own it would end the process. What it
// says may hold the secret that was worked on.
func (e *exchange) try(challenge []byte) (response []byte, done bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			response, done, err = nil, false, fmt.Errorf("panic of a %T in the mechanism", p)
		}
	}()
	if e.ctx.Err() != nil {
		return nil, false, errClosed
	}
	return e.step(e.ctx, challenge)
}

func (e *exchange) finish(response []byte, done bool, err error) {
	e.mu.Lock()
	e.busy = false
	if e.ctx.Err() != nil {
		response, done, err = nil, false, errClosed
	}
	e.response, e.done, e.err = response, done, err
	f := e.watch
	e.watch = nil
	e.mu.Unlock()
	if f != nil {
		f()
	}
}

func (e *exchange) Result() (response []byte, done bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ctx.Err() != nil:
		return nil, false, errClosed
	case e.busy:
		return nil, false, ports.ErrWouldBlock
	}
	return e.response, e.done, e.err
}

func (e *exchange) Watch(f func()) {
	e.mu.Lock()
	busy := e.busy && e.ctx.Err() == nil
	if busy {
		e.watch = f
	}
	e.mu.Unlock()
	if !busy {
		go f()
	}
}

func (e *exchange) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.giveUp()
	e.response, e.watch = nil, nil
}
