package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
)

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

// apiRow is one API of a broker.
type apiRow struct {
	Key    int16         `json:"key"`
	Name   string        `json:"name"`
	Broker *versionRange `json:"broker"`
	Ours   *versionRange `json:"ours"` // null: unknown here
	Used   *int16        `json:"used"` // null: none in common
}

type apisDocument struct {
	Broker string   `json:"broker"`
	APIs   []apiRow `json:"apis"`
}

func (a *app) apis() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "apis HOST:PORT",
		Short: "List the APIs of a broker and the versions of each",
		Long: `apis lists every API that the broker has: the versions that it has, those that
kafkaprobe has, and the one that would be used, which is the highest in common.`,
		Example: `  kafkaprobe apis localhost:9092
  kafkaprobe apis localhost:9092 --json | jq '.apis[] | select(.used == null)'`,
	}, a.connected(func(ctx context.Context, conn *broker.Conn, args []string) error {
		versions, err := conn.APIVersions(ctx)
		if err != nil {
			return err
		}
		doc := apisDocument{Broker: args[0]}
		for _, r := range versions.Ranges() {
			doc.APIs = append(doc.APIs, newAPIRow(r.Key, versionRange{r.Min, r.Max}))
		}
		return a.emit(doc, doc.text())
	}))
}

func newAPIRow(key int16, theirs versionRange) apiRow {
	row := apiRow{Key: key, Name: kafkacodec.KeyName(key), Broker: &theirs}
	highest, known := kafkacodec.MaxVersion(key)
	if !known {
		return row
	}
	row.Ours = &versionRange{0, highest}
	if used := min(theirs.Max, highest); used >= theirs.Min {
		row.Used = &used
	}
	return row
}

func (d apisDocument) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tNAME\tBROKER\tOURS\tUSED")
	for _, r := range d.APIs {
		used := "none"
		if r.Used != nil {
			used = fmt.Sprint(*r.Used)
		}
		fmt.Fprintf(w, "%d\t%s\t%v\t%v\t%s\n", r.Key, r.Name, r.Broker, r.Ours, used)
	}
	w.Flush()
	return b.String()
}
