package kafkacodec

import (
	"bytes"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// kmsg has no schemas at run time, only encoding code. A layout is learned from that
// code: fields are encoded in the order of the struct, so it is enough to change one
// field at a time and to compare the bytes.
//
//	nothing changes               the version has no such field
//	a tag count goes from 0 to 1  the field is tagged; its key follows
//	anything else                 the field is encoded inline
//
// The field's type and whether the version is flexible determine the rest. An array is
// learned with one element in it. The result is verified at once on a message with every
// field filled. If a later kmsg encodes something in another way, that check fails and
// bodies of that response are decoded without validation, as by kmsg alone; the tests of
// this package fail then too. Learning takes well under a millisecond, once per response
// and version.

// learnable reports whether the type is one of kmsg's, which all have the form that
// learning relies on.
func learnable(resp Response) bool {
	t := reflect.TypeOf(resp)
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct &&
		t.Elem().PkgPath() == reflect.TypeFor[kmsg.Tags]().PkgPath()
}

// learn returns the layout of the response's type in a version.
func learn(resp Response, version int16) *layout {
	root := blank(reflect.TypeOf(resp).Elem())
	l := &learner{root: root.Addr().Interface().(Response)}
	l.root.SetVersion(version)
	l.flexible = l.root.IsFlexible()
	l.steps = l.structure(root, false)
	l.throttle = l.findThrottle()

	l.known = true
	empty := l.write()
	fill(root)
	l.root.SetVersion(version)
	l.known = l.measure(empty) == nil && l.measure(l.write()) == nil
	return &l.layout
}

type learner struct {
	layout
	root Response // the whole message; all but the current field is blank
}

func (l *learner) write() []byte { return l.root.AppendTo(nil) }

// structure learns the struct v, which is a part of the root. tagged: v is the value of
// a tag, which is encoded only if it differs from its default.
func (l *learner) structure(v reflect.Value, tagged bool) (steps []step) {
	var tags []tag
	for i := range v.NumField() {
		f := v.Field(i)
		if !isField(v, i) {
			continue
		}
		unpoke := func() {}
		if tagged {
			unpoke = pokeOthers(v, i)
		}
		switch at, key := l.place(f, tagged); at {
		case inline:
			steps = append(steps, l.value(f)...)
		case inTag:
			tags = append(tags, tag{key: key, steps: l.tagValue(f)})
		}
		unpoke()
	}
	if l.flexible {
		steps = append(steps, step{op: opTags, tags: tags})
	}
	return steps
}

// value learns a field that is encoded.
func (l *learner) value(f reflect.Value) []step {
	switch t := f.Type(); t.Kind() {
	case reflect.String:
		return []step{{op: opString}}
	case reflect.Struct:
		return l.structure(f, false)
	case reflect.Pointer:
		if t.Elem().Kind() != reflect.Struct {
			return []step{{op: opString}}
		}
		defer restore(f)()
		f.Set(blank(t.Elem()).Addr())
		return []step{{op: opNullable, sub: l.structure(f.Elem(), false)}}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return []step{{op: opBytes}}
		}
		defer restore(f)()
		poke(f)
		return []step{{op: opArray, sub: merged(l.value(f.Index(0)))}}
	case reflect.Bool:
		return []step{{op: opFixed, size: 1}}
	default: // numbers and UUIDs are as long on the wire as in memory
		return []step{{op: opFixed, size: int(t.Size())}}
	}
}

// merged makes one step of fields of fixed size that follow each other.
func merged(steps []step) (fewer []step) {
	for _, s := range steps {
		if last := len(fewer) - 1; last >= 0 && s.op == opFixed && fewer[last].op == opFixed {
			fewer[last].size += s.size
		} else {
			fewer = append(fewer, s)
		}
	}
	return fewer
}

func (l *learner) tagValue(f reflect.Value) []step {
	if f.Kind() == reflect.Struct {
		return l.structure(f, true)
	}
	return l.value(f)
}

type place uint8

const (
	absent place = iota
	inline
	inTag
)

// place determines where a field is encoded, and the key of its tag.
func (l *learner) place(f reflect.Value, tagged bool) (at place, key uint32) {
	if f.Kind() == reflect.Struct {
		return l.placeStruct(f, tagged)
	}
	before := l.write()
	undo := restore(f)
	poke(f)
	after := l.write()
	undo()
	switch {
	case bytes.Equal(before, after):
		return absent, 0
	case l.flexible && !tagged:
		if key, ok := tagAdded(before, after); ok {
			return inTag, key
		}
	}
	return inline, 0
}

// placeStruct determines the place of a struct from its fields: it is tagged if all of
// them are.
func (l *learner) placeStruct(v reflect.Value, tagged bool) (at place, key uint32) {
	for i := range v.NumField() {
		if !isField(v, i) {
			continue
		}
		switch p, k := l.place(v.Field(i), tagged); p {
		case inline:
			return inline, 0
		case inTag:
			at, key = inTag, k
		}
	}
	return at, key
}

// tagAdded compares a message without and with one tagged field: the count changes from
// 0 to 1, and the key, the size and the value follow it.
func tagAdded(before, after []byte) (key uint32, ok bool) {
	p := 0
	for p < len(before) && p < len(after) && before[p] == after[p] {
		p++
	}
	if p >= len(before) || p+3 > len(after) || before[p] != 0 || after[p] != 1 {
		return 0, false
	}
	end := p + 3 + int(after[p+2])
	return uint32(after[p+1]), end <= len(after) && bytes.Equal(before[p+1:], after[end:])
}
