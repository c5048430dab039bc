//go:build unix

package tcp

import "syscall"

func setInt(fd uintptr, o SocketOption) error {
	return syscall.SetsockoptInt(int(fd), o.Level, o.Name, o.Value)
}
