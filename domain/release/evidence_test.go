package release_test

import (
	"slices"
	"testing"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// TestEvidenceSentences checks one sentence of the evidence for each table. The versions are those of Kafka's message
// definitions (clients/src/main/resources/common/message).
func TestEvidenceSentences(t *testing.T) {
	type table = ports.APIVersionsResponse
	const kraft, zooKeeper = release.KRaftBroker, release.ZooKeeperBroker
	const controller = release.KRaftController
	for _, c := range []struct {
		name, release string
		lineage       release.Lineage
		edit          func(r *table)
		want          string
		sentence      string
	}{
		{"two differences from a neighbour", "4.2", kraft, func(*table) {}, "4.2", // with the level, 29 and 30
			"not 4.3: DescribeLogDirs has v1 to v4, 4.3 has v1 to v5, and 1 more differs"},
		{"an unknown API", "2.8", zooKeeper, func(r *table) { set(r, 512, 0, 1) }, "custom, nearest 2.8",
			"API 512 is there, v0 to v1, 2.8 has none"},
		{"the newest with an old minimum", "4.4", kraft, func(r *table) { set(r, 1, 0, 18) }, "custom, nearest 4.4",
			"Fetch has v0 to v18, 4.4 has v4 to v18"},
		{"the newest, of which nothing is lower", "4.4", kraft, func(r *table) { set(r, 1, 0, 18) },
			"custom, nearest 4.4", "75 of the 75 APIs of 4.4 have the same highest version"},
		{"between the newest two", "4.3", kraft, func(r *table) { set(r, 94, 0, 0) }, "between 4.3 and 4.4",
			"not 4.3: UnregisterController is there, v0, 4.3 has none"},
		// No product is modelled on KRaft before 3.3 (KIP-833), so the nearest is a broker with ZooKeeper, which had
		// delegation tokens then.
		{"KRaft as a preview", "3.2", kraft, func(r *table) { set(r, 512, 0, 1) }, "custom, nearest 3.2",
			"CreateDelegationToken is missing, 3.2 has v0 to v2"},
		// Controllers are compared with controllers, although they have Fetch too, and Metadata at first.
		{"a controller", "4.4", controller, func(r *table) { set(r, 1, 0, 18) }, "custom, nearest 4.4",
			"42 of the 42 APIs of 4.4 have the same highest version"},
		{"an old controller", "2.8", controller, func(r *table) { set(r, 512, 0, 1) }, "custom, nearest 2.8",
			"20 of the 20 APIs of 2.8 have the same highest version"},
		{"a broker that votes", "3.7", kraft, func(r *table) { set(r, 52, 0, 0) }, "custom, nearest 3.7",
			"55 of the 55 APIs of 3.7 have the same highest version"},
		// Without features, 4.2 and 4.3 differ in the highest version of DescribeLogDirs alone.
		{"as near to one as to the next", "4.2", kraft,
			func(r *table) { r.Supported = nil; set(r, 35, 1, 3); set(r, 512, 0, 0) }, "custom, nearest 4.2",
			"DescribeLogDirs has v1 to v3, 4.2 has v1 to v4"},
	} {
		v := edited(t, c.lineage, c.release, c.edit)
		if v.String() != c.want || !slices.Contains(v.Evidence, c.sentence) {
			t.Errorf("%s: got %v: %q; want %s: %q", c.name, v, v.Evidence, c.want, c.sentence)
		}
		bounded(t, v)
	}
}

// TestNewTableRows checks which rows of an answer are used. A proxy sends an invalid range for an API that it has no
// version of in common with its broker.
func TestNewTableRows(t *testing.T) {
	row := func(key, lowest, highest int16) ports.APIRange {
		return ports.APIRange{Key: key, Min: lowest, Max: highest}
	}
	for _, c := range []struct {
		name                string
		rows, kept, leftOut []ports.APIRange
	}{
		{"one row", []ports.APIRange{row(18, 0, 4)}, []ports.APIRange{row(18, 0, 4)}, nil},
		{"one version", []ports.APIRange{row(0, 0, 0)}, []ports.APIRange{row(0, 0, 0)}, nil},
		{"in any order", []ports.APIRange{row(18, 0, 4), row(3, 1, 2)}, []ports.APIRange{row(3, 1, 2), row(18, 0, 4)},
			nil},
		{"twice, upside down, negative",
			[]ports.APIRange{row(3, 5, 2), row(1, 0, 1), row(18, 0, 4), row(1, 0, 2), row(9, -1, 1), row(-1, 0, 1)},
			[]ports.APIRange{row(18, 0, 4)},
			[]ports.APIRange{row(-1, 0, 1), row(1, 0, 1), row(1, 0, 2), row(3, 5, 2), row(9, -1, 1)}},
	} {
		table, err := release.NewTable(&ports.APIVersionsResponse{Ranges: c.rows})
		if err != nil || !slices.Equal(table.Ranges(), c.kept) || !slices.Equal(table.LeftOut(), c.leftOut) {
			t.Errorf("%s: got %v, left out %v, error %v; want %v, left out %v", c.name, table.Ranges(), table.LeftOut(),
				err, c.kept, c.leftOut)
		}
	}
	table, err := release.NewTable(&ports.APIVersionsResponse{Ranges: []ports.APIRange{row(3, 0, 9), row(36, 0, 2)}})
	if err != nil {
		t.Fatal(err)
	}
	// KIP-511: a broker answers ApiVersions also where its table does not list it.
	want := []ports.APIRange{row(3, 0, 9), row(18, 0, 3), row(36, 0, 2)}
	if got := table.With(row(18, 0, 3)).Ranges(); !slices.Equal(got, want) {
		t.Errorf("with ApiVersions: got %v, want %v", got, want)
	}
	if got := len(table.Ranges()); got != 2 {
		t.Errorf("the table itself: got %d rows, want 2", got)
	}
}
