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

// apisDocument: where the broker was not asked, the rows have the versions of a
// release in the place of the broker's.
type apisDocument struct {
	Broker  string   `json:"broker"`
	Asked   *int16   `json:"asked"`   // the version of ApiVersions that was answered; null: not asked
	Release *string  `json:"release"` // whose versions they are then; null: asked
	APIs    []apiRow `json:"apis"`

	configured broker.Release
}

func (a *app) apis() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "apis HOST:PORT",
		Short: "List the APIs of a broker and the versions of each",
		Long: `apis lists every API that the broker has: the versions that it has, those that
kafkaprobe has, and the one that would be used, which is the highest in common.
With a release configured, by api_version say, the broker is not asked, and the
versions are those of that release: the first line says so.`,
		Example: `  kafkaprobe apis localhost:9092
  kafkaprobe apis localhost:9092 --json | jq '.apis[] | select(.used == null)'`,
	}, a.connected(func(ctx context.Context, conn *broker.Conn, args []string) error {
		versions, err := conn.APIVersions(ctx)
		if err != nil {
			return err
		}
		doc := apisDocument{Broker: args[0]}
		if asked := versions.RequestVersion(); asked >= 0 {
			doc.Asked = &asked
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
