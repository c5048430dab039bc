package main

import "testing"

func TestFindAgain(t *testing.T) {
	at := func(id, function, text string) *mutant {
		return &mutant{id: id, pkg: "domain", operator: "compare", function: function, text: text}
	}
	second := at("7", "K", "a == b")
	third := at("x", "K", "b == b")
	second.ordinal, third.ordinal = 1, 1
	today := map[string][]*mutant{
		"domain": {
			at("1", "F", "a < b"), at("2", "New", "size > limit.max"), at("3", "M.x", "m.conn.count == c.most"),
			at("8", "K", "a == b"), second, at("4", "G", "a < b"), at("5", "H", "first.length() != second.length"),
		},
		"domain/release": {{id: "6", pkg: "domain/release", operator: "compare", function: "Old", text: "l.low == 0"}},
	}
	const rows = "# rows\n\nname\tmaximum\tmax\nname\tdomain New other\tsize\nfunc\tdomain Old\tdomain/release Old\n" +
		"at\tp\t4\ngone\tdomain Z\tno longer needed\n"
	v, err := readMoves(write(t, rows))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		old        *mutant
	}{
		{"the same id", "1", at("1", "F", "a < b")},
		{"another name in the text", "2", at("x", "New", "other > limit.maximum")},
		{"a text that grew", "3", at("x", "M.x", "m.count == c.most")},
		{"the second of two", "7", third},
		{"a row at", "4", at("p", "Q", "x < y")},
		{"another function", "5", at("x", "Q", "first.length() != second.length")},
		{"a short text in another function", "", at("x", "Q", "a < b")},
		{"another package", "6", at("x", "Old", "l.low == 0")},
		{"nothing similar", "", at("x", "F", "c.deadline == time.Time{}")},
		{"gone", "", at("x", "Z", "first.length() != second.length")},
	} {
		got := ""
		if f := findAgain([]*result{{mutant: *c.old}}, today, v)[0]; f.today != nil {
			got = f.today.id
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMovesAreChecked(t *testing.T) {
	for _, rows := range []string{"name\ta\n", "lost\ta\tb\n"} {
		if _, err := readMoves(write(t, rows)); err == nil {
			t.Errorf("%q: got no error", rows)
		}
	}
}
