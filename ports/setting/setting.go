// Package setting declares the fields of a struct of options, each once: what zero
// means, and which values are valid. The package that owns the struct declares its
// rows, fills in its defaults and checks its bounds with them; documentation and error
// texts name both from the same rows. What a field does is its comment.
package setting

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Row declares one field.
type Row struct {
	Field string // its name in the struct
	// Default is the value that replaces zero, of the field's type. If nil, zero is
	// used as it is.
	Default any
	// Zero describes what zero means where Default is nil. If empty, it is "none".
	Zero string
	// Negative describes what a number below 0 means. If empty, it is not valid.
	Negative string
	// Min and Max bound a number or a duration: a positive value beyond a bound is replaced
	// by it. Max also bounds the bytes of a text, which is not valid if it is longer. If
	// zero, there is no such bound.
	Min, Max int64

	index int // of the field
}

// Rows declare all exported fields of a struct, in their order.
type Rows []Row

// Of returns the rows of T. A field that is not declared has a row in which zero means
// none, or false. It panics if a row names no field of T, or has a default of another type.
func Of[T any](declared ...Row) Rows {
	var rows Rows
	for f := range reflect.TypeFor[T]().Fields() {
		if f.IsExported() {
			row := Row{Field: f.Name, index: f.Index[0]}
			if f.Type.Kind() == reflect.Bool {
				row.Zero = "false"
			}
			rows = append(rows, row)
		}
	}
	var zero T
	for _, d := range declared {
		row := rows.Row(d.Field)
		if row == nil {
			panic(fmt.Sprintf("setting: %T has no field %s", zero, d.Field))
		}
		d.index = row.index
		if *row = d; d.Default != nil {
			row.of(&zero).Set(reflect.ValueOf(d.Default)) // panics if it is of another type
		}
	}
	return rows
}

// Row returns the row of a field, or nil if there is no such field.
func (r Rows) Row(field string) *Row {
	for i := range r {
		if r[i].Field == field {
			return &r[i]
		}
	}
	return nil
}

// longest bounds every duration, so that the sum of two is one, and not less than 0.
const longest = 100 * 365 * 24 * time.Hour

// Fill replaces zeros by their defaults, and clamps numbers; a duration is at most a hundred
// years. options points to the struct.
func (r Rows) Fill(options any) {
	for i := range r {
		v := r[i].of(options)
		if r[i].Default != nil && v.IsZero() {
			v.Set(reflect.ValueOf(r[i].Default))
		}
		if n, ok := number(v); ok && n > 0 {
			if r[i].Max > 0 {
				n = min(n, r[i].Max)
			}
			if v.Type() == reflect.TypeFor[time.Duration]() {
				n = min(n, int64(longest))
			}
			v.SetInt(max(n, r[i].Min))
		}
	}
}

// Check calls report for each field whose value is not valid. problem is the value and
// the limit. options points to the struct; zeros are valid.
func (r Rows) Check(options any, report func(field, problem string)) {
	for i := range r {
		if problem := r[i].check(r[i].of(options)); problem != "" {
			report(r[i].Field, problem)
		}
	}
}

func (r *Row) check(v reflect.Value) string {
	if v.Kind() == reflect.String && r.Max > 0 && int64(v.Len()) > r.Max {
		return fmt.Sprintf("%d bytes; at most %d", v.Len(), r.Max)
	}
	if n, ok := number(v); !ok || n >= 0 || r.Negative != "" {
		return ""
	}
	meaning := r.Text()
	if r.Default != nil {
		meaning = "the default, " + meaning
	}
	return fmt.Sprintf("%v is less than 0; 0 means %s", v, meaning)
}

// Text describes what zero means, as in "30 s" or "none".
func (r *Row) Text() string {
	switch d := r.Default.(type) {
	case nil:
		if r.Zero == "" {
			return "none"
		}
		return r.Zero
	case time.Duration:
		switch day := 24 * time.Hour; {
		case d > day && d%day == 0:
			return fmt.Sprint(int64(d/day), " days")
		case d%time.Second == 0:
			return fmt.Sprint(d.Seconds(), " s")
		}
		return fmt.Sprint(d.Milliseconds(), " ms")
	}
	if n, ok := number(reflect.ValueOf(r.Default)); ok && strings.HasSuffix(r.Field, "Bytes") && n%(1<<20) == 0 {
		return fmt.Sprint(n>>20, " MiB")
	}
	return fmt.Sprint(r.Default)
}

// of returns the field of a struct, which options points to.
func (r *Row) of(options any) reflect.Value { return reflect.ValueOf(options).Elem().Field(r.index) }

// number returns the value of a signed number.
func number(v reflect.Value) (n int64, ok bool) {
	if !v.CanInt() {
		return 0, false
	}
	return v.Int(), true
}
