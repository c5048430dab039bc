package properties

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The numbers that the clients take, as acceptance/clientkeys finds them. kafka-python has no
// bounds.

//go:embed client_ranges.txt
var clientRanges string

type bounds struct{ low, high int64 }

var ranges = func() map[Dialect]map[string]bounds {
	all := map[Dialect]map[string]bounds{Java: {}, Librdkafka: {}}
	for line := range strings.Lines(clientRanges) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		d, err := ParseDialect(words[0])
		low, errLow := strconv.ParseInt(words[2], 10, 64)
		high, errHigh := strconv.ParseInt(words[3], 10, 64)
		if err != nil || errLow != nil || errHigh != nil {
			panic("properties: not a range: " + line)
		}
		all[d][words[1]] = bounds{low, high}
	}
	return all
}()

// within returns the bounds of a key's numbers that are the client's as well.
func (r *reader) within(p *Property, low, high int64) (int64, int64) {
	if client, listed := ranges[r.s.Dialect][p.Key]; listed {
		return max(low, client.low), min(high, client.high)
	}
	return low, high
}

// outside says why a client refuses a number; empty: it does not.
func outside(d Dialect, name, value string) string {
	client, listed := ranges[d][name]
	n, err := strconv.ParseInt(value, 10, 64)
	if !listed || err != nil || client.low <= n && n <= client.high {
		return ""
	}
	return fmt.Sprintf("%v takes %s %s", d, name, client)
}

// String returns "from 1 to 2", without what bounds every number.
func (b bounds) String() string {
	if b.low == math.MinInt64 {
		return ""
	}
	return fmt.Sprintf("from %d to %d", b.low, b.high)
}
