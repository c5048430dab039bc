package broker

import (
	"context"
	"time"
)

// A request's time-out is the connection's affair: when it passes, the connection
// is dropped, since the answer may still come and would be taken for another's. A
// context's end is the caller's: the connection goes on. So they are told apart,
// and a context can carry either.

type requestTimeoutKey struct{}

// WithRequestTimeout returns a context for requests that have a time-out of their
// own, in place of Config.RequestTimeout: "request_timeout_ms" per request. d must
// be more than nothing.
//
//	resp, err := req.RequestWith(broker.WithRequestTimeout(ctx, time.Minute), conn)
func WithRequestTimeout(ctx context.Context, d time.Duration) context.Context {
	mustLast(d)
	return context.WithValue(ctx, requestTimeoutKey{}, d)
}

// requestTimeout is that of ctx; 0: none of its own.
func requestTimeout(ctx context.Context) time.Duration {
	d, _ := ctx.Value(requestTimeoutKey{}).(time.Duration)
	return d
}

func mustLast(timeout time.Duration) {
	if timeout <= 0 {
		panic("broker: the time-out of a request must be more than nothing")
	}
}
