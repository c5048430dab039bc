package broker

import (
	"reflect"
	"testing"
)

// Each hook alone makes the core trace what it is called for. Changes of state are always reported, the events of
// requests have a setting of their own, and Panicked is called by the others.
func TestEachHookIsTraced(t *testing.T) {
	others := map[string]bool{"StateChanged": true, "RequestWritten": true, "RequestAnswered": true,
		"RequestFailed": true, "Panicked": true}
	for field := range reflect.TypeFor[Hooks]().Fields() {
		h := &Hooks{}
		hook := reflect.ValueOf(h).Elem().FieldByIndex(field.Index)
		hook.Set(reflect.MakeFunc(field.Type, func([]reflect.Value) []reflect.Value { return nil }))
		if got, want := h.tracing(), !others[field.Name]; got != want {
			t.Errorf("%s alone: got traced %v, want %v", field.Name, got, want)
		}
	}
}
