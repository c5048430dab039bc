package chart

import "strings"

// text draws the layout as lines.
func (l *layout) text() string {
	var b strings.Builder
	write := func(line []byte) {
		b.WriteString(strings.TrimRight(string(line), " "))
		b.WriteByte('\n')
	}
	if l.title != "" {
		for _, line := range wrap(l.title, width) {
			write([]byte(line))
		}
		b.WriteByte('\n')
	}
	for n := range l.lines {
		var line []byte
		for i, name := range l.actors {
			if l.heads[i].line == n {
				line = put(line, l.heads[i].at, name)
			}
		}
		write(line)
	}
	for _, r := range l.rows {
		write(l.line(r))
	}
	return b.String()
}

// put writes s into a line at a column, and makes the line longer if it must.
func put(line []byte, at int, s string) []byte {
	for len(line) < at+len(s) {
		line = append(line, ' ')
	}
	copy(line[at:], s)
	return line
}

func (l *layout) line(r row) (line []byte) {
	life := "|"
	if r.quiet {
		life = ":"
	}
	for _, x := range l.x {
		line = put(line, x, life)
	}
	line = put(line, r.timeAt, r.time)
	if r.mark {
		line = put(line, r.from, note(r.failure))
	}
	if r.arrow {
		line = put(line, min(r.from, r.to)+1, r.shaft())
		if r.text != "" {
			return put(line, r.at-1, " "+r.text+" ")
		}
	}
	return put(line, r.at, r.text)
}

// shaft draws an arrow, without the lines of the actors at its ends.
func (r row) shaft() string {
	n := max(r.from, r.to) - min(r.from, r.to) - 2
	switch right := r.from < r.to; {
	case r.failure && right:
		return strings.Repeat("=", n) + "X"
	case r.failure:
		return "X" + strings.Repeat("=", n)
	case right:
		return strings.Repeat("-", n) + ">"
	}
	return "<" + strings.Repeat("-", n)
}

func note(failure bool) string {
	if failure {
		return "X"
	}
	return "o"
}
