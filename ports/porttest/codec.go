package porttest

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"

	"brokerconn/ports"
)

// CodecSample is a request and a response to it that some other implementation
// has written.
type CodecSample struct {
	Request  ports.Message
	Version  int16
	Response []byte
	// ThrottleMillis and Wait are what Throttle says of Response: 0 and false
	// where the version has no such field.
	ThrottleMillis int32
	Wait           bool
}

// Codec checks a [ports.Codec]: with the messages of ports, whose bytes in every
// version are written out here, and with samples of whatever else it speaks.
func Codec(t *testing.T, codec ports.Codec, samples ...CodecSample) {
	t.Run("control messages", func(t *testing.T) {
		for _, c := range controlVectors {
			codecControl(t, codec, c)
		}
	})
	for _, c := range controlVectors {
		for _, r := range c.responses {
			samples = append(samples, CodecSample{c.request, r.version, []byte(r.bytes), r.throttle, r.wait})
		}
	}
	t.Run("unknown messages", func(t *testing.T) { codecUnknown(t, codec) })
	for _, s := range samples {
		t.Run(codecName(s), func(t *testing.T) {
			codecTraits(t, codec, s)
			codecAppend(t, codec, s)
			codecDecode(t, codec, s)
			codecThrottle(t, codec, s)
			codecHold(t, codec, s)
		})
	}
	t.Run("many goroutines", func(t *testing.T) { codecConcurrent(t, codec, samples) })
}

func codecName(s CodecSample) string { return fmt.Sprintf("%T v%d", s.Request, s.Version) }

// codecControl compares with the bytes of control_vectors.go.
func codecControl(t *testing.T, codec ports.Codec, c controlVector) {
	traits, err := codec.Describe(c.request)
	if want := (ports.Traits{MaxVersion: c.highest, FlexibleFrom: c.flexibleFrom}); err != nil || traits != want {
		t.Errorf("Describe(%T): %+v, %v, want %+v", c.request, traits, err, want)
	}
	for _, r := range c.requests {
		got, err := codec.AppendBody(nil, c.request, r.version)
		if err != nil || string(got) != r.bytes {
			t.Errorf("%T v%d: wrote %q, %v, want %q", c.request, r.version, got, err, r.bytes)
		}
	}
	for _, r := range c.responses {
		got, err := codec.Decode(c.request, r.version, []byte(r.bytes))
		if err != nil || !reflect.DeepEqual(got, r.message) {
			t.Errorf("%T v%d: read %#v, %v, want %#v", c.request, r.version, got, err, r.message)
		}
	}
}

// unspoken is a message that no codec knows.
type unspoken struct{}

func (unspoken) Key() int16 { return -1 }

func codecUnknown(t *testing.T, codec ports.Codec) {
	for _, m := range []ports.Message{unspoken{}, &unspoken{}} {
		if _, err := codec.Describe(m); err == nil {
			t.Errorf("Describe(%T) has no error", m)
		}
		if _, err := codec.AppendBody(nil, m, 0); err == nil {
			t.Errorf("AppendBody(%T) has no error", m)
		}
		if _, err := codec.Decode(m, 0, nil); err == nil {
			t.Errorf("Decode(%T) has no error", m)
		}
		if ms, wait := codec.Throttle(m, 0, []byte("\x00\x00\x00\x09")); ms != 0 || wait {
			t.Errorf("Throttle(%T): %d ms, %v", m, ms, wait)
		}
	}
}

func codecTraits(t *testing.T, codec ports.Codec, s CodecSample) {
	first := traitsOf(t, codec, s)
	if first.MinVersion < 0 || first.MinVersion > first.MaxVersion {
		t.Errorf("versions %d to %d", first.MinVersion, first.MaxVersion)
	}
	if s.Version < first.MinVersion || s.Version > first.MaxVersion {
		t.Errorf("the sample's v%d is outside of %+v", s.Version, first)
	}
	if again, err := codec.Describe(s.Request); err != nil || again != first {
		t.Errorf("asked again, Describe says %+v, %v, and before %+v", again, err, first)
	}
}

func traitsOf(t *testing.T, codec ports.Codec, s CodecSample) ports.Traits {
	t.Helper()
	traits, err := codec.Describe(s.Request)
	if err != nil {
		t.Fatal(err)
	}
	return traits
}

