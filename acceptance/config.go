package acceptance

import "time"

// Config says which broker to start. The zero value is the newest release with
// one PLAINTEXT listener.
type Config struct {
	// Version is a release of Kafka, "4.4.0", from 0.8.0 on. Empty: Newest.
	Version string
	// Mode is where the broker keeps what the cluster knows, for releases that leave a
	// choice. 0: what is usual in the release.
	Mode Mode
	// Listeners are those that the broker has besides PLAINTEXT. Kafka before 0.11
	// takes only one for each protocol, and demands client certificates on all
	// secure ones or on none. Nil: none.
	Listeners []Listener
	// KDC is whom the broker believes who a client is, with GSSAPI. It has to run for
	// as long as clients log in. Nil: the broker offers no GSSAPI.
	KDC *KDC
	// Properties are added to the server's configuration, and win over what
	// this package has set there itself. Nil: none.
	Properties map[string]string
	// StartTimeout bounds one start of the broker, without the fetching of its
	// jars; it holds for Restart too. 0: two minutes. A quiet machine needs four
	// seconds.
	StartTimeout time.Duration
}

const defaultStartTimeout = 2 * time.Minute
