package tcp

import "syscall"

func setInt(fd uintptr, o SocketOption) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), o.Level, o.Name, o.Value)
}
