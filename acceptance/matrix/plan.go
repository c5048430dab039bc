package matrix

import "time"

// The way to each phase, as a plan of application/sim. The latency is 100 ms: a byte that is sent at the moment of a
// fault has not arrived.
//
//	0 dialed   200ms established   400ms API versions   600ms SaslHandshake   800ms logged in
//
// A handshake of TLS takes 400 ms more. Without a login the connection is ready at 400 ms, and the first request is
// answered at 600 ms.

// way is how a plan leads to a phase.
type way struct {
	setup, steps string
	moment       time.Duration // of the fault
	judged       []int64       // the requests whose fate is wanted
}

const (
	plainSetup = "set latency 100ms\n"
	tlsSetup   = plainSetup + "set tls true\nset handshake 400ms\n"
	loginSetup = plainSetup + "set login true\nset lifetime 1m\n"
	first      = "0s send 10\n"
	three      = first + "2s send 10\n2010ms send 10\n2020ms send 10\n"
	end        = "30s doze\n" // which does nothing: until then faults are not ended
	reauth     = first + "2s renew\n2060ms send 10\n"
)

var phases = map[byte]way{
	'D': {plainSetup, first, 0, []int64{1}},
	'T': {tlsSetup, first, 300 * time.Millisecond, []int64{1}},
	'V': {plainSetup, first, 250 * time.Millisecond, []int64{1}},
	'H': {loginSetup, first, 450 * time.Millisecond, []int64{1}},
	'A': {loginSetup, first, 650 * time.Millisecond, []int64{1}},
	'R': {plainSetup, first, 700 * time.Millisecond, nil},
	'F': {plainSetup, three, 2050 * time.Millisecond, []int64{2, 3, 4}},
	'K': {loginSetup, reauth, 2050 * time.Millisecond, []int64{2}},
	'C': {plainSetup, first + "2s send 10\n2001ms drain-for-good\n", 2050 * time.Millisecond, []int64{2}},
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}
