package probe

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/domain/release"
)

// apiRow is one API of a broker.
type apiRow struct {
	Key    int16         `json:"key"`
	Name   string        `json:"name"`
	Broker *versionRange `json:"broker"`
	Ours   *versionRange `json:"ours"` // null: kafkaprobe does not have it
	Used   *int16        `json:"used"` // null: no version in common
}

// apisDocument is the answer of apis. If the broker was not asked, the rows have the
// versions of a release instead of the broker's.
type apisDocument struct {
	Broker         string   `json:"broker"`
	RequestVersion *int16   `json:"asked"`   // of ApiVersions, as answered; null: the broker was not asked
	Release        *string  `json:"release"` // the versions are of this release; null: of the broker
	APIs           []apiRow `json:"apis"`

	configured broker.Release
}

func (a *app) apis() *cobra.Command {
	return a.command(&cobra.Command{
		Use: "apis HOST:PORT", Short: "List the APIs of a broker and the versions of each",
		Long: `apis lists every API of the broker: the versions that the broker has, those that
kafkaprobe has, and the one that is used, which is the highest in common. If the
properties name a release (api_version), the broker is not asked, the versions are
those of that release, and the first line says so.`,
		Example: `  kafkaprobe apis localhost:9092
  kafkaprobe apis localhost:9092 --json | jq '.apis[] | select(.used == null)'`,
	}, a.withTimeout(func(ctx context.Context, args []string) error {
		conn, err := a.dial(ctx, args[0])
		if err != nil {
			return err
		}
		defer conn.Close()
		versions, err := conn.APIVersions(ctx)
		if err != nil {
			return err
		}
		doc := apisDocument{Broker: args[0]}
		if version := versions.RequestVersion(); version >= 0 {
			doc.RequestVersion = &version
		} else {
			doc.configured = a.settings.Connection.APIVersion
			_, known, _ := release.TableOf(doc.configured)
			doc.Release = new(known.String())
		}
		for _, r := range versions.Ranges() {
			doc.APIs = append(doc.APIs, newAPIRow(r.Key, versionRange{r.Min, r.Max}))
		}
		return a.emit(doc, doc.text())
	}))
}

func newAPIRow(key int16, versions versionRange) apiRow {
	row := apiRow{Key: key, Name: kafkacodec.KeyName(key), Broker: &versions}
	if highest, known := kafkacodec.MaxVersion(key); known {
		row.Ours = &versionRange{0, highest}
		if used := min(versions.Max, highest); used >= versions.Min {
			row.Used = &used
		}
	}
	return row
}

func (d apisDocument) text() string {
	var b strings.Builder
	if d.Release != nil {
		nearest := ""
		if configured := d.configured.String(); configured != *d.Release {
			nearest = ", the nearest to " + configured
		}
		fmt.Fprintf(&b, "not asked: the versions of release %s%s, as configured\n", *d.Release, nearest)
	}
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
