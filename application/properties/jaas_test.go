package properties

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brokerconn/ports"

	"pgregory.net/rapid"
)

func TestParseJAAS(t *testing.T) {
	for _, c := range []struct {
		text, class string
		options     string // name>value, separated by "|"
	}{
		{`a.b.C required;`, "a.b.C", ""},
		{`C REQUIRED ;`, "C", ""},
		{`C optional x=y;`, "C", "x>y"},
		{`C required x="y" z='w' ;`, "C", "x>y|z>w"},
		{"C required\n\tx=\"y\"\r\n  z=w1\n;", "C", "x>y|z>w1"},
		{`C required x="a\"b\\c\'d";`, "C", `x>a"b\c'd`},
		{`C required x="\t\n\061\x";`, "C", "x>\t\n1x"},
		{`C required x="\0611\4001";`, "C", "x>11 01"},
		{`C required x="a;b=c//d";`, "C", "x>a;b=c//d"},
		{"C required // a comment; x=y\n /* z=\"w\" */ x=y;", "C", "x>y"},
		{`C required x="";`, "C", "x>"},
		{`C required x='a"b' ;`, "C", `x>a"b`},
		{`C$D required x=a-b_c.d;`, "C$D", "x>a-b_c.d"},
		{`C required x="é";`, "C", "x>é"},
		{"C\x01required\x00x=y;", "C", "x>y"}, // as Java 17 does
	} {
		modules, err := parseJAAS(c.text)
		if err != nil || len(modules) != 1 {
			t.Errorf("%s: %v %v", c.text, modules, err)
			continue
		}
		var got []string
		for _, o := range modules[0].options {
			got = append(got, o.name+">"+o.value)
		}
		if modules[0].class != c.class || strings.Join(got, "|") != c.options {
			t.Errorf("%s: got %q %q", c.text, modules[0].class, got)
		}
	}
	if modules, err := parseJAAS(`A required; B sufficient x=y;`); err != nil || len(modules) != 2 ||
		modules[1].class != "B" {
		t.Errorf("two: %v %v", modules, err)
	}
}

// Values mean what Java's client makes of them, as it prints that, and are refused where it
// refuses them. It has options without a name, and names in quotes.
func TestJAASAsJavaReadsIt(t *testing.T) {
	quotedName := regexp.MustCompile(`^"|^C "|required "`)
	lines := tuples(t, Java, "jaas")
	if len(lines) < 50 {
		t.Errorf("got %d values, want at least 50", len(lines))
	}
	for _, line := range lines {
		want, taken := strings.CutPrefix(line[1], "= ")
		modules, err := parseJAAS(line[0])
		options := map[string]string{}
		if err == nil {
			for _, o := range modules[0].options {
				options[o.name] = o.value
			}
		}
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(options)) {
			pairs = append(pairs, name+"="+options[name])
		}
		got := "{" + strings.Join(pairs, ", ") + "}"
		switch {
		case quotedName.MatchString(line[0]), strings.HasPrefix(want, "{null="):
		case taken != (err == nil), taken && got != want:
			t.Errorf("%s: got %s and %v, want Java's %s", line[0], got, err, line[1])
		}
	}
}

// A password that begins with a digit is refused by the advice to quote it.
func TestPasswordOfDigitsIsInQuotes(t *testing.T) {
	for _, password := range []string{"4711-" + canary, "-" + canary, "." + canary} {
		_, err := Read(Java, Pairs(map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
			"sasl.jaas.config": strings.Replace(plainJAAS, `"`+canary+`"`, password, 1)}))
		wantProblem(t, err, "sasl.jaas.config", "digit", "must be in quotes")
	}
}

// Each error says what would be right, and shows none of what was read.
func TestParseJAASRejects(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "no login module"},
		{" // x\n", "no login module"},
		{`"` + canary + `" required;`, "begins with the class"},
		{`= required;`, "begins with the class"},
		{`C`, `comes "required"`},
		{`C ` + canary + `;`, `comes "required"`},
		{`C required`, "semicolon is missing"},
		{`C required x="` + canary + `"`, "after option 1: a semicolon is missing"},
		{`C required "` + canary + `";`, "an option, as in"},
		{`C required x "` + canary + `";`, `is name="value"`},
		{`C required x=;`, "no value"},
		{`C required x==;`, "no value"},
		{`C required x=`, "no value"},
		{`C required x="` + canary, "not closed"},
		{`C required x="` + canary + `\`, "not closed"},
		{"C required x=\"" + canary + "\n\";", "not closed on its line"},
		{`C required x=/` + canary + `;`, "must be in quotes"},
		{`C required x=a@` + canary + `;`, "must be in quotes"},
		{`C required /* ` + canary, "comment is not closed"},
		{strings.Repeat("x", maxJAASBytes+1), "longer than"},
	} {
		_, err := parseJAAS(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%.60s: %v, want %q", c.text, err, c.want)
		}
	}
}

// What is quoted with backslashes before quotes and backslashes comes back.
func TestJAASRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[^\r\n]{0,20}`).Draw(t, "value")
		quote := rapid.SampledFrom([]string{`"`, `'`}).Draw(t, "quote")
		quoted := quote + strings.NewReplacer(`\`, `\\`, quote, `\`+quote).Replace(value) + quote
		modules, err := parseJAAS("C required x=" + quoted + " ;")
		if err != nil || len(modules) != 1 || len(modules[0].options) != 1 || modules[0].options[0].value != value {
			t.Errorf("%s: %v %v", quoted, modules, err)
		}
	})
}

func FuzzJAAS(f *testing.F) {
	for _, seed := range []string{plainJAAS, `C required x="\777\"";`, `A required;B optional a='b'`,
		"C required /* */ //\n;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		modules, err := parseJAAS(text)
		if (len(modules) == 0) == (err == nil) {
			t.Errorf("%v %v", modules, err)
		}
		p := Property{Key: "sasl.jaas.config", Value: ports.NewSecret(text)}
		for _, mechanism := range mechanisms {
			settings, err := Read(Java, []Property{p, {Key: "security.protocol", Value: ports.NewSecret("SASL_SSL")},
				{Key: "sasl.mechanism", Value: ports.NewSecret(mechanism)}})
			if (settings == nil) == (err == nil) {
				t.Errorf("settings %v, error %v", settings, err)
			}
		}
	})
}
