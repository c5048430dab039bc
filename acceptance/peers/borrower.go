package main

import (
	"context"
	"errors"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// borrower is the library for a program that only looks at its responses. Its methods are asked for at run time: an
// earlier commit does not have them, and is measured as conn alone. testdata/659b910 has no borrower.
type borrower struct {
	*conn
	request requester
}

// requester is what a Conn is, and waiter what a Future is.
type (
	requester interface {
		RequestRawFunc(ctx context.Context, req *ports.RawRequest, use func(body []byte) error) error
	}
	waiter interface {
		WaitFunc(ctx context.Context, use func(body []byte) error) error
	}
)

func dialBorrower(address string, link linkKind, authority string, inFlight int) (client, error) {
	c, err := dialConn(address, link, authority, inFlight, false)
	if err != nil {
		return nil, err
	}
	b := &borrower{conn: c.(*conn)}
	var ok bool
	if b.request, ok = any(b.Conn).(requester); !ok {
		c.close()
		return nil, errors.New("a Conn of this commit has no RequestRawFunc")
	}
	return b, nil
}

func (b *borrower) heartbeat(ctx context.Context) error {
	return b.request.RequestRawFunc(ctx, requests[small], look)
}

// pipeline is that of conn with WaitFunc.
func (b *borrower) pipeline(ctx context.Context, what kind, window, n int) error {
	futures, request := make([]*broker.Future, window), requests[what]
	for i := range n + window {
		if f := futures[i%window]; f != nil {
			if err := any(f).(waiter).WaitFunc(ctx, look); err != nil {
				return err
			}
			futures[i%window] = nil
		}
		if i < n {
			f, err := b.Send(ctx, request)
			if err != nil {
				return err
			}
			futures[i%window] = f
		}
	}
	return nil
}

func look(body []byte) error {
	if len(body) == 0 {
		return errors.New("the response is empty")
	}
	return nil
}
