//go:build !unix

package netlink

// peek returns nil: a Windows socket has no call that returns at once while another
// call reads.
func peek(uintptr) error { return nil }
