package sasl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const canary = "canary-4711"

var runners = map[string]sasl.Runner{
	"a goroutine for each step": nil,
	"inline":                    saslpeer.Inline,
	"a goroutine of the user's": func(work func()) { go work() },
}

// eachRunner runs f in a bubble, where settle waits for the running steps.
func eachRunner(t *testing.T, f func(t *testing.T, run sasl.Runner, settle func())) {
	for name, run := range runners {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, run, synctest.Wait) })
		})
	}
}

func want(t *testing.T, ex ports.Exchange, response string, done bool) {
	t.Helper()
	if r, d, err := ex.Result(); string(r) != response || d != done || err != nil {
		t.Errorf("got %q, %v, %v, want %q, %v", r, d, err, response, done)
	}
}

func wantError(t *testing.T, ex ports.Exchange, text string) error {
	t.Helper()
	r, done, err := ex.Result()
	if r != nil || done || err == nil || !strings.Contains(err.Error(), text) || errors.Is(err, ports.ErrWouldBlock) {
		t.Errorf("got %q, %v, %v, want an error with %q", r, done, err, text)
	}
	return err
}

// returning is a step with these results.
func returning(response []byte, done bool, err error) sasl.Step {
	return func(context.Context, []byte) ([]byte, bool, error) { return response, done, err }
}

func panicking(value any) sasl.Step {
	return func(context.Context, []byte) ([]byte, bool, error) { panic(value) }
}

func TestStepsRunInOrder(t *testing.T) {
	eachRunner(t, func(t *testing.T, run sasl.Runner, settle func()) {
		var challenges [][]byte
		ex := sasl.Begin(run, func(_ context.Context, challenge []byte) ([]byte, bool, error) {
			challenges = append(challenges, challenge) // it may keep it
			return fmt.Appendf(nil, "%d", len(challenges)), len(challenges) == 3, nil
		})
		defer ex.Close()
		wantError(t, ex, "before Next")
		challenge := []byte("what?")
		for i, c := range [][]byte{nil, {}, challenge} {
			ex.Next(c)
			for j := range c {
				c[j] = 'x' // it is valid only during the call
			}
			settle()
			for range 2 {
				want(t, ex, fmt.Sprint(i+1), i == 2)
			}
		}
		if c := challenges; c[0] != nil || c[1] == nil || len(c[1]) != 0 || string(c[2]) != "what?" {
			t.Errorf("got the challenges %q, want nil, an empty one and what?", c)
		}
	})
}

// The result of the last step is the result of the login, and no step follows it.
func TestResultIsFinal(t *testing.T) {
	refused, reserved := errors.New("refused"), fmt.Errorf("the vault: %w", ports.ErrWouldBlock)
	for name, c := range map[string]struct {
		step sasl.Step
		text string // of the error; "": done
		is   error
	}{
		"done":                  {returning([]byte("r"), true, nil), "", nil},
		"an error":              {returning(nil, false, refused), "refused", refused},
		"a panic":               {panicking(canary), "panic of a string in the mechanism", nil},
		"a panic with an error": {panicking(errors.New(canary)), "panic of a *errors.errorString", nil},
		"ErrWouldBlock":         {returning(nil, false, reserved), "ErrWouldBlock", nil},
		"an error that panics":  {returning(nil, false, badError{}), "panic of a string in the mechanism", nil},
	} {
		t.Run(name, func(t *testing.T) {
			eachRunner(t, func(t *testing.T, run sasl.Runner, settle func()) {
				steps := 0
				ex := sasl.Begin(run, func(ctx context.Context, challenge []byte) ([]byte, bool, error) {
					steps++
					return c.step(ctx, challenge)
				})
				defer ex.Close()
				ex.Next(nil)
				settle()
				if c.text == "" {
					want(t, ex, "r", true)
					ex.Next([]byte{})
					saslpeer.ErrorIs(t, "after the end", wantError(t, ex, "after the end"), sasl.ErrUnexpected)
				}
				err := wantError(t, ex, c.text)
				if c.is != nil {
					saslpeer.ErrorIs(t, "the login", err, c.is)
				}
				porttest.NoSecrets(t, "the error", err, canary)
				ex.Next([]byte("more"))
				settle()
				saslpeer.Equal(t, "the error, again", wantError(t, ex, c.text), err)
				saslpeer.Equal(t, "steps", steps, 1)
			})
		})
	}
}

// A mechanism may send a last response and fail (OAUTHBEARER).
func TestResponseWithError(t *testing.T) {
	eachRunner(t, func(t *testing.T, run sasl.Runner, settle func()) {
		refused := errors.New("refused")
		ex := sasl.Begin(run, returning([]byte{1}, false, refused))
		defer ex.Close()
		ex.Next(nil)
		settle()
		if response, done, err := ex.Result(); string(response) != "\x01" || done || err != refused {
			t.Errorf("got %q, %v, %v", response, done, err)
		}
	})
}

type badError struct{}

func (badError) Error() string   { return "bad" }
func (badError) Is(error) bool   { panic(canary) }
func (badError) Unwrap() []error { return nil }

