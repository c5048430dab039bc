package properties

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"brokerconn/ports"
)

// How values are read. The constructors return the read function of a setting.

// value is a property's text without the blanks around it; not for secrets.
func value(p *Property) string { return strings.TrimSpace(p.Value.Reveal()) }

// quoted is a value that is no secret, in an error.
func quoted(p *Property) string {
	text := []rune(value(p))
	if len(text) > 60 {
		text = append(text[:60], '…')
	}
	return strconv.Quote(string(text))
}

func text(to func(*reader) *string) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		v := value(p)
		if strings.ContainsFunc(v, unicode.IsControl) {
			r.refuse(p, "%s has control characters: plain text", quoted(p))
			return
		}
		*to(r) = v
	}
}

func secret(to func(*reader) *ports.Secret) func(*reader, *Property) {
	return func(r *reader, p *Property) { *to(r) = p.Value }
}

// number reads a whole number within bounds.
func number(least, most int64, to func(r *reader, n int64)) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		if n, ok := r.whole(p, least, most); ok {
			to(r, n)
		}
	}
}

func (r *reader) whole(p *Property, least, most int64) (int64, bool) {
	n, err := strconv.ParseInt(value(p), 10, 64)
	if err != nil || n < least || n > most {
		r.refuse(p, "%s; a whole number from %d to %d", quoted(p), least, most)
		return 0, false
	}
	return n, true
}

// millis reads milliseconds; 0 or less only if least allows it.
func millis(least int64, to func(r *reader, d time.Duration)) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		n, err := strconv.ParseInt(value(p), 10, 64)
		if err != nil || n < least || n > math.MaxInt32 {
			r.refuse(p, "%s; milliseconds, a whole number from %d to %d", quoted(p), least, math.MaxInt32)
			return
		}
		to(r, time.Duration(n)*time.Millisecond)
	}
}

func boolean(to func(r *reader, on bool)) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		switch strings.ToLower(value(p)) {
		case "true", "1":
			to(r, true)
		case "false", "0":
			to(r, false)
		default:
			r.refuse(p, "%s; true or false", quoted(p))
		}
	}
}

// choice reads one of a few words, in any case.
func choice(to func(r *reader, word string), words ...string) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		for _, w := range words {
			if strings.EqualFold(w, value(p)) {
				to(r, w)
				return
			}
		}
		r.refuse(p, "%s; %s", quoted(p), orList(words))
	}
}

// orList writes "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// object refuses a key whose value no text can be.
func object(what, place string) func(*reader, *Property) {
	return func(r *reader, p *Property) { r.refuse(p, "%s cannot be written as text: set %s in Go", what, place) }
}

// never refuses a key that is understood and has nothing here to act on.
func never(why string) func(*reader, *Property) {
	return func(r *reader, p *Property) { r.refuse(p, "%s", why) }
}

// list splits at commas, leaving out blanks.
func list(s string) (items []string) {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
