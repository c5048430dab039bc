package probe

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// versionDocument is the answer of check-version.
type versionDocument struct {
	Broker   string       `json:"broker"`
	Verdict  string       `json:"verdict"`
	Kind     string       `json:"kind"` // exact, at least, between or custom
	Low      string       `json:"low"`
	High     string       `json:"high"`
	Lineage  *string      `json:"lineage"` // null: unknown, or the release was configured
	Evidence []string     `json:"evidence"`
	Features []featureRow `json:"features"`

	Connections int     `json:"connections,omitempty"` // used; 0: the broker was not asked
	RoundTrips  int     `json:"round_trips,omitempty"`
	TookMillis  float64 `json:"took_ms,omitempty"`
	Hint        string  `json:"hint,omitempty"`

	versions *broker.Versions
}

// featureRow is one feature (KIP-584): the levels that the broker supports, and those
// that the cluster finalized. Null: the broker names none.
type featureRow struct {
	Name      string        `json:"name"`
	Supported *versionRange `json:"supported"`
	Finalized *versionRange `json:"finalized"`
}

func (a *app) checkVersion() *cobra.Command {
	var other string
	command := &cobra.Command{
		Use: "check-version HOST:PORT", Short: "Find the release of a broker",
		Long: `check-version finds the release of Kafka that a broker runs, by the versions of all its
APIs and by its features, and prints the kind of server and the evidence. Releases that
look the same are both named: "between 3.3 and 3.4"; a broker newer than the newest
known release is "at least" that release. A server that matches no release of Apache
Kafka is "custom", with the nearest release and the differences. Brokers before 0.10 do
not list their APIs: their release is found by the old requests that they answer.

With --diff a second broker is asked, and the APIs and features are listed that the two
have in different versions. Both connections use the same properties.`,
		Example: `  kafkaprobe check-version localhost:9092
  kafkaprobe check-version localhost:9092 --json | jq -r .verdict
  kafkaprobe check-version --diff broker-2:9092 broker-1:9092`,
	}
	command.Flags().StringVar(&other, "diff", "", "HOST:PORT of a second broker, to compare with")
	return a.command(command, a.withTimeout(func(ctx context.Context, args []string) error {
		one, err := a.askVersion(ctx, args[0])
		if err != nil {
			return err
		}
		if other == "" {
			return a.emit(one, one.text())
		}
		two, err := a.askVersion(ctx, other)
		if err != nil {
			return err
		}
		diff := newVersionDiff(one, two)
		return a.emit(diff, diff.text())
	}))
}

func (a *app) askVersion(ctx context.Context, address string) (doc versionDocument, err error) {
	began := time.Now()
	cfg, err := a.config(address)
	if err != nil {
		return doc, err
	}
	cfg.ProbeOldReleases = cmp.Or(cfg.ProbeOldReleases, new(true))
	conn, err := a.dialWith(ctx, cfg)
	if err != nil {
		return doc, err
	}
	defer conn.Close()
	verdict, err := conn.CheckVersion(ctx, broker.Check{})
	if err != nil {
		return doc, err
	}
	versions, err := conn.APIVersions(ctx)
	if err != nil {
		return doc, err
	}
	doc = versionDocument{
		Broker: address, Verdict: verdict.String(), Kind: verdict.Kind.String(),
		Low: verdict.Low.String(), High: verdict.High.String(), Evidence: verdict.Evidence,
		Features: []featureRow{}, // not null, as JSON
		versions: versions,
	}
	for _, p := range paired(versions.Supported(), versions.Finalized(), featureRange) {
		doc.Features = append(doc.Features, featureRow{p.key, p.ranges[0], p.ranges[1]})
	}
	if verdict.Lineage != 0 {
		doc.Lineage = new(verdict.Lineage.String())
	}
	if doc.Connections, doc.RoundTrips = versions.RoundTrips(); doc.Connections > 0 {
		doc.TookMillis = millis(time.Since(began).Round(time.Microsecond))
	}
	if versions.OfController() {
		doc.Hint = hintController + " to produce and fetch"
	}
	return doc, nil
}

