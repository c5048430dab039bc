package porttest

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"brokerconn/ports"
)

// codecThrottle: the sample's throttle is read, whatever follows it; of a body
// that ends too early nothing else is; and no garbage does harm.
func codecThrottle(t *testing.T, codec ports.Codec, s CodecSample) {
	before, body := shallowCopy(s.Request), bytes.Clone(s.Response)
	isThrottle(t, codec, s, body, "")
	isThrottle(t, codec, s, append(bytes.Clone(body), "left over"...), "with bytes left over")
	if n := testing.AllocsPerRun(100, func() { codec.Throttle(s.Request, s.Version, body) }); n != 0 {
		t.Errorf("Throttle: %v allocations", n)
	}
	if !bytes.Equal(body, s.Response) {
		t.Error("Throttle wrote to the body")
	}
	if !reflect.DeepEqual(s.Request, before) {
		t.Error("Throttle changed the request")
	}
	clear(body) // nothing of it was kept
	isThrottle(t, codec, s, bytes.Clone(s.Response), "after an earlier body was overwritten")

	for n := range s.Response {
		ms, wait := codec.Throttle(s.Request, s.Version, s.Response[:n:n])
		if none := ms == 0 && !wait; !none && (ms != s.ThrottleMillis || wait != s.Wait) {
			t.Errorf("Throttle: %d of %d bytes: %d ms, %v, want 0 or what all of them say", n, len(s.Response), ms,
				wait)
		}
	}
	for _, garbage := range codecGarbage(s.Response) {
		if ms, wait := codec.Throttle(s.Request, s.Version, garbage); ms < 0 || wait && ms == 0 {
			t.Errorf("Throttle: garbage %q: %d ms, %v", garbage, ms, wait)
		}
	}
	codecThrottleVersions(t, codec, s)
}

func isThrottle(t *testing.T, codec ports.Codec, s CodecSample, body []byte, when string) {
	t.Helper()
	if ms, wait := codec.Throttle(s.Request, s.Version, body); ms != s.ThrottleMillis || wait != s.Wait {
		t.Errorf("Throttle(%T v%d) %s: %d ms, %v, want %d ms, %v", s.Request, s.Version, when, ms, wait,
			s.ThrottleMillis, s.Wait)
	}
}

// codecGarbage returns bodies that are all of one byte, where counts and lengths
// are as large as they get or negative, and the body with each byte so.
func codecGarbage(body []byte) (all [][]byte) {
	for _, b := range []byte{0x00, 0x01, 0x7f, 0x80, 0xff} {
		all = append(all, bytes.Repeat([]byte{b}, 1000))
		for i := range body {
			g := bytes.Clone(body)
			g[i] = b
			all = append(all, g)
		}
	}
	return all
}

// codecThrottleVersions: a body of another version does no harm, and a version
// that no API has gives no throttle time.
func codecThrottleVersions(t *testing.T, codec ports.Codec, s CodecSample) {
	traits := traitsOf(t, codec, s)
	for v := traits.MinVersion; v <= traits.MaxVersion; v++ {
		if ms, wait := codec.Throttle(s.Request, v, s.Response); ms < 0 || wait && ms == 0 {
			t.Errorf("Throttle: the body of v%d as v%d: %d ms, %v", s.Version, v, ms, wait)
		}
	}
	for _, v := range []int16{math.MinInt16, -1, math.MaxInt16} {
		if ms, wait := codec.Throttle(s.Request, v, s.Response); ms != 0 || wait {
			t.Errorf("Throttle: v%d: %d ms, %v, want 0", v, ms, wait)
		}
	}
}
