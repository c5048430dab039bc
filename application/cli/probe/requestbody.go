package probe

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/properties"
)

// Messages of kmsg are read from JSON here. With encoding/json alone, structs within arrays
// would not have kmsg's defaults, and unknown fields would not be found.

// readBody sets the fields of a request, which has its defaults, from one JSON object.
func readBody(text []byte, req kmsg.Request) error {
	r := bodyReader{json.NewDecoder(bytes.NewReader(text))}
	r.tokens.UseNumber()
	if err := r.value(reflect.ValueOf(req).Elem(), ""); err != nil {
		return err
	}
	if _, err := r.tokens.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}

type bodyReader struct{ tokens *json.Decoder }

// next returns the next token.
func (r *bodyReader) next() (json.Token, error) {
	token, err := r.tokens.Token()
	if err == io.EOF {
		return nil, errors.New("the JSON ends too early")
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return token, nil
}

// value reads one value into v, which is at path in the request.
func (r *bodyReader) value(v reflect.Value, path string) error {
	token, err := r.next()
	if err != nil {
		return err
	}
	return r.valueFrom(token, v, path)
}

func (r *bodyReader) valueFrom(token json.Token, v reflect.Value, path string) error {
	if token == nil { // null
		if k := v.Kind(); k != reflect.Pointer && k != reflect.Slice {
			return fmt.Errorf("%s cannot be null", where(path))
		}
		v.SetZero()
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		target := defaulted(v.Type().Elem())
		if err := r.valueFrom(token, target, path); err != nil {
			return err
		}
		v.Set(target.Addr())
		return nil
	case reflect.Struct:
		if token != json.Delim('{') {
			return wrong(path, "an object", token)
		}
		return r.fields(v, path)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return readBytes(token, v, path)
		}
		if token != json.Delim('[') {
			return wrong(path, "an array", token)
		}
		return r.elements(v, path)
	case reflect.Array:
		return readID(token, v, path)
	}
	return readScalar(token, v, path)
}

func (r *bodyReader) fields(v reflect.Value, path string) error {
	names := kafkaFields(v.Type())
	given := make(map[string]bool)
	for r.tokens.More() {
		token, err := r.next()
		if err != nil {
			return err
		}
		written := token.(string) // the only kind of token here
		i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, written) })
		if i < 0 {
			return fmt.Errorf("%s has no field %q%s", where(path), written, properties.DidYouMean(written, names))
		}
		at := join(path, names[i])
		if given[at] {
			return fmt.Errorf("%s is given twice", at)
		}
		given[at] = true
		if err := r.value(v.FieldByName(names[i]), at); err != nil {
			return err
		}
	}
	_, err := r.next() // the closing brace
	return err
}

func (r *bodyReader) elements(v reflect.Value, path string) error {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for r.tokens.More() {
		element := defaulted(v.Type().Elem())
		if err := r.value(element, fmt.Sprintf("%s[%d]", path, list.Len())); err != nil {
			return err
		}
		list = reflect.Append(list, element)
	}
	v.Set(list)
	_, err := r.next() // the closing bracket
	return err
}

// defaulted returns an addressable value of type t with kmsg's defaults.
func defaulted(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	return v.Elem()
}

// isKafkaField reports whether a field of t is part of Kafka's message. The version at the
// top of a message and the unknown tags are kmsg's own.
func isKafkaField(t reflect.Type, f reflect.StructField) bool {
	p := reflect.PointerTo(t)
	message := p.Implements(reflect.TypeFor[kmsg.Request]()) || p.Implements(reflect.TypeFor[kmsg.Response]())
	return f.IsExported() && f.Type != reflect.TypeFor[kmsg.Tags]() && !(message && f.Name == "Version")
}

func kafkaFields(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		if isKafkaField(t, f) {
			names = append(names, f.Name)
		}
	}
	return names
}

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
