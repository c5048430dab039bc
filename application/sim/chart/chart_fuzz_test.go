package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/application/sim/chart"
)

// FuzzChart draws events whose texts and times are any: the text is narrow printable ASCII, and the document is one
// that encoding/xml reads, without an element or an attribute that comes out of a text.
func FuzzChart(f *testing.F) {
	f.Add("a title", "owner", "broker", "request 1", "</text><script>alert(1)</script>", int64(0), int64(time.Second))
	f.Add("", "", "", "\x1b[2J\r\n\xff\u202e", "\" onload=\"x", int64(-1), int64(1<<63-1))
	f.Add("<&>", "\t", "é", strings.Repeat("long ", 100), "x", int64(-1<<63), int64(0))
	f.Fuzz(func(t *testing.T, title, from, to, first, second string, at, pause int64) {
		if len(title)+len(from)+len(to)+len(first)+len(second) > 2000 {
			return
		}
		c := chart.Chart{Title: title, Actors: []string{from, "broker"}, Events: []chart.Event{
			{At: time.Duration(at), From: from, To: to, Text: first},
			{At: time.Duration(at), From: to, Text: second, Failure: true},
			{At: max(time.Duration(at), time.Duration(pause)), From: to, To: from, Text: second},
		}}
		for line := range strings.Lines(c.Text()) {
			line = strings.TrimSuffix(line, "\n")
			if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Fatalf("got %q, want printable ASCII", line)
			}
		}
		d := xml.NewDecoder(bytes.NewReader(c.SVG()))
		known := map[string]bool{"svg": true, "title": true, "desc": true, "style": true, "rect": true, "path": true,
			"circle": true, "text": true}
		for depth := 0; ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) && depth == 0 {
				return
			}
			if err != nil {
				t.Fatalf("got %v in\n%s", err, c.SVG())
			}
			switch e := token.(type) {
			case xml.StartElement:
				if depth++; !known[e.Name.Local] || depth > 2 {
					t.Fatalf("got the element %s in depth %d, want none that comes out of a text", e.Name.Local, depth)
				}
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, second) && len(second) > 20 {
						t.Fatalf("got the attribute %s=%q", a.Name.Local, a.Value)
					}
				}
			case xml.EndElement:
				depth--
			}
		}
	})
}
