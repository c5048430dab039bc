package broker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestSendWaitEndsWithTheAdmission: it waits in the queue, and not for the response.
func TestSendWaitEndsWithTheAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialOne(t, answersAfter(10*time.Second))
		began := time.Now()
		if _, err := conn.Send(t.Context(), ask()); err != nil {
			t.Fatal(err)
		}
		f, err := conn.SendWait(t.Context(), ask())
		noError(t, err)
		equal(t, "time until it was admitted", time.Since(began), 10*time.Second)
		_, err = f.Wait(t.Context())
		noError(t, err)
		equal(t, "time until it was answered", time.Since(began), 20*time.Second)
	})
}

// TestSendWaitEndsWithItsContext: the request is not sent then.
func TestSendWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := &canceledVersions{}
		cfg := piped(answersAfter(10 * time.Second))
		cfg.MaxInFlight, cfg.Metrics = 1, canceled
		conn := dial(t, cfg)
		if _, err := conn.Send(t.Context(), ask()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		f, err := conn.SendWait(ctx, ask())
		var e *broker.Error
		assert(t, f == nil && errors.Is(err, broker.ErrCanceled) && errors.Is(err, context.DeadlineExceeded) &&
			errors.As(err, &e) && e.API == "Heartbeat" && e.Sent == broker.SentNothing,
			"got %v, %v, want ErrCanceled of a Heartbeat that was not sent", f, err)
		time.Sleep(time.Minute)
		equal(t, "requests that were sent", conn.Stats().Requests, 1)
		if want := []int16{-1}; !slices.Equal(canceled.versions, want) {
			t.Errorf("got RequestCanceled with the versions %v, want %v: it was not admitted", canceled.versions, want)
		}
	})
}

// TestSendWithAnEndedContextIsCanceled: it is counted as canceled, and was not admitted.
func TestSendWithAnEndedContextIsCanceled(t *testing.T) {
	canceled := &canceledVersions{}
	cfg := piped(answersAfter(0))
	cfg.Metrics = canceled
	conn := dial(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := conn.Send(ctx, ask())
	wantError(t, err, broker.ErrCanceled)
	if want := []int16{-1}; !slices.Equal(canceled.versions, want) {
		t.Errorf("got RequestCanceled with the versions %v, want %v", canceled.versions, want)
	}
}

// canceledVersions has the version of each RequestCanceled.
type canceledVersions struct {
	ports.NopMetrics
	versions []int16
}

func (c *canceledVersions) RequestCanceled(_ time.Time, _, version int16) {
	c.versions = append(c.versions, version)
}
