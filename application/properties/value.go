package properties

import (
	"fmt"
	"math"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/setting"
)

// A value is read by the type of the field that it sets.

// assign reads a value into the fields of a key.
func (r *reader) assign(k *key, p *Property) {
	before := len(r.problems)
	if k.to == "" && k.words != nil && r.oneOf(p, k.words) != "" && k.unused != "" {
		r.ignore(p, k.unused)
	}
	for to := range strings.FieldsSeq(k.to) {
		field, row := r.s.field(to)
		if err := r.set(field, row, k, p); err != nil {
			r.reject(p, "%v", err)
		}
		if len(r.problems) > before {
			return
		}
	}
}

func (r *reader) set(field reflect.Value, row *setting.Row, k *key, p *Property) (err error) {
	switch to := field.Addr().Interface().(type) {
	case *string:
		switch {
		case k.system && r.s.Dialect == Librdkafka && value(p) == grammars[Librdkafka].probe:
		case k.pem != nil:
			*to, err = pemText(p, k.pem)
		case k.words != nil:
			if *to, err = oneOf(p, k.words); err == nil && k.exact && *to != value(p) {
				err = fmt.Errorf("%s, which the clients write %s", quoted(p), *to)
			}
		default:
			*to, err = plainText(p)
		}
	case *ports.Secret:
		text := p.Value.Reveal()
		if k.pem != nil {
			text, err = pemText(p, k.pem)
		}
		*to = ports.NewSecret(text)
	case *func() ([]byte, error):
		*to = tls.Password(p.Value.Reveal())
	case *[]string:
		*to = strings.Fields(value(p))
	case **bool:
		var on bool
		on, err = r.boolean(p)
		*to = &on
	case *bool:
		var on bool
		on, err = r.boolean(p)
		*to = on != k.not
	case *int, *int32:
		low := int64(1)
		if k.system {
			low = grammars[r.s.Dialect].minBuffer
		}
		var n int64
		n, err = r.whole(p, low, math.MaxInt32)
		field.SetInt(max(n, 0))
	case **int32:
		var n int64
		n, err = r.whole(p, 0, math.MaxInt32)
		*to = new(int32(n))
	case *time.Duration:
		*to, err = r.millis(p, row)
	case *net.KeepAliveConfig:
		var on bool
		*to = net.KeepAliveConfig{Enable: true} // every 15 s; the system's two hours help against no balancer
		if on, err = r.boolean(p); !on {
			*to = net.KeepAliveConfig{Idle: -1}
		}
	case *tcp.AddressFamily:
		*to, err = addressFamily(p, r.s.Dialect)
	case *[]tcp.SocketOption:
		*to, err = socketOptions(p)
	case *broker.Release:
		*to, err = release(p)
	case *Protocol:
		var word string
		word, err = oneOf(p, protocolNames[:])
		switch {
		case err != nil:
		case word != value(p) && r.s.Dialect == KafkaPython:
			err = fmt.Errorf("%s, with which kafka-python would connect without TLS and login: %s", quoted(p), word)
		default:
			*to = Protocol(indexOf(protocolNames[:], word))
		}
	case *Proxy:
		*to, err = proxy(p)
	case *map[string]string:
		*to, err = extensions(p)
	default:
		panic(fmt.Sprintf("properties: %s sets a %T", p.Key, to))
	}
	return err
}

// value returns a property's text without the spaces around it; not for secrets.
func value(p *Property) string { return strings.TrimSpace(p.Value.Reveal()) }

// quoted returns a value that is not a secret, for an error.
func quoted(p *Property) string {
	if p.replaced {
		return "the value that takes the place of its placeholder"
	}
	text := []rune(value(p))
	if len(text) > 60 {
		text = append(text[:60], '…')
	}
	return strconv.Quote(string(text))
}

func plainText(p *Property) (string, error) {
	if strings.ContainsFunc(value(p), unicode.IsControl) {
		return "", fmt.Errorf("%s has control characters: plain text", quoted(p))
	}
	return value(p), nil
}

// number reads a whole number as the client does: in C, 010 is 8 and 0x10 is 16. What
// follows the number, as the unit in "10s", librdkafka ignores; here it is an error.
func (r *reader) number(p *Property) (int64, error) {
	base := 10
	if grammars[r.s.Dialect].octal && !notInC.MatchString(value(p)) {
		base = 0
	}
	return strconv.ParseInt(value(p), base, 64)
}

// notInC matches numbers of Go that C does not have.
var notInC = regexp.MustCompile(`_|^[+-]?0[bBoO]`)

func (r *reader) whole(p *Property, low, high int64) (int64, error) {
	n, err := r.number(p)
	low, high = r.within(p, low, high)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s; a whole number %s", quoted(p), bounds{low, high})
	}
	return n, nil
}

// millis reads milliseconds. A field's zero is its default, so 0 is valid only where the
// row names the least time, which it then is, or has a negative number for no limit. That
// is the only one for which the clients accept numbers of 64 bits.
func (r *reader) millis(p *Property, row *setting.Row) (time.Duration, error) {
	n, err := r.number(p)
	low, high := r.within(p, math.MinInt64, math.MaxInt64)
	switch {
	case row.Negative != "" && (err != nil || n < low || n > high):
		return 0, fmt.Errorf("%s; milliseconds, a whole number%s; 0: %s", quoted(p),
			strings.TrimRight(" "+bounds{low, high}.String(), " "), row.Negative)
	case row.Field == "IdleTimeout" && n == 0 && r.s.Dialect == Java && r.sure:
		return time.Millisecond, nil // Java has no limit only if it is negative
	case row.Negative != "" && (n <= 0 || n > int64(math.MaxInt64/time.Millisecond)):
		return -1, nil
	case row.Negative != "":
		return time.Duration(n) * time.Millisecond, nil
	}
	if low, high = r.within(p, 1, math.MaxInt32); row.Min > 0 {
		low, high = r.within(p, 0, math.MaxInt32)
	}
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s; milliseconds, a whole number %s", quoted(p), bounds{low, high})
	}
	return max(time.Duration(n)*time.Millisecond, time.Duration(row.Min)), nil
}

func (r *reader) boolean(p *Property) (bool, error) {
	switch grammar := grammars[r.s.Dialect]; {
	case indexOf(grammar.yes, value(p)) >= 0:
		return true, nil
	case indexOf(grammar.no, value(p)) >= 0:
		return false, nil
	}
	return false, fmt.Errorf("%s; true or false", quoted(p))
}

// oneOf reads one of a few words, in any case.
func oneOf(p *Property, words []string) (string, error) {
	if i := indexOf(words, value(p)); i >= 0 {
		return words[i], nil
	}
	return "", fmt.Errorf("%s; %s", quoted(p), orList(words))
}

func indexOf(words []string, word string) int {
	return slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, word) })
}

// orList writes "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// list splits at commas, without spaces and empty items.
func list(s string) (items []string) {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// extensions reads "name=value,name=value".
func extensions(p *Property) (map[string]string, error) {
	all := map[string]string{}
	for _, item := range list(value(p)) {
		name, value, found := strings.Cut(item, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("name=value, or several separated by commas")
		}
		all[name] = value
	}
	return all, nil
}
