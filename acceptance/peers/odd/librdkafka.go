package main

import (
	"bufio"
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
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		orders.Close() // it ends then
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	next := func() (string, error) {
		if !lines.Scan() {
			return "", fmt.Errorf("the mock cluster ended: %s", strings.TrimSpace(said.String()))
		}
		return lines.Text(), nil
	}
	first, err := next()
	name, address, ok := strings.Cut(first, " ")
	if err == nil && !ok {
		err = fmt.Errorf("the mock cluster printed %q, want its version and address", first)
	}
	if err != nil {
		stop()
		return nil, err
	}
	return &peer{
		name: "mock cluster of librdkafka " + name, address: address, stop: stop,
		ask:    func() ports.Message { return kafkacodec.At(kmsg.NewPtrMetadataRequest(), 8) },
		remark: "Metadata pinned to v8: from v9 on its responses end with a byte too many, which is refused",
		drop: func() error {
			if _, err := fmt.Fprintln(orders, "drop"); err != nil {
				return err
			}
			_, err := next()
			return err
		},
	}, nil
}
