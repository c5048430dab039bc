package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/kafkapython"
	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
)

//go:embed testdata/mock.py
var mockProgram string

// startLibrdkafka starts librdkafka's mock cluster with one broker; it has no logins.
func startLibrdkafka(ctx context.Context) (*peer, error) {
	python, err := kafkapython.Librdkafka(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, "-I", "-c", mockProgram)
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	mock, err := startChild(cmd)
	if err != nil {
		return nil, err
	}
	first, err := mock.next()
	if err != nil {
		return nil, err
	}
	name, address, _ := strings.Cut(first, " ")
	return &peer{
		name: "mock cluster of librdkafka " + name, address: address, stop: mock.kill,
		ask:    func() ports.Message { return kafkacodec.At(kmsg.NewPtrMetadataRequest(), 8) },
		remark: "Metadata pinned to v8: from v9 on its responses end with a byte too many, which is refused",
		drop: func() error {
			if _, err := fmt.Fprintln(orders, "drop"); err != nil {
				return err
			}
			_, err := mock.next()
			return err
		},
	}, nil
}
