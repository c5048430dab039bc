package kafkacodec

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
)

// A kind is what is known of one Go type of requests, found out once.
type kind struct {
	maxVersion   int16
	flexibleFrom int16 // -1: never; of no meaning when fixed
	// fixed: the type cannot be copied, so only the version it holds can be
	// written.
	fixed bool
	// acks is where a produce request has its acks, nil for all others.
	acks []int
	// scratch holds zero values of the type. A message is copied into one,
	// which then takes the version; see appendTo.
	scratch sync.Pool
	// layouts of the response, by version, learned when first needed. nil for a
	// response type that is not kmsg's.
	layouts []atomic.Pointer[layout]
}

var (
	kinds sync.Map // reflect.Type -> *kind
	// One type that is fixed may stand for many APIs, as a wrapper does that embeds
	// kmsg.Request: there the response's type tells.
	fixedKinds sync.Map // [2]reflect.Type, request and response -> *kind
)

func kindOf(req Request) (*kind, error) {
	t := reflect.TypeOf(req)
	if t.Kind() == reflect.Pointer && reflect.ValueOf(req).IsNil() {
		return nil, fmt.Errorf("kafkacodec: the request is a nil %T", req)
	}
	k, ok := kinds.Load(t)
	if !ok {
		k, _ = kinds.LoadOrStore(t, newKind(req))
	}
	if !k.(*kind).fixed {
		return k.(*kind), nil
	}
	both := [2]reflect.Type{t, reflect.TypeOf(req.ResponseKind())}
	if k, ok = fixedKinds.Load(both); !ok {
		k, _ = fixedKinds.LoadOrStore(both, newKind(req))
	}
	return k.(*kind), nil
}

func newKind(req Request) *kind {
	t := reflect.TypeOf(req)
	k := &kind{maxVersion: req.MaxVersion(), flexibleFrom: -1, fixed: !copies(t)}
	if !k.fixed {
		k.scratch.New = func() any { return reflect.New(t.Elem()).Interface() }
		k.flexibleFrom = firstFlexible(k.scratch.New().(Request))
	}
	if req.Key() == 0 {
		k.acks = acksOf(t)
	}
	if learnable(req.ResponseKind()) {
		k.layouts = make([]atomic.Pointer[layout], int(k.maxVersion)+1)
	}
	return k
}

// firstFlexible asks a blank request for each of its versions.
func firstFlexible(blank Request) int16 {
	for v := int16(0); v <= blank.MaxVersion(); v++ {
		if blank.SetVersion(v); blank.IsFlexible() {
			return v
		}
	}
	return -1
}

// copies says whether a shallow copy of a *T has a version of its own. Not so
// for a struct that embeds a *kmsg.X: its copy shares the X, and a version set
// on the copy would change the caller's message under other connections.
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

// noResponse says whether the broker will stay silent: it answers no produce
// request with acks 0, not even to report a failure.
func (k *kind) noResponse(req Request) bool {
	if k.acks == nil {
		return false
	}
	acks, err := reflect.Indirect(reflect.ValueOf(req)).FieldByIndexErr(k.acks)
	return err == nil && acks.Int() == 0
}

// appendTo writes req in a version without touching req, which other goroutines
// may be writing in other versions. The copy is shallow: writing reads only. It
// is blanked before it goes back, so that the pool keeps no record alive.
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
		at.Store(l) // learned twice is learned the same
	}
	return l
}
