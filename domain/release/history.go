package release

import (
	"strconv"
	"strings"
)

// A history is a row of the tables: one API, and the steps it took.
type history struct {
	key   int16
	name  string
	steps []step // ascending
}

// A step is the versions that an API has from a release on.
type step struct {
	from Release
	held span
	same bool // from here on it is the row of brokers with ZooKeeper
}

// A span is the versions of an API, or the level of a feature. ok is false if there is no such API or feature.
type span struct {
	min, max int16
	ok       bool
}

// at is the versions of the API in release r: those of its last step until then.
func (h *history) at(r Release) span {
	var held span
	for _, s := range h.steps {
		if r.before(s.from) {
			break
		}
		held = s.held
	}
	return held
}

func readHistories(table string) []history {
	var all []history
	for row := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		columns := strings.Fields(row)
		if row[0] == ' ' { // it continues the row before
			last := &all[len(all)-1]
			last.steps = append(last.steps, readSteps(columns)...)
			continue
		}
		all = append(all, history{key: int16(readNumber(columns[0])), name: columns[1], steps: readSteps(columns[2:])})
	}
	return all
}

// readSteps reads columns such as "2.4:8", "4.0:4-17", "4.0:none", "3.5:same".
func readSteps(columns []string) []step {
	steps := make([]step, 0, len(columns))
	for _, column := range columns {
		from, versions, _ := strings.Cut(column, ":")
		s := step{from: readRelease(from)}
		switch versions {
		case gone:
		case likeZooKeeper:
			s.same = true
		default:
			lowest, highest, two := strings.Cut(versions, "-")
			if !two {
				lowest, highest = "0", versions
			}
			s.held = span{int16(readNumber(lowest)), int16(readNumber(highest)), true}
		}
		steps = append(steps, s)
	}
	return steps
}

// readRelease reads "4.3" or "0.10.1".
func readRelease(name string) Release {
	var numbers [3]int
	for i, part := range strings.SplitN(name, ".", len(numbers)) {
		numbers[i] = readNumber(part)
	}
	return Release{numbers[0], numbers[1], numbers[2]}
}

func readNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("release: the tables have " + strconv.Quote(s) + ", not a number")
	}
	return n
}
