package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// The size of a cell, and the margin, in pixels. No common monospaced font of 12 pixels is wider.
const (
	cellX, cellY = 74, 18 // cellX in tenths
	margin       = 16
)

// style has each color twice: for light and for dark pages.
const style = `
    svg { color-scheme: light dark }
    text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre }
    .head { font-weight: bold }
    .time, .pause { fill: #59636e }
    .page { fill: #ffffff }
    .band { fill: #f0f2f4 }
    path { fill: none; stroke: #0550ae; stroke-width: 1.5px }
    .life { stroke: #b7bdc4; stroke-width: 1px }
    circle { fill: #0550ae }
    path.failure { stroke: #b3261e; stroke-width: 2.5px }
    text.failure { fill: #b3261e; font-weight: bold }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .time, .pause { fill: #9198a1 }
      .page { fill: #0d1117 }
      .band { fill: #1b222c }
      path { stroke: #79c0ff }
      .life { stroke: #4a525c }
      circle { fill: #79c0ff }
      path.failure { stroke: #ff8a80 }
      text.failure { fill: #ff8a80 }
    }
`

// drawing is an SVG document in the making.
type drawing struct {
	bytes.Buffer
	y int // the middle of the current row
}

func (l *layout) svg() []byte {
	d := &drawing{}
	title := l.title
	if title == "" {
		title = "Sequence chart"
	}
	wide := 0
	for i, name := range l.actors {
		wide = max(wide, l.heads[i].at+len(name))
	}
	for _, r := range l.rows {
		wide = max(wide, r.at+len(r.text))
	}
	titles := wrap(l.title, max(wide, 40))
	if l.title == "" {
		titles = nil
	}
	for _, line := range titles {
		wide = max(wide, len(line))
	}
	lines := len(titles) + l.lines + len(l.rows)
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d"`,
		wide*cellX/10+2*margin, lines*cellY+2*margin)
	fmt.Fprintf(d, " role=\"img\" aria-labelledby=\"title desc\">\n  <title id=\"title\">%s</title>\n", escaped(title))
	fmt.Fprintf(d, "  <desc id=\"desc\">%s</desc>\n", escaped(l.description()))
	fmt.Fprintf(d, "  <style>%s  </style>\n  <rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n", style)

	d.y = margin + cellY/2
	for _, line := range titles {
		d.text("head", 0, line)
		d.y += cellY
	}
	for i, name := range l.actors {
		d.textAt(d.y+l.heads[i].line*cellY, "head", l.heads[i].at, name)
	}
	d.y += l.lines * cellY
	for i, r := range l.rows {
		if r.quiet {
			fmt.Fprintf(d, "  <rect class=\"band\" y=\"%d\" width=\"100%%\" height=\"%d\"/>\n",
				d.y+i*cellY-cellY/2, cellY)
		}
	}
	for _, x := range l.x {
		fmt.Fprintf(d, "  <path class=\"life\" d=\"M%s %dv%d\"/>\n", px(x), d.y-cellY/2, len(l.rows)*cellY)
	}
	for _, r := range l.rows {
		d.row(r)
		d.y += cellY
	}
	d.WriteString("</svg>\n")
	return d.Bytes()
}

// description is read by programs that read pages aloud: the chart in one sentence.
func (l *layout) description() string {
	text := fmt.Sprintf("%d events within %s s between %d actors.",
		len(l.chart.Events), l.clock(l.end()), len(l.actors))
	for _, e := range l.chart.Events {
		if e.Failure {
			text += fmt.Sprintf(" After %s s: %s", l.clock(e.At), shown(e.Text))
		}
	}
	return text
}

func (d *drawing) row(r row) {
	kind := ""
	if r.failure {
		kind = " failure"
	}
	if r.time != "" {
		d.text("time", r.timeAt, r.time)
	}
	switch {
	case r.mark && r.failure:
		fmt.Fprintf(d, "  <path class=\"failure\" d=\"M%s %dm-4 -4 8 8m0 -8 -8 8\"/>\n", px(r.from), d.y)
	case r.mark:
		fmt.Fprintf(d, "  <circle cx=\"%s\" cy=\"%d\" r=\"3\"/>\n", px(r.from), d.y)
	case r.arrow:
		back := -6
		if r.from > r.to {
			back = 6
		}
		head := fmt.Sprintf("m%d -4 %d 4 %d 4", back, -back, back)
		if r.failure {
			head = "m-4 -4 8 8m0 -8 -8 8"
		}
		fmt.Fprintf(d, "  <path class=\"arrow%s\" d=\"M%s %dH%s%s\"/>\n", kind, px(r.from), d.y, px(r.to), head)
	}
	switch {
	case r.text == "":
	case r.quiet:
		d.text("pause", r.at, r.text)
	default: // on a ground of its own, since lines cross it
		fmt.Fprintf(d, "  <rect class=\"page\" x=\"%s\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
			px(r.at), d.y-cellY/2+1, len(r.text)*cellX/10, cellY-2)
		d.text("label"+kind, r.at, r.text)
	}
}

// text writes a text at a column of the current row.
func (d *drawing) text(class string, x int, s string) { d.textAt(d.y, class, x, s) }

func (d *drawing) textAt(y int, class string, x int, s string) {
	fmt.Fprintf(d, "  <text class=\"%s\" x=\"%s\" y=\"%d\">%s</text>\n", class, px(x), y+4, escaped(s))
}

// px is where a column is, in tenths of a pixel, by integers: the same on every machine.
func px(x int) string {
	tenths := x*cellX + margin*10
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a Buffer takes everything
	return b.String()
}
