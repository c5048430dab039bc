package domain

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"brokerconn/ports"
)

// TestDropLeavesNothingBehind: whatever a connection held, none of it is left once it is
// dropped.
func TestDropLeavesNothingBehind(t *testing.T) {
	for name, final := range map[string]bool{"lost": false, "closed": true} {
		m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}}))
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m.Connect(now, ConnectOptions{})
		m.HandleAddresses(now, m.Epoch(), make([]ports.Endpoint, 1), nil)
		fill(reflect.ValueOf(&m.connState).Elem())
		m.inflight, m.unanswered = inflight{}, []*Future{{Request: &ports.RawRequest{}}}
		m.state = Connected
		m.drop(m.newError(ErrConnection, errors.New("lost"), ""), final, false)
		if !reflect.ValueOf(m.connState).IsZero() {
			t.Errorf("%s: got %+v, want the zero connState", name, m.connState)
		}
	}
}

// TestInboxIsTakenOver: the next connection uses the memory again, unless a reader that was at work
// when the connection was dropped may still write to it.
func TestInboxIsTakenOver(t *testing.T) {
	for name, atWork := range map[string]bool{"no reader at work": false, "a reader at work": true} {
		m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}}))
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m.Connect(now, ConnectOptions{})
		m.HandleAddresses(now, m.Epoch(), make([]ports.Endpoint, 1), nil)
		m.state = Connected
		first := m.Space()
		if !atWork {
			m.HandleRead(now, m.Epoch(), 0)
		}
		m.drop(m.newError(ErrConnection, errors.New("lost"), ""), false, false)
		m.state = Connected
		if second := m.Space(); (&first[0] == &second[0]) == atWork {
			t.Errorf("%s: the memory is the same: got %v, want %v", name, atWork, !atWork)
		}
	}
}

// TestMemoryOfFuturesIsBounded: a future that is used again keeps up to 64 KiB for the next body, and no more.
func TestMemoryOfFuturesIsBounded(t *testing.T) {
	for size, want := range map[int]int{1000: 1000, 64 << 10: 64 << 10, 64<<10 + 1: 0, 1 << 20: 0} {
		m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}}))
		m.keep(&Future{spare: make([]byte, size)})
		if got := cap(m.newFuture(&ports.RawRequest{}).spare); got != want {
			t.Errorf("a body of %d bytes: kept %d, want %d", size, got, want)
		}
	}
}

// fill sets every field that is not a slice or a function to something.
func fill(v reflect.Value) {
	if !v.CanSet() {
		v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1)
	case reflect.String:
		v.SetString("x")
	}
}

// Limits of the state of a Machine.
const mostFields, mostBools = 50, 10

// TestStateStaysSmall counts the state of a Machine: its fields and, in place of a struct of
// this package or a pointer to one, the fields of that. Left out are settings, a port, and
// sums that are reported; a container counts as one field, and so does a value that is handed out and
// does not change once it is made. See countsAs.
func TestStateStaysSmall(t *testing.T) {
	fields, bools := 0, 0
	var list []string
	var count func(typ reflect.Type)
	count = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			n, listed := countsAs[inner.Name()]
			switch ours := inner.PkgPath() == typ.PkgPath(); {
			case ours && inner.Kind() == reflect.Struct && !listed:
				count(inner)
				continue
			case f.Type == reflect.TypeFor[ports.MetricsSink]():
			case !ours || !listed:
				n = 1
			}
			if f.Type.Kind() == reflect.Bool {
				bools++
			}
			if fields += n; n > 0 {
				list = append(list, f.Name)
			}
		}
	}
	count(reflect.TypeFor[Machine]())
	t.Logf("%d fields, %d bools: %s", fields, bools, strings.Join(list, " "))
	if fields > mostFields || bools > mostBools {
		t.Errorf("got %d fields and %d bools, want at most %d and %d", fields, bools, mostFields, mostBools)
	}
}

// countsAs is how many fields a struct counts as.
var countsAs = map[string]int{
	"Config": 0, "ConnectOptions": 0, "pauses": 0, // settings
	"Stats": 0, "cost": 0, // sums
	"outbox": 1, "inflight": 1, "pending": 1, "frameReader": 1, // containers
	"Versions": 1, "Error": 1, "Mechanism": 1, // values
}

func TestConditionsMoveByTheTable(t *testing.T) {
	all := []condition{serving, reauthenticating, replacing, draining, closing}
	for _, from := range all {
		for _, to := range all {
			_, legal := conditionMoves[from][to]
			m := &Machine{connState: connState{condition: from}}
			panicked := func() (p any) {
				defer func() { p = recover() }()
				m.setCondition(to)
				return nil
			}()
			stays := from == to || from == closing && to == draining
			if (panicked == nil) != (legal || stays) {
				t.Errorf("%d to %d: got panic %v, want one: %v", from, to, panicked, !legal && !stays)
			}
		}
	}
}

// TestMemoryOfOutboxIsBounded: outputs that were taken out leave nothing behind, however many there were.
func TestMemoryOfOutboxIsBounded(t *testing.T) {
	o := outbox{next: new(Output)}
	for range 1000 {
		o.put(item{done: &Future{}})
		o.pop()
	}
	if got := cap(o.items); got > 8 {
		t.Errorf("got room for %d outputs, want a few: at most one was there at a time", got)
	}
}

// TestMoveOutsideTheTablePanics: a move that the table does not have is a defect of this package.
func TestMoveOutsideTheTablePanics(t *testing.T) {
	m := NewMachine(Complete(Config{Host: "broker", Codec: noCodec{}}))
	defer func() {
		if got, want := recover(), "domain: no way from Disconnected to Connected"; got != want {
			t.Errorf("got panic %v, want %q", got, want)
		}
	}()
	m.setState(Connected, nil)
}
