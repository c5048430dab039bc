package probe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"brokerconn/adapters/kafkacodec"
)

// versionDiff is two brokers, and what they have in different versions.
type versionDiff struct {
	Brokers  [2]versionDocument `json:"brokers"`
	APIs     []apiDiff          `json:"apis"` // that differ, by key
	Features []featureDiff      `json:"features"`
}

// apiDiff is the versions of one API. Null: the broker does not have it.
type apiDiff struct {
	Key  int16            `json:"key"`
	Name string           `json:"name"`
	Has  [2]*versionRange `json:"versions"`
}

// featureDiff is the levels that each broker could do. Null: it names none.
type featureDiff struct {
	Name string           `json:"name"`
	Has  [2]*versionRange `json:"supported"`
}

func newVersionDiff(one, two versionAnswer) versionDiff {
	d := versionDiff{Brokers: [2]versionDocument{one.doc, two.doc}, APIs: []apiDiff{}, Features: []featureDiff{}}
	apis, named := map[int16]*apiDiff{}, map[string]*featureDiff{}
	for i, side := range []versionAnswer{one, two} {
		for _, r := range side.versions.Ranges() {
			if apis[r.Key] == nil {
				apis[r.Key] = &apiDiff{Key: r.Key, Name: kafkacodec.KeyName(r.Key)}
			}
			apis[r.Key].Has[i] = &versionRange{r.Min, r.Max}
		}
		for _, f := range side.versions.Supported() {
			if named[f.Name] == nil {
				named[f.Name] = &featureDiff{Name: f.Name}
			}
			named[f.Name].Has[i] = &versionRange{f.Min, f.Max}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(apis)) {
		if a := apis[key]; differ(a.Has) {
			d.APIs = append(d.APIs, *a)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if f := named[name]; differ(f.Has) {
			d.Features = append(d.Features, *f)
		}
	}
	return d
}

func differ(has [2]*versionRange) bool {
	return has[0] == nil || has[1] == nil || *has[0] != *has[1]
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
		fmt.Fprintf(w, "%d\t%s\t%v\t%v\n", a.Key, a.Name, a.Has[0], a.Has[1])
	}
	for _, f := range d.Features {
		fmt.Fprintf(w, "-\t%s\t%v\t%v\n", oneLine(f.Name), f.Has[0], f.Has[1])
	}
	w.Flush()
	return b.String()
}
