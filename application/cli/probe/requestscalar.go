package probe

import (
	"cmp"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Values of a request that are not objects or arrays.

func readBytes(token json.Token, v reflect.Value, path string) error {
	text, ok := token.(string)
	if !ok {
		return wrong(path, "base64 in a string", token)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	v.SetBytes(b)
	return nil
}

// readID reads a UUID in Kafka's form, in base64 or in hex.
func readID(token json.Token, v reflect.Value, path string) error {
	text, ok := token.(string)
	if !ok {
		return wrong(path, "an id in a string", token)
	}
	for _, decode := range []func(string) ([]byte, error){
		base64.RawURLEncoding.DecodeString,
		base64.StdEncoding.DecodeString,
		func(s string) ([]byte, error) { return hex.DecodeString(strings.ReplaceAll(s, "-", "")) },
	} {
		if b, err := decode(text); err == nil && len(b) == v.Len() {
			reflect.Copy(v, reflect.ValueOf(b))
			return nil
		}
	}
	return fmt.Errorf("%s: %q is not an id of %d bytes", path, text, v.Len())
}

func readScalar(token json.Token, v reflect.Value, path string) error {
	text, isText := token.(string)
	if enum, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && isText {
		if err := enum.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	kind := scalars[v.Kind()]
	if _, isDelim := token.(json.Delim); isDelim {
		return wrong(path, kind.name, token)
	}
	source, _ := json.Marshal(token) // a string, a number or a truth value: it cannot fail
	value := reflect.New(kind.basic) // an enumeration does not read numbers
	if json.Unmarshal(source, value.Interface()) != nil {
		if number, ok := token.(json.Number); ok && kind.numeric {
			return fmt.Errorf("%s: %s does not fit %s", path, number, kind.name)
		}
		return wrong(path, kind.name, token)
	}
	v.Set(value.Elem().Convert(v.Type()))
	return nil
}

var scalars = map[reflect.Kind]struct {
	name    string
	basic   reflect.Type
	numeric bool
}{
	reflect.Bool:    {"true or false", reflect.TypeFor[bool](), false},
	reflect.String:  {"a string", reflect.TypeFor[string](), false},
	reflect.Int8:    {"an integer of 8 bits", reflect.TypeFor[int8](), true},
	reflect.Int16:   {"an integer of 16 bits", reflect.TypeFor[int16](), true},
	reflect.Int32:   {"an integer of 32 bits", reflect.TypeFor[int32](), true},
	reflect.Int64:   {"an integer of 64 bits", reflect.TypeFor[int64](), true},
	reflect.Uint16:  {"an unsigned integer of 16 bits", reflect.TypeFor[uint16](), true},
	reflect.Uint32:  {"an unsigned integer of 32 bits", reflect.TypeFor[uint32](), true},
	reflect.Float64: {"a number", reflect.TypeFor[float64](), true},
}

func wrong(path, wanted string, token json.Token) error {
	got := fmt.Sprintf("%v", token)
	switch t := token.(type) {
	case string:
		got = strconv.Quote(t)
	case json.Delim:
		got = map[json.Delim]string{'{': "an object", '[': "an array"}[t]
	}
	return fmt.Errorf("%s must be %s, not %s", where(path), wanted, got)
}

// where returns the name of a path at the beginning of an error.
func where(path string) string { return cmp.Or(path, "the body") }

func join(path, field string) string { return strings.TrimPrefix(path+"."+field, ".") }
