package release

import "brokerconn/ports"

// ReleasesOf and LineageTable are the tables that Identify compares with: the releases of a lineage, and of each the
// ranges and the level of metadata.version, 0 for none.
var ReleasesOf = releasesOf

func LineageTable(l Lineage, r Release) (ranges []ports.APIRange, level int16) {
	return rangesOf(l, r), levelsOf(l).at(r).max
}
