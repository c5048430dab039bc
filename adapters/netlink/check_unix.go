//go:build unix

package netlink

import (
	"io"
	"os"
	"syscall"

	"brokerconn/ports"
)

// peek returns io.EOF if the stream has ended, the socket's error if it has one, ErrUnread
// if there are bytes to read, and nil otherwise.
func peek(fd uintptr) error {
	var one [1]byte
	n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	switch {
	case err == syscall.EAGAIN, err == syscall.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("recvfrom", err)
	case n == 0:
		return io.EOF
	}
	return ports.ErrUnread
}
