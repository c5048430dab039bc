package broker

import (
	"context"
	"errors"
	"time"

	"brokerconn/domain"
)

// A request's timeout is the connection's affair: when it passes, the connection
// is dropped, since the answer may still come and would be taken for another's. A
// context's end is the caller's: the connection goes on. So they are told apart,
// and a context can carry either.

type requestTimeoutKey struct{}

// WithRequestTimeout returns a context for requests that have a timeout of their
// own, in place of Config.RequestTimeout: "request_timeout_ms" per request. With a
// d of 0 or less its time is over already: nothing is sent, ErrRequestTimeout.
//
//	resp, err := req.RequestWith(broker.WithRequestTimeout(ctx, time.Minute), conn)
func WithRequestTimeout(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, requestTimeoutKey{}, d)
}

// requestTimeout is that of ctx; 0: none of its own.
func requestTimeout(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(requestTimeoutKey{}).(time.Duration); ok {
		return own(d)
	}
	return 0
}

// own tells a timeout that is over from one that was not given: it is less than 0.
func own(timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return -1
	}
	return timeout
}

// over is the error of a request whose timeout is.
func over(m *domain.Connection) error {
	return m.Failure(ErrRequestTimeout, errors.New("its time was over before it was sent"))
}
