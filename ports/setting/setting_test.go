package setting_test

import (
	"math"
	"testing"
	"time"

	"brokerconn/ports/setting"
)

type options struct {
	Name    string
	Timeout time.Duration
	Pause   time.Duration
	Idle    time.Duration
	Max     int
	Bytes   int32
	Sink    func()
	private int
}

var rows = setting.Of[options](
	setting.Row{Field: "Name", Default: "x", Max: 3},
	setting.Row{Field: "Timeout", Default: 90 * time.Second},
	setting.Row{Field: "Pause", Default: 50 * time.Millisecond, Min: int64(time.Millisecond)},
	setting.Row{Field: "Idle", Zero: "no limit", Negative: "no limit"},
	setting.Row{Field: "Max", Default: 5},
	setting.Row{Field: "Bytes", Default: int32(32 << 20), Max: 1 << 30},
)

func TestFill(t *testing.T) {
	const century = 100 * 365 * 24 * time.Hour
	for _, c := range []struct{ given, want options }{
		{options{}, options{Name: "x", Timeout: 90 * time.Second, Pause: 50 * time.Millisecond, Max: 5,
			Bytes: 32 << 20}},
		{
			options{Name: "y", Timeout: 1, Pause: 1, Idle: -1, Max: 3, Bytes: 1<<31 - 1},
			options{Name: "y", Timeout: 1, Pause: time.Millisecond, Idle: -1, Max: 3, Bytes: 1 << 30},
		},
		{
			options{Name: "y", Timeout: math.MaxInt64, Pause: math.MaxInt64, Idle: math.MaxInt64, Max: math.MaxInt,
				Bytes: 1},
			options{Name: "y", Timeout: century, Pause: century, Idle: century, Max: math.MaxInt, Bytes: 1},
		},
	} {
		got := c.given
		rows.Fill(&got)
		got.Sink, c.want.Sink = nil, nil
		if got.Name != c.want.Name || got.Timeout != c.want.Timeout || got.Pause != c.want.Pause ||
			got.Idle != c.want.Idle ||
			got.Max != c.want.Max || got.Bytes != c.want.Bytes || got.private != 0 {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		given options
		want  string
	}{
		{options{}, ""},
		{options{Name: "xyz", Timeout: time.Hour, Pause: 1, Idle: -1, Max: 9, Bytes: 1<<31 - 1}, ""},
		{options{Name: "four"}, "Name: 4 bytes; at most 3"},
		{options{Timeout: -time.Second}, "Timeout: -1s is less than 0; 0 means the default, 90 s"},
		{options{Pause: -1}, "Pause: -1ns is less than 0; 0 means the default, 50 ms"},
		{options{Bytes: -1}, "Bytes: -1 is less than 0; 0 means the default, 32 MiB"},
	} {
		got := ""
		rows.Check(&c.given, func(field, problem string) { got += field + ": " + problem })
		if got != c.want {
			t.Errorf("%+v: got %q, want %q", c.given, got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for field, want := range map[string]string{
		"Name": "x", "Timeout": "90 s", "Pause": "50 ms", "Idle": "no limit", "Max": "5", "Bytes": "32 MiB",
		"Sink": "none",
	} {
		if got := rows.Row(field).Text(); got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
	if len(rows) != 7 || rows.Row("private") != nil {
		t.Errorf("got %d rows, want one for each of the 7 exported fields", len(rows))
	}
}

func TestTextOfDays(t *testing.T) {
	for want, d := range map[string]time.Duration{"30 days": 30 * 24 * time.Hour, "86400 s": 24 * time.Hour} {
		if got := (&setting.Row{Default: d}).Text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOfPanics(t *testing.T) {
	for name, row := range map[string]setting.Row{
		"no such field": {Field: "Nme"},
		"another type":  {Field: "Timeout", Default: 5},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: got no panic, want one", name)
				}
			}()
			setting.Of[options](row)
		}()
	}
}
