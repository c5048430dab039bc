package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/application/sim/chart"
)

const ms = time.Millisecond

func story() chart.Chart {
	return chart.Chart{
		Title:  "a request is answered with a foreign response",
		Actors: []string{"owner", "connection", "network", "broker"},
		Events: []chart.Event{
			{At: 0, From: "owner", To: "connection", Text: "request 1"},
			{At: 0, From: "connection", Text: "Disconnected -> Connecting"},
			{At: 1 * ms, From: "connection", To: "broker", Text: "ApiVersions v4, id 0"},
			{At: 2 * ms, From: "broker", To: "connection", Text: "answer to 0"},
			{At: 10 * ms, From: "network", Text: "fault: silence"},
			{At: 1200 * ms, From: "connection", To: "owner",
				Text: "request 1 failed: the request timed out, and it may have been processed"},
			{At: 1700 * ms, From: "broker", To: "connection", Text: "answer to 7"},
			{At: 1700 * ms, From: "connection", To: "owner", Text: "answer to 2", Failure: true},
			{At: 1700 * ms, From: "owner", Text: "request 2 has the bytes of request 1 <&> \u00e9\x1b", Failure: true},
		},
	}
}

func Example() {
	fmt.Print(story().Text())
	// Output:
	// a request is answered with a foreign response
	//
	//        owner                               connection  network        broker
	// 0.000  |------------ request 1 ----------->|           |              |
	//        |                                   o Disconnected -> Connecting
	// 0.001  |                                   |-- ApiVersions v4, id 0 ->|
	// 0.002  |                                   |<----- answer to 0 -------|
	// 0.010  |                                   |           o fault: silence
	//        : (1.19s later)                     :           :              :
	// 1.200  | request 1 failed: the request timed           |              |
	//        | out, and it may have been processed           |              |
	//        |<----------------------------------|           |              |
	//        : (500ms later)                     :           :              :
	// 1.700  |                                   |<----- answer to 7 -------|
	//        |X========== answer to 2 ===========|           |              |
	//        X request 2 has the bytes of request 1 <&> \u00e9\x1b          |
}

// charts draws charts of every shape: with actors that are not in the list, texts of any
// characters and any length, and equal, negative and distant times.
func charts() *rapid.Generator[chart.Chart] {
	return rapid.Custom(func(t *rapid.T) (c chart.Chart) {
		c.Title = rapid.String().Draw(t, "title")
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{0,12}`), 1, 30, rapid.ID).Draw(t, "actors")
		c.Actors = names[:rapid.IntRange(0, len(names)).Draw(t, "named")]
		at := time.Duration(rapid.Int64Range(-10, 10).Draw(t, "first")) * time.Second
		for range rapid.IntRange(0, 20).Draw(t, "events") {
			at += time.Duration(rapid.SampledFrom([]int64{0, 1, 1000, 1e6, 1e9, 1e12}).Draw(t, "pause"))
			c.Events = append(c.Events, chart.Event{At: at, From: rapid.SampledFrom(names).Draw(t, "from"),
				To: rapid.SampledFrom(names).Draw(t, "to"), Text: rapid.String().Draw(t, "text"),
				Failure: rapid.Bool().Draw(t, "failure")})
		}
		return c
	})
}

func TestTextIsNarrowASCII(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := charts().Draw(t, "chart").Text()
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if len(line) > 120 {
				t.Fatalf("got %d columns, want at most 120: %s", len(line), line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Fatalf("got %q, want printable ASCII", line)
			}
		}
	})
}

func TestSVGIsOneDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := charts().Draw(t, "chart")
		one := c.SVG()
		if again := c.SVG(); !bytes.Equal(one, again) {
			t.Fatal("got two documents of one chart, want the same bytes")
		}
		var elements []string
		for d := xml.NewDecoder(bytes.NewReader(one)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("got %v in\n%s", err, one)
			}
			if e, ok := token.(xml.StartElement); ok {
				elements = append(elements, e.Name.Local)
			}
		}
		if got := strings.Join(elements[:3], " "); got != "svg title desc" {
			t.Fatalf("got the elements %s first, want svg title desc", got)
		}
	})
}

func TestSVGEscapesText(t *testing.T) {
	svg := string(story().SVG())
	for _, want := range []string{
		`<title id="title">a request is answered with a foreign response</title>`,
		`>request 2 has the bytes of request 1 &lt;&amp;&gt; \u00e9\x1b</text>`,
		"9 events within 1.700 s between 4 actors. After 1.700 s: answer to 2 After 1.700 s: request 2 has",
		"prefers-color-scheme: dark",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("got a document without %q:\n%s", want, svg)
		}
	}
}

func TestEveryNameIsShown(t *testing.T) {
	var c chart.Chart
	for i := range 30 {
		c.Actors = append(c.Actors, fmt.Sprintf("client-%02d", i))
	}
	for text, name := c.Text(), 0; name < len(c.Actors); name++ {
		if !strings.Contains(text, c.Actors[name]) {
			t.Errorf("got no column %s:\n%s", c.Actors[name], text)
		}
	}
}

func TestEmptyChartHasText(t *testing.T) {
	if got := (chart.Chart{}).Text(); got != "\n" {
		t.Errorf("got %q, want an empty line", got)
	}
	if got := (chart.Chart{}).SVG(); len(got) == 0 {
		t.Error("got no document")
	}
}

func TestShortenedKeepsBothEnds(t *testing.T) {
	c := chart.Chart{Actors: []string{"a"}}
	for i := range 10 {
		at := time.Duration(i) * time.Second
		c.Events = append(c.Events, chart.Event{At: at, From: "a", Text: fmt.Sprint("event ", i)})
	}
	want := "0.000  o event 0\n1.000  o event 1\n2.000  o (6 events are left out)\n" +
		"8.000  o event 8\n9.000  o event 9\n"
	got := strings.ReplaceAll(c.Shortened(4).Text(), "       : (1s later)\n", "")
	if got = strings.ReplaceAll(got, "       : (6s later)\n", ""); got != "       a\n"+want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := len(c.Shortened(10).Events); got != 10 {
		t.Errorf("got %d events of 10, want all", got)
	}
}
