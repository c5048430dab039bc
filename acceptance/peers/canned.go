package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/relay"
)

const (
	keyFetch       = 1
	keyHeartbeat   = 12
	keyAPIVersions = 18
)

// serve runs the canned broker and a relay in front of it until stdin ends. It prints
// both addresses.
func serve(in io.Reader, out io.Writer, delay time.Duration) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	slow, err := relay.Start(listener.Addr().String(), relay.Options{Delay: delay})
	if err != nil {
		return err
	}
	defer slow.Close()
	fmt.Fprintln(out, listener.Addr(), slow.Addr())
	_, err = io.Copy(io.Discard, in)
	return err
}

// answer serves one connection. Answers are flushed when no request is buffered.
func answer(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(r, frame); err != nil {
			return
		}
		key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
		body, err := bodyOf(key, version, frame)
		if err != nil {
			return
		}
		var head [8]byte
		binary.BigEndian.PutUint32(head[:], uint32(4+len(body)))
		copy(head[4:], frame[4:8])
		_, _ = w.Write(head[:])
		_, _ = w.Write(body)
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
	}
}

var heartbeatBody = make([]byte, 6) // throttle time, error code

// bodyOf returns what follows the correlation id in the answer to a request.
func bodyOf(key, version int16, frame []byte) ([]byte, error) {
	switch key {
	case keyHeartbeat:
		return heartbeatBody, nil
	case keyFetch:
		client := int(int16(binary.BigEndian.Uint16(frame[8:])))
		body := frame[10+client:]
		time.Sleep(time.Duration(binary.BigEndian.Uint32(body[4:])) * time.Millisecond)
		return make([]byte, 8), nil // throttle time, no topics
	case keyAPIVersions:
		resp := kmsg.NewPtrApiVersionsResponse()
		resp.Version = version
		for _, r := range [][3]int16{{keyFetch, 4, 4}, {keyHeartbeat, 1, 1}, {keyAPIVersions, 0, 3}, {3, 4, 4}} {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MinVersion, k.MaxVersion = r[0], r[1], r[2]
			resp.ApiKeys = append(resp.ApiKeys, k)
		}
		if version > 3 {
			resp.Version, resp.ErrorCode = 0, 35
		}
		return resp.AppendTo(nil), nil
	}
	return nil, fmt.Errorf("the canned broker has no answer for API %d", key)
}
