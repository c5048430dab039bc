package simtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/simulation/model"
	"brokerconn/domain"
)

// noteErrors notes the error codes of an answer, and reports whether it has any.
func (w *World) noteErrors(n *node, resp kmsg.Response, to model.Request) bool {
	codes := errorCodes(reflect.ValueOf(resp), nil)
	if len(codes) == 0 {
		return false
	}
	var texts []string
	for _, code := range codes {
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("error %d %s", code, domain.NewBrokerError(code, "").Name)))
	}
	w.noteAt(to.At.Sub(w.began), entry{kind: refused, broker: n.index, key: to.Key, version: to.Version,
		correlationID: to.ID, text: strings.Join(texts, ", ")})
	return true
}

// errorCodes appends the error codes of a message other than 0, each once.
func errorCodes(v reflect.Value, codes []int16) []int16 {
	switch v.Kind() {
	case reflect.Pointer:
		return errorCodes(v.Elem(), codes) // of nil: a value of no kind
	case reflect.Slice:
		for i := range v.Len() {
			codes = errorCodes(v.Index(i), codes)
		}
	case reflect.Int16:
		if code := int16(v.Int()); code != 0 && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	case reflect.Struct:
		for _, i := range codeFields(v.Type()) {
			codes = errorCodes(v.Field(i), codes)
		}
	}
	return codes
}

var codeFieldsOf sync.Map // reflect.Type: []int

// codeFields returns which fields of a struct are error codes, or have some in them. They are kept:
// every answer is looked at.
func codeFields(t reflect.Type) (fields []int) {
	if known, ok := codeFieldsOf.Load(t); ok {
		return known.([]int)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		in := f.Type
		for in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in.Kind() == reflect.Struct && len(codeFields(in)) > 0 ||
			f.Type.Kind() == reflect.Int16 && strings.HasSuffix(f.Name, "ErrorCode") {
			fields = append(fields, i)
		}
	}
	codeFieldsOf.Store(t, fields)
	return fields
}
