package probe

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"brokerconn/adapters/kafkacodec"
)

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
