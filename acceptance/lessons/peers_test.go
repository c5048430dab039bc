package lessons

import (
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The peers of the lessons, and their authenticator.

func lessonAccept([]byte) *kmsg.SASLAuthenticateResponse {
	return kmsg.NewPtrSASLAuthenticateResponse()
}

// lessonDrain hears everything and says nothing.
func lessonDrain(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn)
}
