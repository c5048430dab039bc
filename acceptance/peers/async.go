package main

import (
	"context"

	"brokerconn/application/broker"
)

// pipeline waits for the oldest of a window of futures first. testdata/659b910 has the same for the API of that
// commit.
func (c *conn) pipeline(ctx context.Context, what kind, window, n int) error {
	futures, request := make([]*broker.Future, window), requests[what]
	for i := range n + window {
		if f := futures[i%window]; f != nil {
			if _, err := f.Wait(ctx); err != nil {
				return err
			}
			futures[i%window] = nil
		}
		if i < n {
			f, err := c.Send(ctx, request)
			if err != nil {
				return err
			}
			futures[i%window] = f
		}
	}
	return nil
}
