package main

import (
	"context"

	"brokerconn/application/broker"
)

// pipeline sends n requests with a window of futures, the oldest waited for first.
// testdata/659b910 has the same for the API of that commit.
func (c *conn) pipeline(ctx context.Context, window, n int) error {
	futures := make([]*broker.Future, window)
	for i := range n + window {
		if f := futures[i%window]; f != nil {
			if _, err := f.Wait(ctx); err != nil {
				return err
			}
			futures[i%window] = nil
		}
		if i < n {
			f, err := c.Send(ctx, heartbeatRequest)
			if err != nil {
				return err
			}
			futures[i%window] = f
		}
	}
	return nil
}