// A step may exit its goroutine, as t.FailNow does in a user's test.
func TestStepExitsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := sasl.Begin(nil, func(context.Context, []byte) ([]byte, bool, error) {
			runtime.Goexit()
			return nil, true, nil
		})
		defer ex.Close()
		ex.Next(nil)
		synctest.Wait()
		wantError(t, ex, "exited its goroutine")
	})
}

// Close cancels the context of a step. It does not wait for a step that cannot be
// interrupted, such as a derivation, which outlives the login.
func TestCloseDuringStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := make(chan struct{})
		var canceled, woken, called bool
		ex := sasl.Begin(nil, func(ctx context.Context, _ []byte) ([]byte, bool, error) {
			<-ctx.Done() // a token endpoint that does not answer
			canceled = true
			<-busy
			return []byte(canary), true, nil
		})
		ex.Next(nil)
		synctest.Wait()
		_, _, err := ex.Result()
		saslpeer.Equal(t, "during the step", err, ports.ErrWouldBlock)
		ex.(ports.Watcher).Watch(func() { woken = true })
		ex.Close()
		ex.Close()
		wantError(t, ex, "closed")
		ex.Next([]byte{})
		ex.(ports.Watcher).Watch(func() { called = true })
		synctest.Wait()
		saslpeer.Equal(t, "the context is canceled", canceled, true)
		saslpeer.Equal(t, "a call of a watcher set after Close", called, true)
		close(busy)
		synctest.Wait()
		wantError(t, ex, "closed")
		saslpeer.Equal(t, "a call of a watcher set before Close", woken, false)
	})
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan string)
		ex := sasl.Begin(nil, func(context.Context, []byte) ([]byte, bool, error) {
			return []byte(<-answer), false, nil
		})
		w := ex.(ports.Watcher)
		calls := map[string]int{}
		watch := func(name string) {
			w.Watch(func() {
				calls[name]++
				_, _, _ = ex.Result() // under no lock
				w.Watch(func() {})
			})
		}
		expect := func(name string, n int) {
			t.Helper()
			synctest.Wait()
			saslpeer.Equal(t, name+": calls", calls[name], n)
		}
		watch("before the start")
		expect("before the start", 1)

		ex.Next(nil)
		watch("replaced")
		watch("in a step")
		expect("in a step", 0)
		answer <- "a"
		expect("in a step", 1)
		expect("replaced", 0)
		want(t, ex, "a", false)

		ex.Next([]byte{})
		answer <- "b"
		synctest.Wait()
		watch("after a step")
		expect("after a step", 1)
		expect("in a step", 1)

		ex.Next([]byte{})
		watch("closed")
		expect("closed", 0) // the step has begun
		ex.Close()
		answer <- "c"
		expect("closed", 0)
		watch("after Close")
		expect("after Close", 1)
	})
}

func TestManyLoginsAtOnce(t *testing.T) {
	step := func(_ context.Context, challenge []byte) ([]byte, bool, error) {
		return append([]byte("re:"), challenge...), string(challenge) == "last", nil
	}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			ex := sasl.Begin(nil, step)
			defer ex.Close()
			for _, challenge := range []string{"a", "b", "last"} {
				response, done, err := saslpeer.Step(ex, []byte(challenge))
				if string(response) != "re:"+challenge || done != (challenge == "last") || err != nil {
					t.Errorf("got %q, %v, %v", response, done, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestMisuse(t *testing.T) {
	saslpeer.Panics(t, "sasl: Begin without a step", func() { sasl.Begin(nil, nil) })
	saslpeer.Panics(t, "sasl: Refuse without an error", func() { sasl.Refuse(nil) })
	ex := sasl.Begin(func(func()) {}, returning(nil, true, nil))
	ex.Next(nil)
	saslpeer.Panics(t, "sasl: Next called while a step is running", func() { ex.Next([]byte{}) })
}

func TestRefuse(t *testing.T) {
	ex := sasl.Refuse(errors.New("not on an open link"))
	ex.Next(nil)
	wantError(t, ex, "not on an open link")
	ex.Close()
	ex.Close()
	wantError(t, ex, "not on an open link")
}

func TestExchangeDoesNotPrintResponse(t *testing.T) {
	ex := sasl.Begin(saslpeer.Inline, returning([]byte(canary), false, nil))
	ex.Next(nil)
	want(t, ex, canary, false)
	porttest.NoSecrets(t, "an exchange", ex, canary)
	ex.Close()
}

// TestCloseClearsTheResponse: of a login that is over, and of a step that ends later.
func TestCloseClearsTheResponse(t *testing.T) {
	for name, late := range map[string]bool{"before": false, "behind": true} {
		synctest.Test(t, func(t *testing.T) {
			response, release := []byte("canary-token"), make(chan struct{})
			x := sasl.Begin(nil, func(context.Context, []byte) ([]byte, bool, error) {
				<-release
				return response, true, nil
			})
			x.Next(nil)
			if !late {
				close(release)
			}
			synctest.Wait()
			x.Close()
			if late {
				close(release)
			}
			synctest.Wait()
			if !bytes.Equal(response, make([]byte, len(response))) {
				t.Errorf("%s the end of the step: got %q, want it cleared", name, response)
			}
		})
	}
}
