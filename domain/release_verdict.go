package domain

// Verdict says which release of Kafka a broker is, as far as it can be told. It is a
// value: what it holds is not changed afterwards.
type Verdict struct {
	Kind VerdictKind
	// Low and High are the releases that it may be, both included. They are the same
	// for Exact; for AtLeast, where both are the newest release that is known; and
	// for Custom, where both are the nearest. For Older Low is zero, and High the
	// oldest release that can be asked. They name minor releases, but a release that
	// was configured stands as it was.
	//
	// Low is what kafka-python's check_version returns: see Release.Tuple.
	Low, High Release
	// Lineage is what kind of server it is; for Custom, that of the nearest release.
	// 0: not told.
	Lineage Lineage
	// Evidence is what the verdict is from, in short sentences, the weightiest first:
	// for a reader, at most 8. There is no text of the broker's in it. Nil only for
	// the zero Verdict.
	Evidence []string
}

// String is short: "3.7", "at least 4.4", "between 3.3 and 3.4", "custom, nearest
// 2.8", "older than 0.10.0". "unknown" for the zero Verdict.
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

// VerdictKind is how much a Verdict says.
type VerdictKind uint8

const (
	// Exact: it is this minor release, and no other.
	Exact VerdictKind = iota + 1
	// AtLeast: it has all that the newest known release has, and more.
	AtLeast
	// Between: it has nothing that neither Low nor High has, and cannot be told from
	// either, or is something on the way from the one to the other.
	Between
	// Custom: it is no release of Apache Kafka that is known, nor one of its future:
	// another product, a cloud service, or a broker behind something that edits its
	// answers.
	Custom
	// Older: it has less than the oldest release that can be asked.
	Older
)

// String is lower case: "exact", "at least", "between", "custom", "older".
func (k VerdictKind) String() string {
	switch k {
	case Exact:
		return "exact"
	case AtLeast:
		return "at least"
	case Between:
		return "between"
	case Custom:
		return "custom"
	case Older:
		return "older"
	}
	return "unknown"
}

// Lineage is a kind of server that answers ApiVersions. Each has tables of its own.
type Lineage uint8

const (
	// ZooKeeperBroker keeps its metadata in ZooKeeper: all before 2.8, none from 4.0.
	ZooKeeperBroker Lineage = iota + 1
	// KRaftBroker has it from a quorum of controllers (KIP-500): as a preview from 2.8.
	KRaftBroker
	// KRaftController is one of that quorum. It serves brokers and administrators:
	// whoever wants to produce or to fetch dialled the wrong port.
	KRaftController
)

// String is as in "KRaft broker". "unknown" for 0.
func (l Lineage) String() string {
	switch l {
	case ZooKeeperBroker:
		return "ZooKeeper broker"
	case KRaftBroker:
		return "KRaft broker"
	case KRaftController:
		return "KRaft controller"
	}
	return "unknown"
}
