package parity

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A trace of kafka-python and ours agree if they are the same, line by line. A
// difference is accounted for in one of two ways, both of which say exactly which
// line differs and how:
//
//   - a rule of a deviation rewrites the lines that always differ, before
//     anything is compared, and is applied to every line that it matches;
//   - the scenario lists, below a step, the missing lines and the lines that replace
//     them.
//
// A listed difference that does not occur is a mistake as well.

// deviation is one thing that this library does otherwise, on purpose.
type deviation struct {
	name   string
	reason string
	rules  []rule
}

// rule turns a line of kafka-python's traces into ours; "" leaves it out.
type rule struct {
	versions []string
	line     *regexp.Regexp
	ours     string
	when     func(*settings) bool // nil: always
}

// verdict is what a comparison found.
type verdict struct {
	problems []string
	shown    map[string]bool // the deviations that were seen
}

// compare holds our trace of a scenario against that of one kafka-python.
func compare(sc *scenario, version string, theirs, ours trace, list []deviation) verdict {
	v := verdict{shown: map[string]bool{}}
	complain := func(format string, args ...any) {
		v.problems = append(v.problems, sc.name+", kafka-python "+version+": "+fmt.Sprintf(format, args...))
	}
	if len(theirs) != len(sc.steps) || len(ours) != len(sc.steps) {
		complain("the scenario has %d steps, its traces %d, and ours %d", len(sc.steps), len(theirs), len(ours))
		return v
	}
	for i, s := range sc.steps {
		var listed difference
		for _, d := range s.differ {
			switch {
			case !slices.Contains(d.versions, version):
				continue
			case !slices.ContainsFunc(list, func(known deviation) bool { return known.name == d.deviation }):
				complain("step %d, %q: no deviation is called %q", i+1, s.text, d.deviation)
			}
			listed.minus, listed.plus = append(listed.minus, d.minus...), append(listed.plus, d.plus...)
			v.shown[d.deviation] = true
		}
		lines := v.rewrite(&sc.settings, version, theirs[i], list)
		minus, plus := diff(lines, ours[i])
		if !slices.Equal(minus, listed.minus) || !slices.Equal(plus, listed.plus) {
			complain("step %d, %q: got the difference\n%swant\n%s", i+1, s.text,
				difference{minus: minus, plus: plus}, listed)
		}
	}
	return v
}

// rewrite applies the rules.
func (v *verdict) rewrite(s *settings, version string, lines []string, list []deviation) (out []string) {
	for _, line := range lines {
		for _, d := range list {
			for _, r := range d.rules {
				if slices.Contains(r.versions, version) && (r.when == nil || r.when(s)) && r.line.MatchString(line) {
					line = r.line.ReplaceAllString(line, r.ours)
					v.shown[d.name] = true
				}
			}
		}
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

func (d difference) String() string {
	var b strings.Builder
	for _, line := range d.minus {
		fmt.Fprintf(&b, "\t| - %s\n", line)
	}
	for _, line := range d.plus {
		fmt.Fprintf(&b, "\t| + %s\n", line)
	}
	if b.Len() == 0 {
		return "\t(nothing)\n"
	}
	return b.String()
}

// diff returns the lines that only a has, and those that only b has, in order:
// what is left of each beside a longest common subsequence.
func diff(a, b []string) (minus, plus []string) {
	common := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			minus = append(minus, a[i])
			i++
		default:
			plus = append(plus, b[j])
			j++
		}
	}
	return append(minus, a[i:]...), append(plus, b[j:]...)
}
