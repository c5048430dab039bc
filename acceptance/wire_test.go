//go:build acceptance

package acceptance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
)

// The harness tests the library, so its own tests do not use the library: their requests
// are written by hand or by kmsg.

// patience bounds the wait for an answer that must come.
const patience = 30 * time.Second

// silence bounds the wait for an answer that must not come. A running broker answers in a
// few milliseconds.
const silence = 300 * time.Millisecond

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn := must(net.DialTimeout("tcp", addr, patience))(t)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// askVersions writes an ApiVersions request, version 0 (KIP-35).
func askVersions(conn net.Conn, correlation byte) error {
	_, err := conn.Write([]byte{
		0, 0, 0, 14, // size
		0, 18, // key: ApiVersions
		0, 0, // version
		0, 0, 0, correlation,
		0, 4, 't', 'e', 's', 't', // client id
	})
	return err
}

// readVersions reads the answer to askVersions, and returns how many APIs it lists.
func readVersions(conn net.Conn, correlation byte, wait time.Duration) (int, error) {
	conn.SetReadDeadline(time.Now().Add(wait))
	body, err := readFrame(conn)
	if err != nil {
		return 0, err
	}
	if len(body) < 10 || body[3] != correlation {
		return 0, fmt.Errorf("not an answer to request %d: % x", correlation, body)
	}
	if code := binary.BigEndian.Uint16(body[4:]); code != 0 {
		return 0, fmt.Errorf("error code %d", code)
	}
	n := int(binary.BigEndian.Uint32(body[6:]))
	if len(body) != 10+6*n {
		return 0, fmt.Errorf("%d APIs in %d bytes", n, len(body))
	}
	return n, nil
}

func readFrame(conn net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(conn, body)
	return body, err
}

func expectAnswer(t *testing.T, conn net.Conn, correlation byte) {
	t.Helper()
	n, err := readVersions(conn, correlation, patience)
	if err != nil {
		t.Fatalf("request %d: got %v", correlation, err)
	}
	if n < 40 {
		t.Fatalf("request %d: got %d APIs, want at least 40", correlation, n)
	}
}

func expectSilence(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(silence))
	n, err := conn.Read(make([]byte, 1))
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read from a paused broker: got %d bytes, %v; want a timeout", n, err)
	}
}

// call sends one request of kmsg on a connection of its own.
func call(t *testing.T, addr string, request kmsg.Request) kmsg.Response {
	t.Helper()
	conn := dial(t, addr)
	defer conn.Close()
	return callOver(t, conn, request)
}

// callOver is call on an existing connection.
func callOver(t *testing.T, conn net.Conn, request kmsg.Request) kmsg.Response {
	t.Helper()
	conn.SetDeadline(time.Now().Add(patience))
	must(conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 1)))(t)
	body := must(readFrame(conn))(t)
	response := request.ResponseKind()
	response.SetVersion(request.GetVersion())
	fakebroker.Must(t, response.ReadFrom(body[4:]))
	return response
}

// createTopic makes a topic; CreateTopics v2 is the oldest that 4.x knows.
func createTopic(t *testing.T, addr, name string) {
	t.Helper()
	request := createRequest(name)
	request.SetVersion(2)
	response := call(t, addr, request).(*kmsg.CreateTopicsResponse)
	if code := response.Topics[0].ErrorCode; code != 0 {
		t.Fatalf("create topic %s: error code %d", name, code)
	}
}

// createRequest is for a topic of one partition.
func createRequest(name string) *kmsg.CreateTopicsRequest {
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	request.Topics = append(request.Topics, topic)
	request.TimeoutMillis = int32(patience.Milliseconds())
	return request
}

func metadataOf(name string) *kmsg.MetadataRequest {
	request := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	request.Topics = append(request.Topics, topic)
	return request
}

// cluster returns the cluster's id and its topics, from Metadata v2.
func cluster(t *testing.T, addr string) (id string, topics []string) {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	request.SetVersion(2)
	response := call(t, addr, request).(*kmsg.MetadataResponse)
	for _, topic := range response.Topics {
		topics = append(topics, *topic.Topic)
	}
	return *response.ClusterID, topics
}
