package probe

import (
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The values of a request that JSON has no types for.

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

// readID reads a UUID: as Kafka writes it, in base64 or in hex.
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
	return fmt.Errorf("%s: %q is no id of %d bytes", path, text, v.Len())
}

func readScalar(token json.Token, v reflect.Value, path string) error {
	switch t := token.(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(t)
			return nil
		}
	case string:
		if v.Kind() == reflect.String {
			v.SetString(t)
			return nil
		}
		if enum, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := enum.UnmarshalText([]byte(t)); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			return nil
		}
	case json.Number:
		return readNumber(t.String(), v, path)
	}
	return wrong(path, kindNames[v.Kind()], token)
}

func readNumber(text string, v reflect.Value, path string) error {
	var err error
	switch {
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
	case v.CanFloat():
		var x float64
		x, err = strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(x)
	default:
		return wrong(path, kindNames[v.Kind()], json.Number(text))
	}
	if err != nil {
		return fmt.Errorf("%s: %s does not fit %s", path, text, kindNames[v.Kind()])
	}
	return nil
}

var kindNames = map[reflect.Kind]string{
	reflect.Bool:    "true or false",
	reflect.String:  "a string",
	reflect.Int8:    "an integer of 8 bits",
	reflect.Int16:   "an integer of 16 bits",
	reflect.Int32:   "an integer of 32 bits",
	reflect.Int64:   "an integer of 64 bits",
	reflect.Uint16:  "a positive integer of 16 bits",
	reflect.Uint32:  "a positive integer of 32 bits",
	reflect.Float64: "a number",
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

// where names a place for a sentence that begins with it.
func where(path string) string {
	if path == "" {
		return "the body"
	}
	return path
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

var (
	typeTags     = reflect.TypeFor[kmsg.Tags]()
	typeRequest  = reflect.TypeFor[kmsg.Request]()
	typeResponse = reflect.TypeFor[kmsg.Response]()
)
