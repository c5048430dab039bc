package cli

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Messages of kmsg from JSON. encoding/json alone does not do: structs within
// arrays would lack kmsg's defaults, and the name of a field that there is not
// would be ignored.

// readBody fills a request, which has its defaults, from one JSON object.
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

// next is the next token.
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

// value reads one value into v, which lies at path within the request.
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
	given := make(map[string]bool)
	for r.tokens.More() {
		token, err := r.next()
		if err != nil {
			return err
		}
		written := token.(string) // all that can stand there
		field, ok := fieldNamed(v.Type(), written)
		if !ok {
			return fmt.Errorf("%s has no field %q%s", where(path), written, didYouMean(written, fieldNames(v.Type())))
		}
		at := join(path, field.Name)
		if given[field.Name] {
			return fmt.Errorf("%s is given twice", at)
		}
		given[field.Name] = true
		if err := r.value(v.FieldByIndex(field.Index), at); err != nil {
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

// defaulted returns an addressable T with kmsg's defaults.
func defaulted(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	return v.Elem()
}

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

// isKafkas reports whether a field of t is one of Kafka's: neither the version,
// which kmsg keeps at the top of a message, nor the tags that it does not know.
func isKafkas(t reflect.Type, f reflect.StructField) bool {
	message := reflect.PointerTo(t).Implements(typeRequest) || reflect.PointerTo(t).Implements(typeResponse)
	return f.IsExported() && f.Type != typeTags && !(message && f.Name == "Version")
}

func fieldNamed(t reflect.Type, written string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if strings.EqualFold(f.Name, written) && isKafkas(t, f) {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		if isKafkas(t, f) {
			names = append(names, f.Name)
		}
	}
	return names
}
