package storm

import (
	"bytes"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// The size of the drawing, in pixels.
const (
	wide, left, right = 960, 64, 24
	plotWidth         = wide - left - right
	plotHeight        = 150
	panelHeight       = plotHeight + 86
	top               = 44
)

const style = `
    svg { color-scheme: light dark }
    text { font: 13px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
    .head { font-weight: bold; font-size: 15px }
    .note { fill: #59636e; font-size: 12px }
    .page { fill: #ffffff }
    .away { fill: #fbe3d6 }
    .bars { stroke: #0550ae; fill: none }
    .axis { stroke: #b7bdc4; fill: none }
    .back { stroke: #1a7f37; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .note { fill: #9198a1 }
      .page { fill: #0d1117 }
      .away { fill: #43291d }
      .bars { stroke: #79c0ff }
      .axis { stroke: #4a525c }
      .back { stroke: #56d364 }
    }
`

// Numbers are the numbers of a storm in one line.
func (r Result) Numbers() string {
	return fmt.Sprintf("attempts: %s, per 10 ms at most %s, once the broker is back at most %s, median %s; "+
		"all are back %v later", thousands(r.Total()), thousands(r.Peak()), thousands(r.PeakOfReturn()),
		thousands(r.Median()), r.Back.Round(10*time.Millisecond))
}

// Name says whether there is jitter.
func (r Result) Name() string {
	if r.Jitter {
		return "pauses varied by a fifth at random"
	}
	return "pauses without jitter"
}

// SVG draws storms below each other: the attempts in each Bin, on a logarithmic scale. It has the
// same bytes on every machine.
func SVG(storms ...Result) []byte {
	var b bytes.Buffer
	clients, bins, peak := 0, 1, 1
	for _, r := range storms {
		clients, bins, peak = r.Clients, max(bins, len(r.Attempts)), max(peak, r.Peak())
	}
	high := top + len(storms)*panelHeight + 3*18
	title := fmt.Sprintf("%s clients lose a broker for %v and come back", thousands(clients), Away)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d"`,
		wide, high)
	fmt.Fprintf(&b, " role=\"img\" aria-labelledby=\"title desc\">\n  <title id=\"title\">%s</title>\n", title)
	fmt.Fprint(&b, "  <desc id=\"desc\">Attempts to connect per 10 ms.")
	for _, r := range storms {
		fmt.Fprintf(&b, " The clients' %s: %s.", r.Name(), r.Numbers())
	}
	fmt.Fprintf(&b, "</desc>\n  <style>%s  </style>\n", style)
	fmt.Fprintln(&b, `  <rect class="page" width="100%" height="100%"/>`)
	text(&b, "head", left, 28, title+": attempts per 10 ms")
	for i, r := range storms {
		r.panel(&b, top+i*panelHeight, bins, peak)
	}
	for i, line := range caption() {
		text(&b, "note", left, top+len(storms)*panelHeight+8+18*i, line)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// caption says what is modeled.
func caption() []string {
	return []string{
		fmt.Sprintf("Modeled: %v from a client to the broker; all clients learn of the loss at once; "+
			"refused connections while it is away; %v of", Latency, Handshake),
		"the broker's time for each new connection, one at a time, unless its client has given up; " +
			"the default backoff, 50 ms to 1 s. Not modeled:",
		"lost packets, a limit of the accept queue, and what the clients do when they are back.",
	}
}

// panel draws one storm.
func (r Result) panel(b *bytes.Buffer, y, bins, peak int) {
	text(b, "", left, y+16, r.Name())
	text(b, "note", left, y+34, r.Numbers())
	y += 44
	base := y + plotHeight
	at := func(bin int) string { return hundredths(left*100 + bin*plotWidth*100/bins) }
	fmt.Fprintf(b, "  <rect class=\"away\" x=\"%d\" y=\"%d\" width=\"%s\" height=\"%d\"/>\n", left, y,
		hundredths(int(Away/Bin)*plotWidth*100/bins), plotHeight)
	labelled := func(bin int, label string) {
		fmt.Fprintf(b, "  <text class=\"note\" x=\"%s\" y=\"%d\">%s</text>\n", at(bin), y+14, label)
	}
	labelled(165, "broker away") // between two of the attempts without jitter
	allBack := int((Away + r.Back) / Bin)
	fmt.Fprintf(b, "  <path class=\"back\" d=\"M%s %dv%d\"/>\n", at(allBack), base, -plotHeight)
	labelled(allBack-85, "all are back")
	fmt.Fprintf(b, "  <path class=\"axis\" d=\"M%d %dH%d\"/>\n", left, base, wide-right)
	for n := 1; n <= peak; n *= 10 {
		tick := base*100 - height(n, peak)
		fmt.Fprintf(b, "  <path class=\"axis\" d=\"M%d %sh-5\"/>\n", left, hundredths(tick))
		fmt.Fprintf(b, "  <text class=\"note\" text-anchor=\"end\" x=\"%d\" y=\"%s\">%s</text>\n", left-8,
			hundredths(tick+400), thousands(n))
	}
	for s := 0; s*int(time.Second/Bin) < bins; s++ {
		fmt.Fprintf(b, "  <path class=\"axis\" d=\"M%s %dv5\"/>\n", at(s*int(time.Second/Bin)), base)
		fmt.Fprintf(b, "  <text class=\"note\" text-anchor=\"middle\" x=\"%s\" y=\"%d\">%d s</text>\n",
			at(s*int(time.Second/Bin)), base+20, s)
	}
	b.WriteString("  <path class=\"bars\" d=\"")
	for bin, n := range r.Attempts {
		if n > 0 {
			fmt.Fprintf(b, "M%s %dv-%s", at(bin), base, hundredths(max(height(n, peak), 100)))
		}
	}
	b.WriteString("\"/>\n")
}

// height is that of a bar, in hundredths of a pixel: the logarithm of twice its number, so that one
// attempt is seen.
func height(n, peak int) int {
	return int(int64(logarithm(2*n)) * plotHeight * 100 / int64(logarithm(2*peak)))
}

// logarithm is that to the base of 2, in 65536ths, of n from 1 to 2^30. Between powers of 2 it is a
// straight line: integers are the same on every machine.
func logarithm(n int) int {
	whole := bits.Len(uint(n)) - 1
	return whole<<16 + int((int64(n)<<16)>>whole) - 1<<16
}

func text(b *bytes.Buffer, class string, x, y int, s string) {
	if class != "" {
		class = fmt.Sprintf(" class=%q", class)
	}
	fmt.Fprintf(b, "  <text%s x=\"%d\" y=\"%d\">%s</text>\n", class, x, y, s)
}

// hundredths writes a number of hundredths.
func hundredths(n int) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%02d", n/100, n%100), "0"), ".")
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
