package sasl_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// A login against a model, in any order of calls. The work that Next starts is queued,
// and runs when the generator chooses it.
func TestLoginAgainstModel(t *testing.T) {
	failed := errors.New("failed")
	rapid.Check(t, func(t *rapid.T) {
		var (
			work    []func() // at most one, unless a step runs twice
			outcome struct {
				done bool
				err  error
			}
			steps, woken int
		)
		ex := sasl.Begin(func(f func()) { work = append(work, f) },
			func(ctx context.Context, _ []byte) ([]byte, bool, error) {
				steps++
				if ctx.Err() != nil {
					t.Fatal("got a step of a closed login, want none")
				}
				if outcome.err != nil {
					return nil, false, outcome.err
				}
				return []byte{byte(steps)}, outcome.done, nil
			})

		// The model.
		var started, busy, watched, closed, done, over bool
		expectedSteps, expectedWoken := 0, 0

		for range rapid.IntRange(1, 30).Draw(t, "calls") {
			switch rapid.SampledFrom([]string{"Next", "work", "Watch", "Close"}).Draw(t, "call") {
			case "Next":
				if busy && !closed {
					continue // a panic: TestMisuse
				}
				queued := len(work)
				ex.Next([]byte{})
				switch {
				case closed || over:
					if len(work) != queued {
						t.Fatal("got a queued step of a login that is closed or over, want none")
					}
				case done:
					over = true
				default:
					started, busy = true, true
				}
			case "work":
				if len(work) == 0 {
					continue
				}
				outcome.done = rapid.Bool().Draw(t, "done")
				if outcome.err = nil; rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
					outcome.err = failed
				}
				f := work[0]
				work = work[1:]
				f()
				if busy && !closed {
					expectedSteps++
					done, over = outcome.done && outcome.err == nil, outcome.err != nil
					if watched {
						expectedWoken++
					}
				}
				busy, watched = false, false
			case "Watch":
				if !busy || closed {
					continue // f is called on a goroutine: TestWatch
				}
				ex.(ports.Watcher).Watch(func() { woken++ })
				watched = true
			case "Close":
				ex.Close()
				closed, watched = true, false
			}

			response, isDone, err := ex.Result()
			switch {
			case closed, over, !started:
				if err == nil || err == ports.ErrWouldBlock || response != nil || isDone {
					t.Fatalf("got %v, %v, %v, want an error: the login is not started, closed or over", response,
						isDone, err)
				}
			case busy:
				if err != ports.ErrWouldBlock {
					t.Fatalf("got %v during a step, want ErrWouldBlock", err)
				}
			default:
				if err != nil || isDone != done || len(response) != 1 || int(response[0]) != steps {
					t.Fatalf("got %v, %v, %v after step %d", response, isDone, err, steps)
				}
			}
			if steps != expectedSteps || woken != expectedWoken || len(work) > 1 {
				t.Fatalf("got %d steps and %d calls, want %d and %d; %d queued", steps, woken, expectedSteps,
					expectedWoken, len(work))
			}
		}
		ex.Close()
	})
}
