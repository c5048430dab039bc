package acceptance

import "time"

// Config configures a broker. The zero value is the newest release with one PLAINTEXT
// listener.
type Config struct {
	// Version is a release of Kafka from 0.8.0 on, such as "4.4.0". If empty, the default is
	// Newest.
	Version string
	// Mode is where the broker keeps the metadata of its cluster. If zero, the default is
	// KRaft from 3.3 on and ZooKeeper before.
	Mode Mode
	// Listeners are the listeners besides PLAINTEXT. Kafka before 0.11 takes only one for each
	// protocol, and requires client certificates on all secure ones or on none.
	Listeners []Listener
	// KDC is the KDC of the broker and its clients. It must run while clients log in. If nil,
	// the broker does not offer GSSAPI.
	KDC *KDC
	// Properties are added to the server's configuration, and replace the properties that this
	// package sets.
	Properties map[string]string
	// Classpath is that of plugins, such as [FetchArtifacts] returns it. It is behind the
	// broker's own jars. If empty, there are none.
	Classpath string
	// Flags are added to those of the broker's JVM.
	Flags []string
	// StartTimeout bounds each start and restart of the broker, without the fetch of its jars.
	// If zero, the default is two minutes. An idle machine needs four seconds.
	StartTimeout time.Duration
}

const defaultStartTimeout = 2 * time.Minute