// codecAppend: what is in dst stays, the message stays, and the same comes out
// again, whatever else was written between.
func codecAppend(t *testing.T, codec ports.Codec, s CodecSample) {
	traits, before := traitsOf(t, codec, s), shallowCopy(s.Request)
	alone, err := codec.AppendBody(nil, s.Request, s.Version)
	if err != nil {
		t.Fatal(err)
	}
	for v := traits.MinVersion; v <= traits.MaxVersion; v++ {
		if _, err := codec.AppendBody(nil, s.Request, v); err != nil {
			t.Errorf("v%d, which Describe promised: %v", v, err)
		}
	}
	others := []byte("another request")
	for _, room := range []int{0, len(alone), len(alone) + 1000} {
		dst := append(make([]byte, 0, len(others)+room), others...)
		got, err := codec.AppendBody(dst, s.Request, s.Version)
		if err != nil || !bytes.HasPrefix(got, others) || !bytes.Equal(got[len(others):], alone) {
			t.Errorf("after %q: %q, %v, want %q to follow", others, got, err, alone)
		}
		if !bytes.Equal(dst, others) {
			t.Errorf("what was in dst became %q", dst)
		}
	}
	if !reflect.DeepEqual(s.Request, before) {
		t.Errorf("the message was changed")
	}
	for _, v := range []int16{-1, traits.MaxVersion + 1} {
		if _, err := codec.AppendBody(nil, s.Request, v); err == nil {
			t.Errorf("v%d was written, and Describe says %+v", v, traits)
		}
	}
}

func shallowCopy(m ports.Message) ports.Message {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer {
		return m
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(v.Elem())
	return c.Interface().(ports.Message)
}

// codecHold checks a [ports.HoldingCodec]: no time is negative, and the message stays.
func codecHold(t *testing.T, codec ports.Codec, s CodecSample) {
	holding, ok := codec.(ports.HoldingCodec)
	if !ok {
		return
	}
	before := shallowCopy(s.Request)
	first := holding.Hold(s.Request, s.Version)
	if again := holding.Hold(s.Request, s.Version); again != first {
		t.Errorf("Hold: got %v, and before %v", again, first)
	}
	for _, v := range []int16{s.Version, math.MinInt16, -1, math.MaxInt16} {
		if got := holding.Hold(s.Request, v); got < 0 {
			t.Errorf("Hold in v%d: got %v, want 0 or more", v, got)
		}
	}
	if got := holding.Hold(unspoken{}, 0); got != 0 {
		t.Errorf("Hold of an unknown message: got %v, want 0", got)
	}
	if !reflect.DeepEqual(s.Request, before) {
		t.Errorf("Hold changed the message")
	}
}

// codecDecode: the sample is read, and nothing that is shorter or longer.
func codecDecode(t *testing.T, codec ports.Codec, s CodecSample) {
	body := bytes.Clone(s.Response)
	first, err := codec.Decode(s.Request, s.Version, body)
	if err != nil {
		t.Fatal(err)
	}
	if first.Key() != s.Request.Key() {
		t.Errorf("the response has key %d, the request %d", first.Key(), s.Request.Key())
	}
	if again, err := codec.Decode(s.Request, s.Version, body); err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("read again: %+v, %v, and before %+v", again, err, first)
	}
	if !bytes.Equal(body, s.Response) {
		t.Error("the body was written to")
	}
	for n := range body {
		if _, err := codec.Decode(s.Request, s.Version, body[:n:n]); err == nil {
			t.Errorf("%d of %d bytes were read without an error", n, len(body))
		}
	}
	for _, more := range []string{"\x00", "\xff", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if _, err := codec.Decode(s.Request, s.Version, append(bytes.Clone(body), more...)); err == nil {
			t.Errorf("%q was left over without an error", more)
		}
	}
}

// codecConcurrent: one message, many connections, each with its version. The
// race detector reports races.
func codecConcurrent(t *testing.T, codec ports.Codec, samples []CodecSample) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, s := range samples {
				traits, err := codec.Describe(s.Request)
				if err != nil {
					t.Error(err)
					continue
				}
				for v := traits.MinVersion; v <= traits.MaxVersion; v++ {
					if _, err := codec.AppendBody(nil, s.Request, v); err != nil {
						t.Error(err)
					}
				}
				if _, err := codec.Decode(s.Request, s.Version, s.Response); err != nil {
					t.Error(err)
				}
				isThrottle(t, codec, s, s.Response, "at the same time as others")
			}
		})
	}
	wg.Wait()
}
