package kafkacodec

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
)

// A kind describes one Go type of requests. It is determined once.
type kind struct {
	maxVersion   int16
	flexibleFrom int16 // -1: never; not meaningful if fixed
	// fixed: the type cannot be copied, so it can be encoded in the version that it
	// holds only.
	fixed bool
	// acks is the index of a produce request's acks field, nil for all other types.
	acks []int
	// holds is, by version, the index of the field by which a broker may hold a request.
	holds [][]int
	// scratch holds zero values of the type. A message is copied into one,
	// which then takes the version; see appendTo.
	scratch sync.Pool
	// layouts of the response, by version, learned when first needed. nil for a
	// response type that is not kmsg's.
	layouts []atomic.Pointer[layout]
}

var (
	kinds sync.Map // reflect.Type -> *kind
	// One fixed type may represent many APIs, such as a wrapper that embeds
	// kmsg.Request: the response's type identifies the API.
	fixedKinds sync.Map // [2]reflect.Type, request and response -> *kind
)

func kindOf(req Request) (*kind, error) {
	t := reflect.TypeOf(req)
	if t.Kind() == reflect.Pointer && reflect.ValueOf(req).IsNil() {
		return nil, fmt.Errorf("kafkacodec: the request is a nil %T", req)
	}
	k := kindIn(&kinds, t, req)
	if k.fixed {
		k = kindIn(&fixedKinds, [2]reflect.Type{t, reflect.TypeOf(req.ResponseKind())}, req)
	}
	return k, nil
}

func kindIn(known *sync.Map, key any, req Request) *kind {
	k, ok := known.Load(key)
	if !ok {
		k, _ = known.LoadOrStore(key, newKind(req))
	}
	return k.(*kind)
}

func newKind(req Request) *kind {
	t := reflect.TypeOf(req)
	k := &kind{maxVersion: req.MaxVersion(), flexibleFrom: -1, fixed: !copies(t)}
	if !k.fixed {
		k.scratch.New = func() any { return reflect.New(t.Elem()).Interface() }
		k.flexibleFrom = firstFlexible(k.scratch.New().(Request))
	}
	if req.Key() == keyProduce {
		k.acks = acksOf(t)
	}
	k.findHolds(req)
	if learnable(req.ResponseKind()) {
		k.layouts = make([]atomic.Pointer[layout], int(k.maxVersion)+1)
	}
	return k
}

// firstFlexible asks a blank request about each of its versions.
func firstFlexible(blank Request) int16 {
	for v := int16(0); v <= blank.MaxVersion(); v++ {
		if blank.SetVersion(v); blank.IsFlexible() {
			return v
		}
	}
	return -1
}

// copies reports whether a shallow copy of a *T has a version of its own. A struct that
// embeds a *kmsg.X has not: its copy shares the X, and a version set on the copy would
// change the caller's message while other connections use it.
func copies(t reflect.Type) (ok bool) {
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return false
	}
	defer func() {
		if recover() != nil { // the nil pointer that it embeds
			ok = false
		}
	}()
	a, b := reflect.New(t.Elem()), reflect.New(t.Elem())
	original, duplicate := a.Interface().(Request), b.Interface().(Request)
	original.SetVersion(0)
	b.Elem().Set(a.Elem())
	duplicate.SetVersion(1)
	return original.GetVersion() == 0 && duplicate.GetVersion() == 1
}

func acksOf(t reflect.Type) []int {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	if f, ok := t.FieldByName("Acks"); ok && f.Type.Kind() == reflect.Int16 {
		return f.Index
	}
	return nil
}

// noResponse reports whether the broker sends no answer: it answers no produce request
// with acks 0, not even with an error.
func (k *kind) noResponse(req Request) bool {
	if k.acks == nil {
		return false
	}
	acks, err := reflect.Indirect(reflect.ValueOf(req)).FieldByIndexErr(k.acks)
	return err == nil && acks.Int() == 0
}

// appendTo encodes req in a version without changing req, which other goroutines may be
// encoding in other versions. The copy is shallow: encoding only reads. The copy is
// cleared before it returns to the pool, so that the pool keeps no record alive.
func (k *kind) appendTo(dst []byte, req Request, version int16) []byte {
	if k.fixed {
		return req.AppendTo(dst)
	}
	duplicate := k.scratch.Get().(Request)
	v := reflect.ValueOf(duplicate).Elem()
	v.Set(reflect.ValueOf(req).Elem())
	duplicate.SetVersion(version)
	dst = duplicate.AppendTo(dst)
	v.SetZero()
	k.scratch.Put(duplicate)
	return dst
}

var errVersion = errors.New("no such version is known here")

func (k *kind) decode(req Request, version int16, body []byte) (resp Response, err error) {
	if version < 0 || version > k.maxVersion {
		return nil, errVersion
	}
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, fmt.Errorf("the reader panicked: %v", p)
		}
	}()
	resp = req.ResponseKind()
	resp.SetVersion(version)
	if k.layouts != nil {
		if err := k.layout(req, version).measure(body); err != nil {
			return nil, err
		}
	}
	if err := resp.ReadFrom(body); err != nil {
		return nil, err
	}
	return resp, nil
}

func (k *kind) layout(req Request, version int16) *layout {
	at := &k.layouts[version]
	l := at.Load()
	if l == nil {
		l = learn(req.ResponseKind(), version)
		at.Store(l) // concurrent callers store equal values
	}
	return l
}
