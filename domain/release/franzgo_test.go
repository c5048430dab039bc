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

// franz-go's kversion is the second opinion: gathered by another author, from Kafka's
// commits.

// TestIdentifyAgainstFranzGo: wherever kversion is right, so are we. It knows the
// highest versions alone, and no feature when it guesses.
func TestIdentifyAgainstFranzGo(t *testing.T) {
	right, same := 0, 0
	answers := slices.Concat(knownAnswers(), measuredAnswers(t))
	for _, a := range answers {
		r := kmsg.NewPtrApiVersionsResponse()
		for _, held := range a.Ranges {
			r.ApiKeys = append(r.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: held.Key, MinVersion: held.Min, MaxVersion: held.Max})
		}
		theirs := strings.ReplaceAll(kversion.FromApiVersionsResponse(r).VersionGuess(), "v", "")
		ours := identify(t, a.APIVersionsResponse)
		if theirs == a.release.String() {
			right++
			// They name the later of two that are the same.
			if low, high := twins(a); ours.String() != theirs && (ours.Kind != release.Between || ours.Low != low || ours.High != high) {
				t.Errorf("%s: ours %v, theirs %v", a.name, ours, theirs)
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
		t.Errorf("kversion is right on only %d: it was not asked in the right way", right)
	}
}

// The levels of metadata.version, which franz-go has from MetadataVersion.java.
func TestMetadataLevelsAgainstFranzGo(t *testing.T) {
	for _, l := range []release.Lineage{release.ZooKeeperBroker, release.KRaftBroker, release.KRaftController} {
		for _, r := range release.ReleasesOf(l) {
			var want int16
			kversion.FromString(fmt.Sprintf("v%d.%d.%d", r.Major, r.Minor, r.Patch)).EachSupportedFeature(func(name string, _, highest int16) {
				if name == "metadata.version" && l != release.ZooKeeperBroker {
					want = highest
				}
			})
			if _, got := release.LineageTable(l, r); got != want {
				t.Errorf("%v %v: level %d, franz-go's %d", l, r, got, want)
			}
		}
	}
}
