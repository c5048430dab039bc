package main

import (
	"context"

	"brokerconn/application/broker"
)

func (c *conn) pipeline(ctx context.Context, what kind, window, n int) error {
	futures, request := make([]*broker.Future, window), requests[what]
	for i := range n + window {
		if f := futures[i%window]; f != nil {
			if _, err := f.Wait(ctx); err != nil {
				return err
			}
			f.Release()
			futures[i%window] = nil
		}
		if i < n {
			futures[i%window] = c.Send(request)
		}
	}
	return nil
}
