package main

import (
	"fmt"
	"html"
	"os"
	"strings"
)

// draw writes a chart: for each workload the requests per second of each client beside those of the floor.
func (b *bench) draw(file string) error {
	var bars []bar
	for _, w := range workloads {
		for _, c := range w.clients {
			values := b.values(figure{workload: w.name, client: c, of: perSecond, than: "floor"})
			if c == "floor" || !strings.Contains(charted, "|"+w.name+"|") || len(values) == 0 {
				continue
			}
			low, middle, high := quartiles(values)
			bars = append(bars, bar{w.name, c, low, middle, high})
		}
	}
	return save(file, "Requests per second on one connection, beside a bare socket",
		"the socket, with frames made before, is 1; lines are quartiles", bars)
}

// drawGrowth writes a chart of how cost grows: beside the floor, or, for connections, beside a single one.
func (b *bench) drawGrowth(file string) error {
	var bars []bar
	for _, w := range growing() {
		f := figure{workload: w.name, client: "conn", of: perSecond, than: "floor"}
		if len(w.clients) == 1 {
			f.than, f.thanIn = "conn", ofConnections(1)
		}
		if values := b.values(f); len(values) > 0 {
			low, middle, high := quartiles(values)
			bars = append(bars, bar{w.name, "conn", low, middle, high})
		}
	}
	return save(file, "How requests per second grow",
		"a bare socket that does the same is 1, for connections a single one; lines are quartiles", bars)
}

func save(file, title, note string, bars []bar) error {
	return os.WriteFile(file, []byte(picture(title, note, bars)), 0o644)
}

// charted are the workloads of the chart: at the others the broker's pace, or a pause, decides.
const charted = "|1 in flight|1 in flight, TLS|64 callers|64 async|256 async|64 async, TLS|1 MiB produce|1 MiB fetch|" +
	"dial|dial, TLS|"

// bar is one client at one workload: quartiles of the ratio to the floor.
type bar struct {
	workload, client  string
	low, middle, high float64
}

const (
	chartWidth = 860
	barsAt     = 250 // from the left
	unit       = 520 // pixels for the floor
	lineHeight = 20
)

const chartStyle = `
    svg { color-scheme: light dark }
    text { font: 13px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
    .head { font-weight: bold; font-size: 15px }
    .note { fill: #59636e; font-size: 12px }
    .page { fill: #ffffff }
    .ours { fill: #0550ae }
    .other { fill: #b7bdc4 }
    .spread { stroke: #1f2328 }
    .floor { stroke: #1a7f37; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .note { fill: #9198a1 }
      .page { fill: #0d1117 }
      .ours { fill: #79c0ff }
      .other { fill: #4a525c }
      .spread { stroke: #e6edf3 }
      .floor { stroke: #56d364 }
    }
  `

// names are what readers call the clients.
var names = map[string]string{"conn": "Conn", "typed": "Conn, typed", "borrower": "Conn, lent", "polled": "Polled",
	"franz": "franz-go"}

func picture(title, note string, bars []bar) string {
	var b strings.Builder
	y, last := 74, ""
	for _, r := range bars {
		if r.workload != last {
			y += 10
			fmt.Fprintf(&b, "  <text x=\"20\" y=\"%d\">%s</text>\n", y+14, html.EscapeString(r.workload))
			last = r.workload
		}
		r.draw(&b, y)
		y += lineHeight
	}
	height := y + 20
	head := fmt.Sprintf(chartHead, chartWidth, height, chartStyle, barsAt+unit, height-14, title, note)
	return head + b.String() + "</svg>\n"
}

const chartHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d"
    role="img">
  <title>%[6]s</title>
  <style>%[3]s</style>
  <rect class="page" width="100%%" height="100%%"/>
  <text class="head" x="20" y="28">%[6]s</text>
  <text class="note" x="20" y="48">%[7]s</text>
  <path class="floor" d="M%[4]d 62V%[5]d"/>
`

// draw draws a bar at a height.
func (r bar) draw(b *strings.Builder, y int) {
	class, name := "other", r.client
	if shown, ok := names[r.client]; ok {
		name = shown
	}
	switch r.client {
	case "conn", "typed", "borrower", "polled":
		class = "ours"
	}
	to := func(ratio float64) int { return barsAt + int(min(ratio, 1.1)*unit) }
	fmt.Fprintf(b, "  <text class=\"note\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", barsAt-8, y+14, name)
	fmt.Fprintf(b, "  <rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", class, barsAt, y+3,
		max(to(r.middle)-barsAt, 1), lineHeight-6)
	fmt.Fprintf(b, "  <path class=\"spread\" d=\"M%d %dH%d\"/>\n", to(r.low), y+lineHeight/2, to(r.high))
	fmt.Fprintf(b, "  <text class=\"note\" x=\"%d\" y=\"%d\">%.2f</text>\n", to(max(r.high, r.middle))+6, y+14,
		r.middle)
}
