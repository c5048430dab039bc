package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance"
	"brokerconn/acceptance/kafkapython"
	"brokerconn/ports"
)

// startTansu starts Tansu with its storage in memory. A restart ends its connections.
func startTansu(ctx context.Context) (*peer, error) { return tansuWith(ctx) }

// startTansuWithLogins wants logins, and has no users.
func startTansuWithLogins(ctx context.Context) (*peer, error) {
	return tansuWith(ctx, "--authentication")
}

func tansuWith(ctx context.Context, flags ...string) (*peer, error) {
	program, err := kafkapython.Tansu(ctx)
	if err != nil {
		return nil, err
	}
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return nil, err
	}
	port, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	p := &peer{name: strings.TrimSpace(string(said)), address: fmt.Sprintf("127.0.0.1:%d", port),
		ask:    func() ports.Message { return kmsg.NewPtrMetadataRequest() },
		remark: "it has logins, but a storage in memory has users only after one"}
	start := func() error {
		url := "tcp://" + p.address
		p.stop, err = acceptance.StartChild(exec.CommandContext(ctx, program,
			append(flags, "--listener-url", url, "--advertised-listener-url", url, "--silent")...))
		if err != nil {
			return err
		}
		if err := accepts(ctx, p.address); err != nil {
			p.stop()
			return err
		}
		return nil
	}
	p.drop = func() error {
		p.stop()
		return start()
	}
	return p, start()
}
