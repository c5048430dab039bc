package release_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"brokerconn/domain/release"
)

// TestIdentifyAgainstFranzGo checks that we are right wherever franz-go's kversion is, which another author collected
// from Kafka's commits. It compares the highest versions only, and no feature.
func TestIdentifyAgainstFranzGo(t *testing.T) {
	right, same := 0, 0
	answers := slices.Concat(knownAnswers(), measuredAnswers(t))
	for _, a := range answers {
		r := kmsg.NewPtrApiVersionsResponse()
		for _, held := range a.Ranges {
			r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: held.Key, MinVersion: held.Min,
				MaxVersion: held.Max})
		}
		theirs := strings.ReplaceAll(kversion.FromApiVersionsResponse(r).VersionGuess(), "v", "")
		ours := identify(t, a.APIVersionsResponse)
		if theirs == a.release.String() {
			right++
			// kversion names the later of two equal releases.
			if low, high := twins(a); ours.String() != theirs &&
				(ours.Kind != release.Between || ours.Low != low || ours.High != high) {
				t.Errorf("%s: got %v, want %v, as kversion", a.name, ours, theirs)
			}
		}
		if ours.String() == theirs {
			same++
		} else {
			t.Logf("%-32s ours %-20v theirs %s", a.name, ours, theirs)
		}
	}
	t.Logf("%d answers: kversion is right on %d, and says the same on %d", len(answers), right, same)
	if right < 100 {
		t.Errorf("kversion is right on: got %d, want at least 100; the test may call it wrongly", right)
	}
}

// TestMetadataLevelsAgainstFranzGo compares the levels of metadata.version, which franz-go has from
// MetadataVersion.java.
func TestMetadataLevelsAgainstFranzGo(t *testing.T) {
	for _, l := range []release.Lineage{release.ZooKeeperBroker, release.KRaftBroker, release.KRaftController} {
		for _, r := range release.ReleasesOf(l) {
			var want int16
			kversion.FromString(fmt.Sprintf("v%d.%d.%d", r.Major, r.Minor, r.Patch)).EachSupportedFeature(
				func(name string, _, highest int16) {
					if name == "metadata.version" && l != release.ZooKeeperBroker {
						want = highest
					}
				})
			if _, got := release.LineageTable(l, r); got != want {
				t.Errorf("%v %v: got level %d, want %d, as franz-go", l, r, got, want)
			}
		}
	}
}
