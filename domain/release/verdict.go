package release

// Verdict is the result of Identify: the release of a broker, as far as its table shows it. It is a value, and nothing
// changes it afterwards.
type Verdict struct {
	// Kind is how precise the verdict is. 0 is the zero Verdict.
	Kind VerdictKind
	// Low and High are the lowest and the highest release that the broker may be. They are equal for Exact; for
	// AtLeast, where both are the newest known release; and for Custom, where both are the nearest release. For Older,
	// Low is zero and High is the oldest release that answers ApiVersions. They are minor releases, except that a
	// configured release is kept as it was configured.
	//
	// Low is the result of kafka-python's check_version: see Release.Tuple.
	Low, High Release
	// Lineage is the kind of server, if its table equals that of a known release in every API. 0 is unknown:
	// always for AtLeast, Custom and Older, and for a server that leaves out what brokers say to each other.
	Lineage Lineage
	// Evidence gives the reasons, for a reader: at most 8 short sentences, the strongest first. It holds no text that
	// the broker sent. It is nil only for the zero Verdict.
	Evidence []string
}

// String is short: "3.7", "at least 4.4", "between 3.3 and 3.4", "custom, nearest 2.8", "older than 0.10.0". It is
// "unknown" for the zero Verdict.
func (v Verdict) String() string {
	switch v.Kind {
	case Exact:
		return v.Low.String()
	case AtLeast:
		return "at least " + v.Low.String()
	case Between:
		return "between " + v.Low.String() + " and " + v.High.String()
	case Custom:
		return "custom, nearest " + v.Low.String()
	case Older:
		return "older than " + v.High.String()
	}
	return "unknown"
}

// VerdictKind is how precise a Verdict is.
type VerdictKind uint8

const (
	// Exact is for a broker of this minor release, and of no other.
	Exact VerdictKind = iota + 1
	// AtLeast is for a broker that has all of the newest known release, and more.
	AtLeast
	// Between is for a broker that has nothing beyond Low and High: it fits both, or is a state between them.
	Between
	// Custom is for a broker that is no known release of Apache Kafka and no later one: another product, a cloud
	// service, or a broker behind a proxy that edits its answers.
	Custom
	// Older is for a broker that has less than the oldest release that answers ApiVersions.
	Older
)

// String is lower case: "exact", "at least", "between", "custom", "older". It is "unknown" for 0.
func (k VerdictKind) String() string {
	return name(int(k), "exact", "at least", "between", "custom", "older")
}

// Lineage is a kind of server that answers ApiVersions. Each has its own tables.
type Lineage uint8

const (
	// ZooKeeperBroker is a broker that keeps its metadata in ZooKeeper: each broker before 2.8, and none from 4.0 on.
	ZooKeeperBroker Lineage = iota + 1
	// KRaftBroker is a broker that gets its metadata from a quorum of controllers (KIP-500): a preview from 2.8 on.
	KRaftBroker
	// KRaftController is a member of that quorum. It serves brokers and administrators. A client that wants to produce
	// or to fetch has connected to the wrong port.
	KRaftController
)

// String is "ZooKeeper broker", "KRaft broker" or "KRaft controller". It is "unknown" for 0.
func (l Lineage) String() string {
	return name(int(l), "ZooKeeper broker", "KRaft broker", "KRaft controller")
}

// name is the name of a constant that counts from 1.
func name(n int, names ...string) string {
	if n < 1 || n > len(names) {
		return "unknown"
	}
	return names[n-1]
}
