package broker

import (
	"reflect"
	"slices"
	"time"

	"brokerconn/ports"
)

// JoinHooks returns hooks that call those of each of the list, in order: of a log, of metrics,
// and of the program. A nil Hooks is left out. After a panic in one of them Panicked is called
// with its value, and the next one is called; a panic in Panicked is dropped. Changes to the list's
// fields have no effect later.
func JoinHooks(list ...*Hooks) *Hooks {
	list = slices.DeleteFunc(slices.Clone(list), func(h *Hooks) bool { return h == nil })
	j := &Hooks{}
	fields := reflect.ValueOf(j).Elem()
	for i := range fields.NumField() {
		var hooks []reflect.Value
		for _, h := range list {
			if f := reflect.ValueOf(h).Elem().Field(i); !f.IsNil() {
				hooks = append(hooks, reflect.ValueOf(f.Interface()))
			}
		}
		reports := j
		if fields.Type().Field(i).Name == "Panicked" {
			reports = &Hooks{} // it would be called for its own panic
		}
		switch field := fields.Field(i); len(hooks) {
		case 0:
		case 1:
			field.Set(hooks[0])
		default:
			field.Set(reflect.MakeFunc(field.Type(), func(args []reflect.Value) []reflect.Value {
				for _, h := range hooks {
					reports.contained(func() { h.Call(args) })
				}
				return nil
			}))
		}
	}
	return j
}

// contained calls a hook of several, so that its panic does not keep the others from theirs.
func (h *Hooks) contained(call func()) {
	defer h.contain()
	call()
}

// JoinMetrics returns a sink that passes each event to those of the list, in order. A nil sink
// is left out. A panic in one of them is that of the sink, and ends the connection.
func JoinMetrics(list ...ports.MetricsSink) ports.MetricsSink {
	list = slices.DeleteFunc(slices.Clone(list), func(s ports.MetricsSink) bool { return s == nil })
	if len(list) == 1 {
		return list[0]
	}
	return sinks(list)
}

type sinks []ports.MetricsSink

func (all sinks) ConnectionStarted(now time.Time) {
	for _, s := range all {
		s.ConnectionStarted(now)
	}
}

func (all sinks) ConnectionReady(now time.Time, took time.Duration) {
	for _, s := range all {
		s.ConnectionReady(now, took)
	}
}

func (all sinks) ConnectionClosed(now time.Time, ready, clean bool) {
	for _, s := range all {
		s.ConnectionClosed(now, ready, clean)
	}
}

func (all sinks) Reconnected(now time.Time) {
	for _, s := range all {
		s.Reconnected(now)
	}
}

func (all sinks) LoginSucceeded(now time.Time, reauth bool, took time.Duration) {
	for _, s := range all {
		s.LoginSucceeded(now, reauth, took)
	}
}

func (all sinks) LoginFailed(now time.Time, reauth bool) {
	for _, s := range all {
		s.LoginFailed(now, reauth)
	}
}

func (all sinks) RequestSent(now time.Time, key, version int16, bytes int) {
	for _, s := range all {
		s.RequestSent(now, key, version, bytes)
	}
}

func (all sinks) ResponseReceived(
	now time.Time, key, version int16, bytes int, throttled time.Duration, t ports.Timing,
) {
	for _, s := range all {
		s.ResponseReceived(now, key, version, bytes, throttled, t)
	}
}

func (all sinks) RequestFailed(now time.Time, key, version int16, timedOut bool, t ports.Timing) {
	for _, s := range all {
		s.RequestFailed(now, key, version, timedOut, t)
	}
}

func (all sinks) RequestRefused(now time.Time, key int16) {
	for _, s := range all {
		s.RequestRefused(now, key)
	}
}

func (all sinks) RequestCanceled(now time.Time, key, version int16) {
	for _, s := range all {
		s.RequestCanceled(now, key, version)
	}
}

func (all sinks) RequestStalled(now time.Time, key, version int16) {
	for _, s := range all {
		s.RequestStalled(now, key, version)
	}
}

func (all sinks) ResponseDropped(now time.Time) {
	for _, s := range all {
		s.ResponseDropped(now)
	}
}

func (all sinks) BytesSent(now time.Time, n int) {
	for _, s := range all {
		s.BytesSent(now, n)
	}
}

func (all sinks) BytesReceived(now time.Time, n int) {
	for _, s := range all {
		s.BytesReceived(now, n)
	}
}

func (all sinks) StaleIgnored(now time.Time) {
	for _, s := range all {
		s.StaleIgnored(now)
	}
}
