package domain

import (
	"testing"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

func tableOf(t *testing.T, asked int16, rows ...ports.APIRange) *Versions {
	t.Helper()
	v, err := newVersions(&ports.APIVersionsResponse{Ranges: rows}, asked)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestControllersTakeNoRecords: a controller registers brokers (62) and has no Produce (0), by the listeners of Kafka's
// message definitions. A row that cannot be used is one all the same.
func TestControllersTakeNoRecords(t *testing.T) {
	produce, registers := ports.APIRange{Key: 0, Max: 13}, ports.APIRange{Key: 62, Max: 4}
	metadata := ports.APIRange{Key: 3, Max: 13}
	for _, c := range []struct {
		name string
		rows []ports.APIRange
		want bool
	}{
		{"a controller", []ports.APIRange{registers, metadata}, true},
		{"a broker", []ports.APIRange{produce, metadata}, false},
		{"both", []ports.APIRange{produce, registers}, false},
		{"neither", []ports.APIRange{metadata}, false},
		{"Produce without a version", []ports.APIRange{registers, {Key: 0, Min: 3, Max: 2}}, false},
		{"Metadata without a version", []ports.APIRange{registers, {Key: 3, Min: 3, Max: 2}}, true},
	} {
		if got := tableOf(t, 4, c.rows...).OfController(); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestChooseVersion: the highest version that both sides have (KIP-35), and of ApiVersions the one that was answered
// (KIP-511).
func TestChooseVersion(t *testing.T) {
	v := tableOf(t, 3, ports.APIRange{Key: 3, Min: 1, Max: 4}, ports.APIRange{Key: 18, Max: 4},
		ports.APIRange{Key: 1, Min: 5, Max: 2}, ports.APIRange{Key: 1, Min: 0, Max: 9})
	none, unknown, leftOut := VersionError{}, VersionError{Unknown: true}, VersionError{LeftOut: true}
	for _, c := range []struct {
		name             string
		key, first, last int16
		want             int16
		err              *VersionError
		low, high        int16 // of the error
	}{
		{"ours are more", 3, 0, 9, 4, nil, 0, 0},
		{"theirs are more", 3, 2, 3, 3, nil, 0, 0},
		{"their first alone", 3, 0, 1, 1, nil, 0, 0},
		{"their last alone", 3, 4, 9, 4, nil, 0, 0},
		{"theirs are older", 3, 5, 9, 0, &none, 1, 4},
		{"theirs are newer", 3, 0, 0, 0, &none, 1, 4},
		{"ApiVersions", 18, 0, 5, 3, nil, 0, 0},
		{"ApiVersions, the first of ours", 18, 3, 5, 3, nil, 0, 0},
		{"ApiVersions, the last of ours", 18, 0, 3, 3, nil, 0, 0},
		{"ApiVersions in older ones", 18, 0, 2, 2, nil, 0, 0},
		{"ApiVersions in newer ones", 18, 4, 5, 4, nil, 0, 0},
		{"not there", 2, 0, 9, 0, &unknown, 0, 0},
		{"twice", 1, 0, 9, 0, &leftOut, 5, 2},
	} {
		got, err := v.choose(c.key, ports.Traits{MinVersion: c.first, MaxVersion: c.last})
		if c.err == nil {
			if err != nil || got != c.want {
				t.Errorf("%s: got v%d, %v; want v%d", c.name, got, err, c.want)
			}
			continue
		}
		want := VersionError{Key: c.key, OurMin: c.first, OurMax: c.last, TheirMin: c.low, TheirMax: c.high,
			Unknown: c.err.Unknown, LeftOut: c.err.LeftOut}
		if e, ok := err.(*VersionError); !ok || *e != want || got != 0 {
			t.Errorf("%s: got v%d, %+v; want v0, %+v", c.name, got, err, want)
		}
	}
	listed := tableOf(t, 3, ports.APIRange{Key: 18, Max: 2}) // it answers a version that it does not list
	if got, err := listed.choose(18, ports.Traits{MaxVersion: 3}); got != 3 || err != nil {
		t.Errorf("ApiVersions that is not listed: got v%d, %v; want v3", got, err)
	}
	for version, want := range map[int16]bool{0: false, 1: true, 4: true, 5: false} {
		if got := v.has(3, version); got != want {
			t.Errorf("Metadata v%d: got %v, want %v", version, got, want)
		}
	}
	if v.has(2, 0) {
		t.Error("ListOffsets v0: got true, want false")
	}
}

// Before the table is known no API is.
func TestNoVersionsHaveNoAPI(t *testing.T) {
	var v *Versions
	_, _, ok := v.Range(3)
	_, _, detected := v.Detected()
	if ok || detected || v.detected() || v.has(3, 0) || v.LeftOut() != nil || v.OfController() {
		t.Error("got something of a nil table, want nothing")
	}
	if _, err := v.choose(ports.KeyAPIVersions, ports.Traits{MaxVersion: 5}); err == nil {
		t.Error("got a version of ApiVersions, want an error")
	}
	if got := versionsOf(release.Release{Minor: 7}); got != nil {
		t.Errorf("0.7: got %v, want nil", got)
	}
	if got := versionsOf(release.Release{Major: 2, Minor: 8}).RequestVersion(); got != -1 {
		t.Errorf("a configured release: got asked in v%d, want -1", got)
	}
}