func (d versionDocument) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, d.Verdict)
	if d.Lineage != nil {
		fmt.Fprintln(&b, *d.Lineage)
	}
	for _, sentence := range d.Evidence {
		fmt.Fprintln(&b, "- "+oneLine(sentence))
	}
	if d.Hint != "" {
		fmt.Fprintln(&b, "hint: "+d.Hint)
	}
	if d.Connections > 0 {
		fmt.Fprintf(&b, "took %v ms, connections: %d, round trips: %d\n", d.TookMillis, d.Connections, d.RoundTrips)
	}
	if len(d.Features) > 0 {
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "FEATURE\tSUPPORTED\tFINALIZED")
		for _, f := range d.Features {
			fmt.Fprintf(w, "%s\t%v\t%v\n", oneLine(f.Name), f.Supported, f.Finalized)
		}
		w.Flush()
	}
	return b.String()
}

// versionDiff is two brokers, and the APIs and features that differ.
type versionDiff struct {
	Brokers  [2]versionDocument `json:"brokers"`
	APIs     []apiDiff          `json:"apis"` // by key
	Features []featureDiff      `json:"features"`
}

// apiDiff is the versions of one API. Null: the broker does not have it.
type apiDiff struct {
	Key      int16            `json:"key"`
	Name     string           `json:"name"`
	Versions [2]*versionRange `json:"versions"`
}

// featureDiff is the levels that each broker supports. Null: it does not name the feature.
type featureDiff struct {
	Name      string           `json:"name"`
	Supported [2]*versionRange `json:"supported"`
}

func newVersionDiff(one, two versionDocument) versionDiff {
	d := versionDiff{Brokers: [2]versionDocument{one, two}, APIs: []apiDiff{}, Features: []featureDiff{}}
	for _, p := range paired(one.versions.Ranges(), two.versions.Ranges(), apiRange) {
		if p.differs() {
			d.APIs = append(d.APIs, apiDiff{p.key, kafkacodec.KeyName(p.key), p.ranges})
		}
	}
	for _, p := range paired(one.versions.Supported(), two.versions.Supported(), featureRange) {
		if p.differs() {
			d.Features = append(d.Features, featureDiff{p.key, p.ranges})
		}
	}
	return d
}

func (d versionDiff) text() string {
	var b strings.Builder
	for _, side := range d.Brokers {
		fmt.Fprintf(&b, "%s: %s\n", oneLine(side.Broker), side.Verdict)
	}
	if len(d.APIs)+len(d.Features) == 0 {
		fmt.Fprintln(&b, "no difference")
		return b.String()
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "KEY\tNAME\t%s\t%s\n", oneLine(d.Brokers[0].Broker), oneLine(d.Brokers[1].Broker))
	for _, a := range d.APIs {
		fmt.Fprintf(w, "%d\t%s\t%v\t%v\n", a.Key, a.Name, a.Versions[0], a.Versions[1])
	}
	for _, f := range d.Features {
		fmt.Fprintf(w, "-\t%s\t%v\t%v\n", oneLine(f.Name), f.Supported[0], f.Supported[1])
	}
	w.Flush()
	return b.String()
}

// versionRange is a range of versions, both ends included.
type versionRange struct {
	Min int16 `json:"min"`
	Max int16 `json:"max"`
}

func (r *versionRange) String() string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("%d-%d", r.Min, r.Max)
}

// pair is one key of two lists, with its range in each; nil: the list does not have it.
type pair[K cmp.Ordered] struct {
	key    K
	ranges [2]*versionRange
}

func (p pair[K]) differs() bool {
	return p.ranges[0] == nil || p.ranges[1] == nil || *p.ranges[0] != *p.ranges[1]
}

// paired joins two lists by key, and sorts by key.
func paired[K cmp.Ordered, T any](one, two []T, rangeOf func(T) (K, versionRange)) (all []pair[K]) {
	byKey := map[K]*[2]*versionRange{}
	for i, list := range [][]T{one, two} {
		for _, element := range list {
			key, versions := rangeOf(element)
			if byKey[key] == nil {
				byKey[key] = new([2]*versionRange)
			}
			byKey[key][i] = &versions
		}
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, pair[K]{key, *byKey[key]})
	}
	return all
}

func apiRange(r ports.APIRange) (int16, versionRange) { return r.Key, versionRange{r.Min, r.Max} }

func featureRange(f ports.Feature) (string, versionRange) { return f.Name, versionRange{f.Min, f.Max} }
