//go:build !unix

package netlink

// peek cannot tell here: a Windows socket has no call that does not wait while
// another one reads.
func peek(uintptr) error { return nil }
