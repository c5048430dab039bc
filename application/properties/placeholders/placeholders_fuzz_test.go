package placeholders

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// FuzzResolve replaces the placeholders of any text by one value, and compares with a reader that is written without
// an expression: what is in none of them stays as it is, the value is not searched again, and an error shows no other
// part of the text.
func FuzzResolve(f *testing.F) {
	for _, text := range []string{"${file:s.properties:pw}", "x${file:s.properties:pw}y${env:NONE}", "${file:pw}",
		"${", "$${a:b}", "${a}${b:c:d:e}", "}${file::pw}{", "${file:s.properties:${env:X}}", "${\n:\n}",
		"\xff${file:a:\xff}"} {
		f.Add(text, "${file:a:b}")
		f.Add(text+"canary-4711", "right")
	}
	f.Add("\xff${file:a:\xff4c\x1c\x1canary-}7", "right")
	f.Add("${file:0:}", "e")
	f.Add("\xff\x18\xb6${file:a:\xff4canary-}nar", "right")
	f.Fuzz(func(t *testing.T, text, value string) {
		var asked []string
		providers := Providers{"file": {Class: kafkas + "FileConfigProvider"}}
		got, err := providers.Resolve(text, func(name string) (map[string]string, error) {
			asked = append(asked, name)
			if name == "none" {
				return nil, errors.New("no such file")
			}
			return map[string]string{"pw": value, "": "empty"}, nil
		})
		parts, names := split(text)
		if strings.Join(In(text), "|") != strings.Join(names, "|") {
			t.Fatalf("%q: got the providers %q, want %q", text, In(text), names)
		}
		for _, name := range asked {
			if !strings.Contains(text, name+":") {
				t.Fatalf("%q: the file %q was read", text, name)
			}
		}
		if err != nil {
			shown := strings.Join(names, "") + strings.Join(asked, "") + placeholderOf(text)
			shown += strconv.Quote(shown) // \x1c and "anary"
			if len(names) == 0 || strings.Contains(err.Error(), "canary") && !strings.Contains(shown, "canary") {
				t.Fatalf("%q: got %v", text, err)
			}
			return
		}
		for _, name := range names {
			if name != "file" {
				t.Fatalf("%q: got %q, want an error for the provider %q", text, got, name)
			}
		}
		if !fits(got, parts, []string{value, "empty"}) {
			t.Fatalf("%q: got %q, want the parts %q with values between them", text, got, parts)
		}
	})
}

// fits reports whether text is the parts with one of the values between each two of them.
func fits(text string, parts, values []string) bool {
	rests := map[string]bool{text: true} // what may be left of it
	for i, part := range parts {
		left := map[string]bool{}
		for rest := range rests {
			after, ok := strings.CutPrefix(rest, part)
			switch {
			case !ok:
			case i == len(parts)-1:
				left[after] = true
			default:
				for _, value := range values {
					if after, ok := strings.CutPrefix(after, value); ok {
						left[after] = true
					}
				}
			}
		}
		rests = left
	}
	return rests[""]
}

// placeholderOf returns all that is in placeholders.
func placeholderOf(text string) (all string) {
	parts, _ := split(text)
	for _, part := range parts[:len(parts)-1] {
		inside, after, _ := strings.Cut(text[len(part):], "}")
		all, text = all+inside, after
	}
	return all
}

// split returns what is around the placeholders of a text, and the names of their providers: a placeholder is "${",
// a first ':' and a '}' behind it, without a '}' between.
func split(text string) (parts, names []string) {
	rest, part := text, ""
	for rest != "" {
		begin := strings.Index(rest, "${")
		if begin < 0 {
			break
		}
		inside, after, closed := strings.Cut(rest[begin+2:], "}")
		name, _, has := strings.Cut(inside, ":")
		if !closed || !has {
			part += rest[:begin+1]
			rest = rest[begin+1:]
			continue
		}
		parts, names = append(parts, part+rest[:begin]), append(names, name)
		part, rest = "", after
	}
	return append(parts, part+rest), names
}
