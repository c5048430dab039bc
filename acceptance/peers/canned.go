package main

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/relay"
)

const (
	keyProduce     = 0
	keyFetch       = 1
	keyMetadata    = 3
	keyHeartbeat   = 12
	keyAPIVersions = 18
)

// addresses are where the canned broker is reached, and the file of the certificate that it has.
type addresses struct{ plain, secure, relayed, authority string }

// serve runs the canned broker until stdin ends. It prints its addresses.
func serve(in io.Reader, out io.Writer, delay time.Duration) error {
	certificate, authority, err := newCertificate()
	if err != nil {
		return err
	}
	defer os.Remove(authority)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer plain.Close()
	go accept(plain)
	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return err
	}
	defer secure.Close()
	go accept(secure)
	slow, err := relay.Start(plain.Addr().String(), relay.Options{Delay: delay})
	if err != nil {
		return err
	}
	defer slow.Close()
	fmt.Fprintln(out, plain.Addr(), secure.Addr(), slow.Addr(), authority)
	_, err = io.Copy(io.Discard, in)
	return err
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go answer(c)
	}
}

// answer serves one connection. Answers are flushed when no request is buffered, so that as many as came
// together leave together.
func answer(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	var frame []byte
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(size[:]))
		if cap(frame) < n {
			frame = make([]byte, n)
		}
		frame = frame[:n]
		if _, err := io.ReadFull(r, frame); err != nil {
			return
		}
		body, err := bodyOf(c, frame)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
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

var (
	heartbeatBody = make([]byte, 6) // throttle time, error code
	produceBody   = make([]byte, 8) // no topics, throttle time
	emptyFetch    = make([]byte, 8) // throttle time, no topics
	versionsBody  = versions(0)
)

// bodyOf returns what follows the correlation id in the answer to a request.
func bodyOf(c net.Conn, frame []byte) ([]byte, error) {
	key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
	switch key {
	case keyHeartbeat:
		return heartbeatBody, nil
	case keyProduce:
		return produceBody, nil
	case keyFetch:
		client := max(int(int16(binary.BigEndian.Uint16(frame[8:]))), 0)
		body := frame[10+client:]
		if millis := binary.BigEndian.Uint32(body[4:]); millis > 0 {
			time.Sleep(time.Duration(millis) * time.Millisecond)
			return emptyFetch, nil
		}
		return fetched(int(binary.BigEndian.Uint32(body[12:]))), nil
	case keyAPIVersions:
		if version > 4 {
			return versions(unsupportedVersion), nil
		}
		if version > 0 {
			return versionsIn(version), nil
		}
		return versionsBody, nil
	case keyMetadata:
		return metadata(version, c.LocalAddr().String())
	}
	return nil, fmt.Errorf("the canned broker has no answer for API %d v%d", key, version)
}

const unsupportedVersion = 35

// versions is the answer to ApiVersions in version 0.
func versions(code int16) []byte {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode, resp.ApiKeys = code, table()
	return resp.AppendTo(nil)
}

func versionsIn(version int16) []byte {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.Version, resp.ApiKeys = version, table()
	return resp.AppendTo(nil)
}

func table() (keys []kmsg.ApiVersionsResponseApiKey) {
	for _, r := range [][3]int16{{keyProduce, 3, 3}, {keyFetch, 4, 4}, {keyMetadata, 1, 4}, {keyHeartbeat, 1, 1},
		{keyAPIVersions, 0, 4}} {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = r[0], r[1], r[2]
		keys = append(keys, k)
	}
	return keys
}

// fetched is the answer to a Fetch: one partition with n bytes, which no client looks into. Each is made once.
func fetched(n int) []byte {
	if body, ok := fetches.Load(n); ok {
		return body.([]byte)
	}
	resp := kmsg.NewPtrFetchResponse()
	resp.Version = 4
	partition := kmsg.NewFetchResponseTopicPartition()
	partition.RecordBatches = make([]byte, n)
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.Partitions = "t", append(topic.Partitions, partition)
	resp.Topics = append(resp.Topics, topic)
	body, _ := fetches.LoadOrStore(n, resp.AppendTo(nil))
	return body.([]byte)
}

var fetches sync.Map

func metadata(version int16, address string) ([]byte, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = version
	one := kmsg.NewMetadataResponseBroker()
	one.NodeID, one.Host, one.Port = 1, host, int32(port)
	resp.Brokers, resp.ControllerID = append(resp.Brokers, one), 1
	return resp.AppendTo(nil), err
}
