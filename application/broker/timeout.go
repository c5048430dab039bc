package broker

import (
	"context"
	"errors"
	"time"

	"brokerconn/domain"
)

// A request has two limits. When its timeout passes after it was sent, the connection
// is dropped, because the response may still come and would be taken for that of
// another request. When its context ends, only the caller stops waiting.

type requestTimeoutKey struct{}

// WithRequestTimeout returns a context whose requests have the timeout d in place of
// Config.RequestTimeout. If d is 0 or less, they fail with ErrRequestTimeout and are
// not sent. It applies to Request, RequestRaw, Send, SendWait and Connect of a Conn.
//
//	resp, err := req.RequestWith(broker.WithRequestTimeout(ctx, time.Minute), conn)
func WithRequestTimeout(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, requestTimeoutKey{}, d)
}

// SendOption is an option of Polled.Send.
type SendOption struct{ timeout time.Duration }

// WithTimeout gives one request the timeout d in place of Config.RequestTimeout. If d is
// 0 or less, the request fails with ErrRequestTimeout and is not sent.
func WithTimeout(d time.Duration) SendOption { return SendOption{perRequestTimeout(d)} }

// requestTimeout returns the timeout that ctx carries, as perRequestTimeout does; 0 if
// it carries none.
func requestTimeout(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(requestTimeoutKey{}).(time.Duration); ok {
		return perRequestTimeout(d)
	}
	return 0
}

// perRequestTimeout returns a timeout of less than 0 for one that has passed, so that 0
// means that none was given.
func perRequestTimeout(d time.Duration) time.Duration {
	if d <= 0 {
		return -1
	}
	return d
}

// deadlinePassed is the error of a request whose timeout is 0 or less.
func deadlinePassed(m *domain.Connection) error {
	return m.Failure(ErrRequestTimeout, errors.New("deadline passed before the request was sent"))
}
