package kafkacodec

import (
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The functions of this file change messages by reflection, for learn.go.

var typeTags = reflect.TypeFor[kmsg.Tags]()

// isField reports whether field i of v is a field of the protocol: neither the version
// at the top of a message nor the unknown tags.
func isField(v reflect.Value, i int) bool {
	f := v.Type().Field(i)
	_, message := v.Addr().Interface().(Response)
	return f.Type != typeTags && !(message && f.Name == "Version")
}

// blank returns an addressable T with its defaults.
func blank(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	return v.Elem()
}

// restore returns a function that puts the present value of f back.
func restore(f reflect.Value) func() {
	saved := reflect.New(f.Type()).Elem()
	saved.Set(f)
	return func() { f.Set(saved) }
}

// poke sets f to the smallest value that differs from its present one. It does not
// change a struct.
func poke(f reflect.Value) {
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(!f.Bool())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.SetInt(f.Int() + 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.SetUint(f.Uint() + 1)
	case reflect.Float32, reflect.Float64:
		f.SetFloat(f.Float() + 1)
	case reflect.String:
		f.SetString(f.String() + "x")
	case reflect.Array: // a UUID
		poke(f.Index(0))
	case reflect.Slice:
		f.Set(reflect.Append(f, blank(f.Type().Elem())))
	case reflect.Pointer:
		f.Set(blank(f.Type().Elem()).Addr())
		if f.Elem().Kind() != reflect.Struct {
			poke(f.Elem())
		}
	}
}

// pokeOthers changes every field of v but field i, and returns a function to undo it.
func pokeOthers(v reflect.Value, i int) (undo func()) {
	undo = restore(v)
	for j := range v.NumField() {
		if j != i && isField(v, j) {
			poke(v.Field(j))
		}
	}
	return undo
}

// fill changes v and all that is in it, with one element in each array.
func fill(v reflect.Value) {
	poke(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if isField(v, i) {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		fill(v.Index(v.Len() - 1))
	case reflect.Pointer:
		fill(v.Elem())
	}
}
