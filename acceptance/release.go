package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"brokerconn/application/broker"
)

// Newest is the newest release that this package was tested with.
const Newest = "4.4.0"

// Mode is where a broker keeps the metadata of its cluster.
type Mode uint8

const (
	DefaultMode Mode = iota // KRaft from 3.3 on, else ZooKeeper
	KRaft                   // in itself, being its own controller; from 2.8 on
	ZooKeeper               // in a ZooKeeper beside it; until 3.9
)

var modeNames = [...]string{DefaultMode: "default", KRaft: "KRaft", ZooKeeper: "ZooKeeper"}

func (m Mode) String() string { return modeNames[m] }

// Variant is a patch release of Kafka in one of its modes.
type Variant struct {
	Version string
	Mode    Mode
}

// In returns the versions as variants of one mode.
func In(mode Mode, versions ...string) (all []Variant) {
	for _, version := range versions {
		all = append(all, Variant{version, mode})
	}
	return all
}

// String returns "2.8.2 KRaft".
func (v Variant) String() string { return v.Version + " " + v.Mode.String() }

// Release returns the minor release that the version belongs to: 2.8 for 2.8.1, 0.10.2 for
// 0.10.2.1. It panics if the version is malformed.
func (v Variant) Release() broker.Release {
	n, err := parseVersion(v.Version)
	if err != nil {
		panic(err)
	}
	if n[0] > 0 {
		n[2] = 0
	}
	return broker.Release{Major: n[0], Minor: n[1], Patch: n[2]}
}

// A release describes how brokers of a version of Kafka are installed, configured and
// started, or, as a row of the table in releases.go, those of a range of versions. Its
// texts may contain these places, which are replaced for each broker:
//
//	{dir}        the broker's directory
//	{port}       the port of its PLAINTEXT listener
//	{aux}        the port of the process beside it: the controller, or ZooKeeper
//	{cluster}    the cluster id
//	{listeners}  its listeners, as the property of that name has them
//	{protocols}  and what each of them speaks
type release struct {
	// A row applies to versions from from until before, if before is not empty, and to mode,
	// unless that is DefaultMode. In the result of releaseOf, from is the version and mode
	// that of the broker.
	from, before string
	mode         Mode

	// scala is the part of the artifact's name that says how it was compiled.
	scala string
	// additions are "group:artifact:version" to resolve besides Kafka itself, exclusions
	// "group:artifact" to leave out of their dependencies. They do not depend on the mode.
	additions, exclusions []string
	// flags are given to every JVM.
	flags []string
	// files are properties files in the broker's directory.
	files map[string]map[string]string

	// beside, prepare and run are a main class with its arguments: the process beside the
	// broker, if it has one; the tool that formats its directory, with the arguments scram to
	// create the users of SCRAM, if it needs one; and the broker.
	beside, prepare, scram, run []string
	// ready is the text in the log of a broker that serves.
	ready string

	// listeners and mechanisms are the supported ones.
	listeners  []Listener
	mechanisms []string
	// named: listeners have names, and settings of their own (KIP-103; 0.10.2 has the
	// names, and ignores the settings). Before, their names are the protocols, and
	// all settings hold for all.
	named bool
	// jaas: logins are configured by properties (KIP-85, KIP-226), not by a file of
	// Java's.
	jaas bool
}

// releaseOf combines the rows that apply to a version. It accepts versions that do not
// exist; Fetch fails for those.
func releaseOf(version string, mode Mode) (*release, error) {
	numbers, err := parseVersion(version)
	if err != nil {
		return nil, err
	}
	oldest := releases[0].from
	if numbers.less(oldest) {
		return nil, fmt.Errorf("acceptance: Kafka %s is not supported: want %s or later", version, oldest)
	}
	switch {
	case mode == DefaultMode && numbers.less("3.3.0"):
		mode = ZooKeeper
	case mode == DefaultMode:
		mode = KRaft
	case mode == KRaft && numbers.less("2.8.0"), mode == ZooKeeper && !numbers.less("4.0.0"):
		return nil, fmt.Errorf("acceptance: Kafka %s has no mode %s", version, mode)
	}
	rel := &release{from: version, mode: mode, files: make(map[string]map[string]string)}
	for _, row := range releases {
		if numbers.less(row.from) || row.before != "" && !numbers.less(row.before) ||
			row.mode != DefaultMode && row.mode != mode {
			continue
		}
		rel.add(row)
	}
	return rel, nil
}

// jars are what a broker of the version consists of.
func (rel *release) jars(version string) jars {
	kafka := "org.apache.kafka:kafka_" + rel.scala + ":" + version
	return jars{name: "kafka-" + version, artifacts: append([]string{kafka}, rel.additions...),
		exclusions: rel.exclusions}
}

// add adds a row: lists and files grow, other fields are replaced.
func (rel *release) add(row release) {
	rel.additions = append(rel.additions, row.additions...)
	rel.exclusions = append(rel.exclusions, row.exclusions...)
	rel.flags = append(rel.flags, row.flags...)
	rel.listeners = append(rel.listeners, row.listeners...)
	rel.mechanisms = append(rel.mechanisms, row.mechanisms...)
	for name, properties := range row.files {
		if rel.files[name] == nil {
			rel.files[name] = make(map[string]string)
		}
		maps.Copy(rel.files[name], properties)
	}
	for _, c := range []struct{ to, from *[]string }{
		{&rel.beside, &row.beside}, {&rel.prepare, &row.prepare}, {&rel.scram, &row.scram}, {&rel.run, &row.run},
	} {
		if *c.from != nil {
			*c.to = *c.from
		}
	}
	if row.scala != "" {
		rel.scala = row.scala
	}
	if row.ready != "" {
		rel.ready = row.ready
	}
	rel.named = rel.named || row.named
	rel.jaas = rel.jaas || row.jaas
}

// numbers is a parsed version.
type numbers []int

// less reports whether the version is before another one, which must be well formed.
func (n numbers) less(version string) bool {
	other, err := parseVersion(version)
	if err != nil {
		panic(err)
	}
	return slices.Compare(n, other) < 0
}

// parseVersion parses "4.4.0", or "0.8.2.2", since versions before 1.0 have four numbers.
func parseVersion(version string) (numbers, error) {
	parts := strings.Split(version, ".")
	all := make(numbers, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || len(parts) < 3 || len(parts) > 4 {
			return nil, fmt.Errorf("acceptance: %q is not a version of Kafka, such as %q", version, Newest)
		}
		all[i] = int(n)
	}
	return all, nil
}
