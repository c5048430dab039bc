//go:build !linux

package properties

// systemSocketNames is empty: the numbers do on every system.
var systemSocketNames map[string]int
