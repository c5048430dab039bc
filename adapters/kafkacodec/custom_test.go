package kafkacodec_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
)

// A user may wrap a request of kmsg to send it with a difference.
type (
	byValue   struct{ kmsg.MetadataRequest }
	byPointer struct{ *kmsg.MetadataRequest }
	plainKind struct{ kmsg.Request }
	produce   struct{ kmsg.ProduceRequest }
	lazily    struct{ *kmsg.MetadataRequest }
	panicky   struct{ kmsg.MetadataRequest }
	panickyR  struct{ kmsg.MetadataResponse }
	picky     struct{ kmsg.MetadataRequest }
	pickyR    struct{ kmsg.MetadataResponse }
)

func (l *lazily) GetVersion() int16 {
	if l.MetadataRequest == nil {
		return 0
	}
	return l.MetadataRequest.GetVersion()
}

func (l *lazily) SetVersion(v int16) {
	if l.MetadataRequest == nil {
		l.MetadataRequest = kmsg.NewPtrMetadataRequest()
	}
	l.MetadataRequest.SetVersion(v)
}

func (*panicky) ResponseKind() kmsg.Response { return &panickyR{} }
func (*panickyR) ReadFrom([]byte) error      { panic("garbage") }
func (*picky) ResponseKind() kmsg.Response   { return &pickyR{} }
func (*pickyR) ReadFrom([]byte) error        { return errPicky }

var errPicky = errors.New("not to my taste")

func TestUsersTypes(t *testing.T) {
	meta := kmsg.NewPtrMetadataRequest()
	meta.Version = 9
	for _, c := range []struct {
		m      kafkacodec.Request
		traits ports.Traits
	}{
		{&byValue{*meta}, ports.Traits{MaxVersion: meta.MaxVersion(), FlexibleFrom: 9}},
		{&byPointer{meta}, ports.Traits{MinVersion: 9, MaxVersion: 9, FlexibleFrom: 9}},
		{&lazily{meta}, ports.Traits{MinVersion: 9, MaxVersion: 9, FlexibleFrom: 9}},
		{byPointer{meta}, ports.Traits{MinVersion: 9, MaxVersion: 9, FlexibleFrom: 9}},
		{plainKind{meta}, ports.Traits{MinVersion: 9, MaxVersion: 9, FlexibleFrom: 9}},
	} {
		if got, err := codec.Describe(c.m); err != nil || got != c.traits {
			t.Errorf("%T: %+v, %v", c.m, got, err)
		}
		got, err := codec.AppendBody(nil, c.m, 9)
		if err != nil || !bytes.Equal(got, meta.AppendTo(nil)) {
			t.Errorf("%T: %x, %v", c.m, got, err)
		}
		if _, err := codec.AppendBody(nil, c.m, 1); (err == nil) != (c.traits.MinVersion == 0) {
			t.Errorf("%T v1: %v", c.m, err)
		}
		if meta.Version != 9 || c.m.GetVersion() != 9 {
			t.Fatalf("%T: the version was changed", c.m)
		}
		if _, err := codec.Decode(c.m, 9, append(answer(t, meta, 9), 0)); err == nil {
			t.Errorf("%T: got no error for a byte left over", c.m)
		}
	}

	// The version that a type of this kind holds may change between calls.
	meta.Version = 1
	if got, err := codec.Describe(byPointer{meta}); err != nil ||
		got != (ports.Traits{MinVersion: 1, MaxVersion: 1, FlexibleFrom: -1}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := codec.Describe(&produce{}); err != nil || !got.NoResponse {
		t.Errorf("a produce request with acks 0 in disguise: %+v, %v", got, err)
	}
	if _, err := codec.Decode(&panicky{}, 1, nil); err == nil || !strings.Contains(err.Error(), "panicked: garbage") {
		t.Errorf("a panic became %v", err)
	}
	if resp, err := codec.Decode(&picky{}, 1, nil); resp != nil || !errors.Is(err, errPicky) {
		t.Errorf("an answer that its own type refuses: got %v, %v, want %v", resp, err, errPicky)
	}
}

// TestOneTypeForManyAPIs: what is known of a wrapper is known of the one that it
// wraps, and not of all that its type can wrap.
func TestOneTypeForManyAPIs(t *testing.T) {
	for range 2 {
		for _, wrapped := range []kmsg.Request{
			kmsg.NewPtrMetadataRequest(), kmsg.NewPtrFetchRequest(), kmsg.NewPtrHeartbeatRequest(),
			kmsg.NewPtrFetchRequest(),
		} {
			for version := range wrapped.MaxVersion() + 1 {
				wrapped.SetVersion(version)
				m := plainKind{wrapped}
				body := answer(t, wrapped, version)
				if _, err := codec.Decode(m, version, body); err != nil {
					t.Errorf("%T v%d: %v", wrapped, version, err)
				}
				if _, err := codec.Decode(m, version, append(body, 0)); err == nil {
					t.Errorf("%T v%d: got no error for a byte left over", wrapped, version)
				}
			}
		}
	}
}

func TestPinnedRequestShowsNoFields(t *testing.T) {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.SASLAuthBytes = []byte("password-canary")
	m := kafkacodec.At(req, 1)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got, want := fmt.Sprintf(verb, m), "SASLAuthenticate request pinned to v1"; got != want {
			t.Errorf("%s: got %q, want %q", verb, got, want)
		}
	}
}
