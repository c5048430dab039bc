package main

import (
	"context"

	"brokerconn/application/broker"
)

func (c *conn) pipeline(ctx context.Context, window, n int) error {
	futures := make([]*broker.Future, window)
	for i := range n + window {
		if f := futures[i%window]; f != nil {
			if _, err := f.Wait(ctx); err != nil {
				return err
			}
			f.Release()
			futures[i%window] = nil
		}
		if i < n {
			futures[i%window] = c.Send(heartbeatRequest)
		}
	}
	return nil
}
