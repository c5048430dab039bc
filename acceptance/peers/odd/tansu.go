package main

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/kafkapython"
	"brokerconn/ports"
)

// startTansu starts Tansu with its storage in memory. A restart ends its connections.
func startTansu(ctx context.Context) (*peer, error) {
	program, err := kafkapython.Tansu(ctx)
	if err != nil {
		return nil, err
	}
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_ = l.Close() // Tansu takes this port
	p := &peer{name: strings.TrimSpace(string(said)), address: l.Addr().String(),
		ask:    func() ports.Message { return kmsg.NewPtrMetadataRequest() },
		remark: "it has logins, but a storage in memory has users only after one"}
	var server *exec.Cmd
	p.stop = func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}
	start := func() error {
		url := "tcp://" + p.address
		server = exec.CommandContext(ctx, program, "--listener-url", url, "--advertised-listener-url", url, "--silent")
		if err := server.Start(); err != nil {
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

// accepts waits until a server accepts connections.
func accepts(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
