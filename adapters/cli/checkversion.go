package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

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
}

// featureRow is one feature (KIP-584): what the broker could do, and what the
// cluster agreed on. Null where it named none.
type featureRow struct {
	Name      string        `json:"name"`
	Supported *versionRange `json:"supported"`
	Finalized *versionRange `json:"finalized"`
}

func (a *app) checkVersion() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "check-version HOST:PORT",
		Short: "Tell the release of a broker",
		Long: `check-version tells which release of Kafka a broker is from the versions of all
its APIs and from its features, what kind of server it is, and what it concluded
that from. Releases that cannot be told apart are both named: "between 3.3 and
3.4"; a broker newer than the newest known is "at least" that. What is no release
of Apache Kafka is "custom", with the nearest release and what differs from it.`,
		Example: `  kafkaprobe check-version localhost:9092
  kafkaprobe check-version localhost:9092 --json | jq -r .verdict`,
	}, a.connected(func(ctx context.Context, conn *broker.Conn, args []string) error {
		verdict, err := conn.CheckVersion(ctx, false, nil)
		if err != nil {
			return err
		}
		versions, err := conn.APIVersions(ctx)
		if err != nil {
			return err
		}
		doc := newVersionDocument(args[0], verdict, features(versions.Supported(), versions.Finalized()))
		return a.emit(doc, doc.text())
	}))
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
		fmt.Fprintln(&b, "- "+sentence)
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
