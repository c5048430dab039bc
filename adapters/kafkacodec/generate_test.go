package kafkacodec_test

import (
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// filled gives every field of a message of kmsg a random value, so that a field
// that is forgotten or misplaced shows. It is not how the codec's own learning
// fills messages, on purpose.
func filled[M any](rnd *rand.Rand, m M, version int16) M {
	fillStruct(rnd, reflect.ValueOf(m).Elem())
	any(m).(interface{ SetVersion(int16) }).SetVersion(version)
	return m
}

func fillStruct(rnd *rand.Rand, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if tags, ok := f.Addr().Interface().(*kmsg.Tags); ok {
			for range rnd.IntN(3) {
				tags.Set(1000+rnd.Uint32N(100000), randomBytes(rnd))
			}
			continue
		}
		fillValue(rnd, f)
	}
}

func fillValue(rnd *rand.Rand, f reflect.Value) {
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(rnd.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.SetInt(int64(rnd.Uint64()) >> rnd.IntN(64))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.SetUint(rnd.Uint64())
	case reflect.Float64:
		f.SetFloat(rnd.Float64())
	case reflect.String:
		f.SetString(randomString(rnd))
	case reflect.Array:
		for i := range f.Len() {
			f.Index(i).SetUint(uint64(rnd.IntN(256)))
		}
	case reflect.Struct:
		fillStruct(rnd, f)
	case reflect.Pointer:
		if rnd.IntN(4) > 0 {
			f.Set(reflect.New(f.Type().Elem()))
			fillValue(rnd, f.Elem())
		}
	case reflect.Slice:
		n := rnd.IntN(4)
		if f.Type().Elem().Kind() != reflect.Struct && rnd.IntN(4) == 0 {
			n = 100 + rnd.IntN(100) // compact counts of two bytes
		}
		if n == 0 && rnd.IntN(2) == 0 {
			return // null, if it differs from empty
		}
		f.Set(reflect.MakeSlice(f.Type(), n, n))
		for i := range n {
			fillValue(rnd, f.Index(i))
		}
	}
}

func randomString(rnd *rand.Rand) string {
	if rnd.IntN(8) == 0 {
		return strings.Repeat("k", 120+rnd.IntN(20))
	}
	return strings.Repeat("a", rnd.IntN(5))
}

func randomBytes(rnd *rand.Rand) []byte { return []byte(randomString(rnd)) }
