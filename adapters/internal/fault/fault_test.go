package fault

import (
	"errors"
	"strings"
	"testing"
)

type reason uint8

var table = Table[reason]{
	0: {Name: "other", Text: "the login failed"},
	1: {Name: "expired", Text: "the ticket has expired", Hint: "run kinit again"},
}

func TestTable(t *testing.T) {
	for r, want := range map[reason]Kind{
		0: {Name: "other", Text: "the login failed"},
		1: {Name: "expired", Text: "the ticket has expired", Hint: "run kinit again"},
		7: {Name: "unknown reason 7", Text: "unknown reason 7"},
	} {
		if got := table.Of(r); got != want {
			t.Errorf("Of(%d): got %+v, want %+v", r, got, want)
		}
	}
}

func TestKindIsError(t *testing.T) {
	a, b := error(&Kind{Text: "same"}), error(&Kind{Text: "same"})
	if !errors.Is(a, a) || errors.Is(a, b) || a.Error() != "same" {
		t.Errorf("got Is %v and %v, text %q; want true, false, same", errors.Is(a, a), errors.Is(a, b), a)
	}
}

func TestLine(t *testing.T) {
	long := strings.Repeat("é", maxLine)
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{nil, ""},
		{[]string{"", ""}, ""},
		{[]string{"tls", "", "expired", Text(nil), Text(errors.New("x"))}, "tls: expired: x"},
		{[]string{"tls", Or("detail", errors.New("x"))}, "tls: detail"},
		{[]string{"tls", Or("", errors.New("x"))}, "tls: x"},
		{[]string{"two\r\nlines", "\x1b[2J", "\u202e", "\xff", "tab\t"},
			"two\uFFFD\uFFFDlines: \uFFFD[2J: \uFFFD: \uFFFD: tab\uFFFD"},
		{[]string{long}, long},
		{[]string{long + "x"}, long + "..."},
	} {
		if got := Line(c.parts...); got != c.want {
			t.Errorf("Line(%q): got %q, want %q", c.parts, got, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{{"", 0, ""}, {"a", 0, "..."}, {"éa", 2, "éa"}, {"éab", 2, "éa..."}, {"\xff\xffa", 2, "\xff\xff..."}} {
		if got := Clip(c.text, c.limit); got != c.want {
			t.Errorf("Clip(%q, %d): got %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
