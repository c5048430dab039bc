//go:build !linux

package properties

// systemSocketNames is empty: numbers are accepted on every system.
var systemSocketNames map[string]int
