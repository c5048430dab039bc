package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/memory"
	"brokerconn/ports"
)

// A waiter that is used again has no wakeup left of the request before: one whose context ended as it was done took it.
func TestWaiterIsUsedAgainEmpty(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // both have ended: the order is that of select
		f := &Future{shared: &shared{}}
		w := f.register()
		f.complete()
		if !f.waitAs(ctx, w) || len(w.token) > 0 {
			t.Fatalf("got %d wakeups left, want none, of a request that was done", len(w.token))
		}
	}
}

// brokenCodec panics at a response.
type brokenCodec struct{ kafkacodec.Codec }

func (brokenCodec) Decode(ports.Message, int16, []byte) (ports.Message, error) { panic("in Decode") }

// A codec that panics at a response fails the request, and not the program.
func TestPanicOfTheCodecIsAnError(t *testing.T) {
	p, err := NewPolled(Config{Transport: memory.New(), Codec: brokenCodec{}})
	if err != nil {
		t.Fatal(err)
	}
	f := p.Send(&ports.APIVersionsRequest{}, false)
	f.body = []byte{0, 0}
	if _, err := f.decode(); err == nil || err.Error() != "panic in the codec: in Decode" {
		t.Errorf("got %v, want the panic", err)
	}
}

// The defaults of the two backoffs follow the one that is given, and a client names itself with its version (KIP-511).
func TestDefaultsFollowWhatIsGiven(t *testing.T) {
	none, err := Config{}.withDefaults(0, 0)
	if err != nil || none.SoftwareName == "" || none.SoftwareVersion != Version {
		t.Errorf("got %q %q, %v; want a name, and %q", none.SoftwareName, none.SoftwareVersion, err, Version)
	}
	if none.MaxPendingBytes != 32<<20 || none.MaxResponseBytes != 100<<20 || none.MaxInFlight != 5 {
		t.Errorf("got %d, %d and %d, want 32 MiB to be written, 100 MiB of a response, and 5 requests in flight",
			none.MaxPendingBytes, none.MaxResponseBytes, none.MaxInFlight)
	}
	named, err := Config{SoftwareName: "probe"}.withDefaults(0, 0)
	if err != nil || named.SoftwareName != "probe" || named.SoftwareVersion == Version {
		t.Errorf("got %q %q, %v; want probe, not with %q", named.SoftwareName, named.SoftwareVersion, err, Version)
	}
	short, err := Config{ReconnectBackoffMax: time.Millisecond}.withDefaults(0, 0)
	if err != nil || short.ReconnectBackoff != time.Millisecond || short.ReconnectBackoffMax != time.Millisecond {
		t.Errorf("got %v to %v, %v; want 1ms", short.ReconnectBackoff, short.ReconnectBackoffMax, err)
	}
	// A frame is 4 bytes longer than a response, and the protocol has its size in an int32.
	large, err := Config{MaxResponseBytes: 1<<31 - 1}.withDefaults(0, 0)
	if err != nil || large.MaxResponseBytes != 1<<31-1-4 {
		t.Errorf("got responses of %d bytes, %v; want 4 less than an int32 has", large.MaxResponseBytes, err)
	}
	long, err := Config{ReconnectBackoff: time.Hour}.withDefaults(0, 0)
	if err != nil || long.ReconnectBackoff != time.Hour || long.ReconnectBackoffMax != time.Hour {
		t.Errorf("got %v to %v, %v; want an hour", long.ReconnectBackoff, long.ReconnectBackoffMax, err)
	}
}

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
	if !errors.Is(got, ErrCanceled) || !errors.As(got, &e) || e.API != "Metadata" || e.Version != -1 {
		t.Errorf("got %+v, want ErrCanceled of Metadata, without a version", got)
	}
}
