package probe

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// pipeline sends many requests from several goroutines over the one connection. Each
// names a different group, which the answer repeats, so that an answer to another request
// is detected.
func (d *demonstration) pipeline(ctx context.Context) (string, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var wg sync.WaitGroup
	var next atomic.Int64
	times := make([]time.Duration, demoRequests)
	began := time.Now()
	for range demoInFlight {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < demoRequests; n = next.Add(1) - 1 {
				sent := time.Now()
				if err := d.findCoordinator(ctx, fmt.Sprintf("group-%05d", n)); err != nil {
					fail(fmt.Errorf("request %d: %w", n, err))
					return
				}
				times[n] = time.Since(sent)
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	slices.Sort(times)
	return fmt.Sprintf("%d requests from %d goroutines, %d in flight (the default of MaxInFlight), "+
		"each with its own answer: %.0f/s, p50 %.3f ms, p99 %.3f ms",
		demoRequests, demoInFlight, demoInFlight, demoRequests/took.Seconds(),
		millis(percentile(times, 50)), millis(percentile(times, 99))), nil
}

func (d *demonstration) findCoordinator(ctx context.Context, group string) error {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys = []string{group}
	resp, err := checked(req.RequestWith(ctx, d.conn))
	if err != nil {
		return err
	}
	if len(resp.Coordinators) != 1 || resp.Coordinators[0].Key != group {
		return fmt.Errorf("got coordinators %[2]v, want that of %[1]s", group, resp.Coordinators)
	}
	return nil
}
