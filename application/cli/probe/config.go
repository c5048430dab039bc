package probe

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"brokerconn/application/properties"
)

// settingRow is a setting that the properties gave.
type settingRow struct {
	Key   string `json:"key"` // as written, or in the words asked for; empty: they have none
	Value string `json:"value"`
	Sets  string `json:"sets"`          // the field, in Go
	Where string `json:"where"`         // file and line, or -X
	Why   string `json:"why,omitempty"` // why there is no key
}

// ignoredRow is a key without an effect.
type ignoredRow struct {
	Key   string `json:"key"`
	Where string `json:"where"`
	Why   string `json:"why"`
}

// configDocument is the answer of config.
type configDocument struct {
	Dialect  string       `json:"dialect"`
	As       string       `json:"as,omitempty"`
	Settings []settingRow `json:"settings"`
	Ignored  []ignoredRow `json:"ignored"`
}

func (a *app) showConfig() *cobra.Command {
	var as string
	c := a.command(&cobra.Command{
		Use: "config", Short: "Print what properties come to, without connecting",
		Long: `config reads properties as the commands do that connect, and prints each setting that they
give: its key, its value, the field that it sets in Go, and the file and line that count.
Keys without an effect follow, with the reason. Secrets are not printed.

With --as the settings are printed as a file of properties of another client; what that
client has no key for, or takes from no line of a file, is a comment.`,
		Example: `  kafkaprobe config -F client.properties
  kafkaprobe config -F client.properties -X client.id=probe --json
  kafkaprobe config -F client.properties --as librdkafka > client.conf`,
	}, func(context.Context, []string) error {
		if !a.properties.given() {
			return usagef("no properties are given: -F FILE or -X KEY=VALUE")
		}
		target, err := properties.ParseDialect(as)
		if err != nil {
			return usagef("--as: %v", err)
		}
		for _, warning := range a.settings.Warnings() {
			a.warn(warning)
		}
		doc := newConfigDocument(a.settings, target)
		return a.emit(doc, doc.text())
	})
	a.properties.declare(c)
	c.Flags().StringVar(&as, "as", "",
		"print a file of properties for this client: kafka-python, java or librdkafka")
	return c
}

func newConfigDocument(s *properties.Settings, target properties.Dialect) configDocument {
	doc := configDocument{Dialect: s.Dialect.String(), Settings: []settingRow{}, Ignored: []ignoredRow{}}
	if target != properties.Guess {
		doc.As = target.String()
	}
	for _, line := range s.Lines(target) {
		doc.Settings = append(doc.Settings, settingRow{Key: line.Key, Value: line.Value, Sets: line.Sets,
			Where: line.Where, Why: line.Why})
	}
	for _, i := range s.Ignored {
		doc.Ignored = append(doc.Ignored, ignoredRow{Key: i.Key, Where: i.Where, Why: i.Why})
	}
	return doc
}

func (d configDocument) text() string {
	var b strings.Builder
	if d.As != "" {
		fmt.Fprintf(&b, "# The properties of %s, read as those of %s.\n", d.As, d.Dialect)
		for _, row := range d.Settings {
			if row.Key == "" {
				fmt.Fprintf(&b, "# no key for %s = %s (%s)%s\n", row.Sets, escapedLine(row.Value),
					escapedLine(row.Where), strings.TrimSuffix(": "+row.Why, ": "))
				continue
			}
			fmt.Fprintf(&b, "%s=%s\n", row.Key, escapedLine(row.Value))
		}
		return b.String()
	}
	fmt.Fprintf(&b, "dialect: %s\n", d.Dialect)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range d.Settings {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row.Key, escapedLine(row.Value), row.Sets,
			escapedLine(row.Where))
	}
	for _, row := range d.Ignored {
		fmt.Fprintf(table, "%s\tignored: %s\t-\t%s\n", escapedLine(row.Key), escapedLine(row.Why),
			escapedLine(row.Where))
	}
	_ = table.Flush() // a strings.Builder takes everything
	return b.String()
}
