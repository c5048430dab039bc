package broker

import (
	"context"
	"errors"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// A request has two limits. When its timeout passes after it was sent, the connection
// is dropped, because the response may still come and would be taken for that of
// another request. When its context ends, only the caller stops waiting.

// callOptions are what a context carries for a request: one value, so that one lookup finds it.
type callOptions struct {
	timeout  time.Duration // as perRequestTimeout has it; 0: none
	failFast bool
}

type callOptionsKey struct{}

func optionsOf(ctx context.Context) callOptions {
	o, _ := ctx.Value(callOptionsKey{}).(callOptions)
	return o
}

// WithRequestTimeout returns a context whose requests have the timeout d in place of
// Config.RequestTimeout. If d is 0 or less, they fail with ErrRequestTimeout and are
// not sent. It applies to Request, RequestRaw, Send, SendWait and Connect of a Conn.
//
//	resp, err := req.RequestWith(broker.WithRequestTimeout(ctx, time.Minute), conn)
func WithRequestTimeout(ctx context.Context, d time.Duration) context.Context {
	o := optionsOf(ctx)
	o.timeout = perRequestTimeout(d)
	return context.WithValue(ctx, callOptionsKey{}, o)
}

// WithFailFast returns a context whose requests do not wait for the backoff: during the
// pause after a failed attempt they fail at once with ErrNotConnected and the failure as cause.
// Otherwise they wait for the attempt in progress, or start one, and fail if it does. So do
// requests that wait in the queue when the connection is lost. It applies to
// Request, RequestRaw, SendWait and Connect of a Conn, and to Ping; Send never waits.
func WithFailFast(ctx context.Context) context.Context {
	o := optionsOf(ctx)
	o.failFast = true
	return context.WithValue(ctx, callOptionsKey{}, o)
}

// SendOption is an option of Polled.Send.
type SendOption struct{ timeout time.Duration }

// WithTimeout gives one request the timeout d in place of Config.RequestTimeout. If d is
// 0 or less, the request fails with ErrRequestTimeout and is not sent.
func WithTimeout(d time.Duration) SendOption { return SendOption{perRequestTimeout(d)} }

// perRequestTimeout returns a timeout of less than 0 for one that has passed, so that 0
// means that none was given.
func perRequestTimeout(d time.Duration) time.Duration {
	if d <= 0 {
		return -1
	}
	return d
}

// deadlinePassed is the error of a request whose timeout is 0 or less.
func deadlinePassed(now time.Time, m *domain.Connection, req ports.Message) error {
	return m.Failure(now, req, ErrRequestTimeout, errors.New("deadline passed before the request was sent"))
}
