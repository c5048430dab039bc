package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

type versionDocument struct {
	Broker   string       `json:"broker"`
	Verdict  string       `json:"verdict"`
	Low      string       `json:"low"`
	High     string       `json:"high"`
	AtLeast  bool         `json:"at_least"`
	Evidence *evidence    `json:"evidence"` // null: the release was configured
	Features []featureRow `json:"features"`
}

// evidence is the API that decided, and the version that it reaches.
type evidence struct {
	Key     int16  `json:"key"`
	Name    string `json:"name"`
	Version int16  `json:"version"`
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
		Short: "Guess the release of a broker",
		Long: `check-version guesses which release of Kafka a broker is from the versions of
its APIs, and tells what it concluded that from. Releases whose tables are the
same are both named: "3.3 or 3.4"; a broker newer than the newest known is
"at least" that. Brokers that are not Apache Kafka are called what they look like.`,
		Example: `  kafkaprobe check-version localhost:9092
  kafkaprobe check-version localhost:9092 --json | jq -r .verdict`,
	}, a.connected(func(ctx context.Context, conn *broker.Conn, args []string) error {
		guess, err := conn.CheckVersion(ctx)
		if err != nil {
			return err
		}
		versions, err := conn.APIVersions(ctx)
		if err != nil {
			return err
		}
		doc := newVersionDocument(args[0], guess, features(versions.Supported(), versions.Finalized()))
		return a.emit(doc, doc.text())
	}))
}

func newVersionDocument(address string, g broker.ReleaseGuess, features []featureRow) versionDocument {
	d := versionDocument{
		Broker:   address,
		Verdict:  g.String(),
		Low:      g.Low.String(),
		High:     g.High.String(),
		AtLeast:  g.AtLeast,
		Features: features,
	}
	if g.Key >= 0 {
		d.Evidence = &evidence{g.Key, kafkacodec.KeyName(g.Key), g.Version}
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
	if d.Evidence == nil {
		fmt.Fprintln(&b, "evidence: none; the release was given, so the broker was not asked")
	} else {
		fmt.Fprintf(&b, "evidence: API %d (%s) reaches v%d\n", d.Evidence.Key, d.Evidence.Name, d.Evidence.Version)
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
