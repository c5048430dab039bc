package probe

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// Messages of kmsg are converted to JSON here, and their error codes are collected.

// responseJSON returns the JSON that readBody reads: fields in the order of the protocol,
// bytes in base64, ids as Kafka writes them, enumerations by name where they have one.
func responseJSON(m kmsg.Response) json.RawMessage { return appendJSON(nil, reflect.ValueOf(m).Elem()) }

func appendJSON(b []byte, v reflect.Value) []byte {
	if k := v.Kind(); (k == reflect.Pointer || k == reflect.Slice) && v.IsNil() {
		return append(b, "null"...)
	}
	scalar := v.Interface()
	switch v.Kind() {
	case reflect.Pointer:
		return appendJSON(b, v.Elem())
	case reflect.Struct:
		b = append(b, '{')
		for f, value := range v.Fields() {
			if isKafkaField(v.Type(), f) {
				b = append(appendJSON(fmt.Appendf(b, "%q:", f.Name), value), ',')
			}
		}
		return append(bytes.TrimSuffix(b, []byte(",")), '}')
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			scalar = base64.StdEncoding.EncodeToString(v.Bytes())
			break
		}
		b = append(b, '[')
		for i := range v.Len() {
			b = append(appendJSON(b, v.Index(i)), ',')
		}
		return append(bytes.TrimSuffix(b, []byte(",")), ']')
	case reflect.Array: // an id
		id := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(id), v)
		scalar = base64.RawURLEncoding.EncodeToString(id)
	case reflect.Float64:
		if x := v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			scalar = fmt.Sprint(x) // JSON has no such number
		}
	case reflect.Int8:
		scalar = v.Int() // v itself would be written as "UNKNOWN"
		if name, ok := enumName(v); ok {
			scalar = name
		}
	}
	text, _ := json.Marshal(scalar) // a string, a number or a truth value: it cannot fail
	return append(b, text...)
}

// enumName returns the name of an enumeration's value if the name is read back as that
// value.
func enumName(v reflect.Value) (string, bool) {
	marshaler, ok := v.Interface().(encoding.TextMarshaler)
	if !ok {
		return "", false
	}
	text, err := marshaler.MarshalText()
	back := reflect.New(v.Type())
	if err != nil || back.Interface().(encoding.TextUnmarshaler).UnmarshalText(text) != nil {
		return "", false
	}
	return string(text), back.Elem().Int() == v.Int()
}

// answeredError is one error code in an answer.
type answeredError struct {
	Path    string `json:"path"`
	Code    int16  `json:"code"`
	Name    string `json:"name"`
	Message string `json:"message"` // from the broker, or from Kafka's documentation
}

// answerError is an answer with error codes.
type answerError struct {
	all  []answeredError
	hint string
}

// Hint returns what to try; "" if nothing is known.
func (e *answerError) Hint() string { return e.hint }

func (e *answerError) Error() string {
	first := e.all[0]
	s := fmt.Sprintf("the broker answered error %d %s (%s): %s", first.Code, first.Name, first.Path, first.Message)
	if more := len(e.all) - 1; more > 0 {
		s += fmt.Sprintf(" - and %d more error codes", more)
	}
	return s
}

// answerErrors returns an answerError if m, the answer of a server with these versions, has an
// error code other than 0, at any depth.
func answerErrors(m kmsg.Response, versions *broker.Versions) error {
	var found []answeredError
	collectErrors(reflect.ValueOf(m).Elem(), "", &found)
	if len(found) == 0 {
		return nil
	}
	return &answerError{found, portHint(found, versions)}
}

// portHint returns a hint if a controller refuses what brokers do, or a broker what controllers
// do. The code for that is new in Kafka 3.7; the others are refusals of controllers before.
func portHint(found []answeredError, versions *broker.Versions) string {
	for _, e := range found {
		switch kerr.ErrorForCode(e.Code) {
		case kerr.MismatchedEndpointType:
			if !versions.OfController() {
				return "this is the port of a broker: use that of a controller"
			}
			return hintController
		case kerr.UnsupportedEndpointType, kerr.InvalidRequest, kerr.UnsupportedVersion:
			if versions.OfController() {
				return hintController
			}
		}
	}
	return ""
}

const hintController = "this is the port of a controller: use that of a broker"

func collectErrors(v reflect.Value, path string, found *[]answeredError) {
	switch v.Kind() {
	case reflect.Pointer:
		collectErrors(v.Elem(), path, found) // of nil: a value of no kind
	case reflect.Slice:
		for i := range v.Len() {
			collectErrors(v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
		}
	case reflect.Struct:
		for f, value := range v.Fields() {
			at := join(path, f.Name)
			if !strings.HasSuffix(f.Name, "ErrorCode") || f.Type.Kind() != reflect.Int16 {
				collectErrors(value, at, found)
			} else if code := int16(value.Int()); code != 0 {
				*found = append(*found, newAnsweredError(at, code, v))
			}
		}
	}
}

// newAnsweredError explains a code that is a field of the struct parent.
func newAnsweredError(path string, code int16, parent reflect.Value) answeredError {
	e := answeredError{Path: path, Code: code, Name: "UNKNOWN", Message: "not a known error code of Kafka"}
	if known := kerr.TypedErrorForCode(code); known != nil && known.Code == code {
		e.Name, e.Message = known.Message, known.Description
	}
	if f := parent.FieldByName("ErrorMessage"); f.IsValid() {
		if text, ok := f.Interface().(*string); ok && text != nil {
			e.Message = cmp.Or(*text, e.Message)
		}
	}
	return e
}

func join(path, field string) string { return strings.TrimPrefix(path+"."+field, ".") }
