package broker

import (
	"context"
	"errors"
	"testing"

	"brokerconn/adapters/memory"
	"brokerconn/ports"
)

// A wait may end at the moment at which the response is decoded, by another goroutine, and
// there may be none to decode.
func TestWaitEndsAsTheResponseIsRead(t *testing.T) {
	p, err := NewPolled(Config{Transport: memory.New()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := p.Send(&ports.RawRequest{APIKey: ports.KeyMetadata}, false)
	f.decoded, f.message, f.err = true, nil, nil
	got := p.waitEnded(ctx, f)
	var e *Error
	if !errors.Is(got, ErrCanceled) || !errors.As(got, &e) || e.API != "Metadata" {
		t.Errorf("got %v, want ErrCanceled of Metadata", got)
	}
}
