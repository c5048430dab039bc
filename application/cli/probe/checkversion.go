package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

type versionDocument struct {
	Broker   string       `json:"broker"`
	Verdict  string       `json:"verdict"`
	Kind     string       `json:"kind"` // exact, at least, between or custom
	Low      string       `json:"low"`
	High     string       `json:"high"`
	Lineage  *string      `json:"lineage"` // null: the release was configured
	Evidence []string     `json:"evidence"`
	Features []featureRow `json:"features"`

	Connections int     `json:"connections,omitempty"` // that it took; 0: the broker was not asked
	RoundTrips  int     `json:"round_trips,omitempty"`
	TookMillis  float64 `json:"took_ms,omitempty"`
	Hint        string  `json:"hint,omitempty"`
}

// featureRow is one feature (KIP-584): what the broker could do, and what the
// cluster agreed on. Null where it named none.
type featureRow struct {
	Name      string        `json:"name"`
	Supported *versionRange `json:"supported"`
	Finalized *versionRange `json:"finalized"`
}

func (a *app) checkVersion() *cobra.Command {
	var other string
	command := &cobra.Command{
		Use:   "check-version HOST:PORT",
		Short: "Tell the release of a broker",
		Long: `check-version tells which release of Kafka a broker is from the versions of all
its APIs and from its features, what kind of server it is, and what it concluded
that from. Releases that cannot be told apart are both named: "between 3.3 and
3.4"; a broker newer than the newest known is "at least" that. What is no release
of Apache Kafka is "custom", with the nearest release and what differs from it.
Brokers before 0.10 cannot be asked, and are told by which old requests they answer.

With --diff another broker is asked as well, and what the two have in different
versions is listed. Both are dialled with the same properties.`,
		Example: `  kafkaprobe check-version localhost:9092
  kafkaprobe check-version localhost:9092 --json | jq -r .verdict
  kafkaprobe check-version --diff broker-2:9092 broker-1:9092`,
	}
	command.Flags().StringVar(&other, "diff", "", "HOST:PORT of another broker, to compare with")
	return a.command(command, func(ctx context.Context, args []string) error {
		ctx, cancel := a.limited(ctx)
		defer cancel()
		one, err := a.askVersion(ctx, args[0])
		if err != nil {
			return err
		}
		if other == "" {
			return a.emit(one.doc, one.doc.text())
		}
		two, err := a.askVersion(ctx, other)
		if err != nil {
			return err
		}
		diff := newVersionDiff(one, two)
		return a.emit(diff, diff.text())
	})
}

// versionAnswer is what one broker is.
type versionAnswer struct {
	doc      versionDocument
	versions *broker.Versions
}

func (a *app) askVersion(ctx context.Context, address string) (versionAnswer, error) {
	began := time.Now()
	cfg, err := a.config(address)
	if err != nil {
		return versionAnswer{}, err
	}
	if on := true; cfg.ProbeOldReleases == nil {
		cfg.ProbeOldReleases = &on
	}
	conn, err := a.dialWith(ctx, address, cfg)
	if err != nil {
		return versionAnswer{}, err
	}
	defer conn.Close()
	verdict, err := conn.CheckVersion(ctx, broker.Check{})
	if err != nil {
		return versionAnswer{}, err
	}
	versions, err := conn.APIVersions(ctx)
	if err != nil {
		return versionAnswer{}, err
	}
	doc := newVersionDocument(address, verdict, features(versions.Supported(), versions.Finalized()))
	if doc.Connections, doc.RoundTrips = versions.RoundTrips(); doc.Connections > 0 {
		doc.TookMillis = millis(time.Since(began).Round(time.Microsecond))
	}
	if verdict.Lineage == broker.KRaftController {
		doc.Hint = "this is the port of a controller: clients that produce and fetch want that of a broker"
	}
	return versionAnswer{doc, versions}, nil
}

func newVersionDocument(address string, v broker.Verdict, features []featureRow) versionDocument {
	d := versionDocument{
		Broker:   address,
		Verdict:  v.String(),
		Kind:     v.Kind.String(),
		Low:      v.Low.String(),
		High:     v.High.String(),
		Evidence: v.Evidence,
		Features: features,
	}
	if v.Lineage != 0 {
		lineage := v.Lineage.String()
		d.Lineage = &lineage
	}
	return d
}

// features joins the two lists, by name.
func features(supported, finalized []ports.Feature) []featureRow {
	rows := []featureRow{} // not null, as JSON
	row := func(name string) *featureRow {
		i := slices.IndexFunc(rows, func(r featureRow) bool { return r.Name == name })
		if i < 0 {
			i = len(rows)
			rows = append(rows, featureRow{Name: name})
		}
		return &rows[i]
	}
	for _, f := range supported {
		row(f.Name).Supported = &versionRange{f.Min, f.Max}
	}
	for _, f := range finalized {
		row(f.Name).Finalized = &versionRange{f.Min, f.Max}
	}
	slices.SortFunc(rows, func(a, b featureRow) int { return strings.Compare(a.Name, b.Name) })
	return rows
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
