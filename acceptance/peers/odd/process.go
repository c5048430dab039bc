package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"time"

	"brokerconn/acceptance"
)

// child is a server in a process of its own that prints lines.
type child struct {
	kill  func()
	lines *bufio.Scanner
	said  strings.Builder // to standard error; it is complete after kill
}

func startChild(cmd *exec.Cmd) (*child, error) {
	c := &child{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = &c.said
	c.lines = bufio.NewScanner(out)
	c.kill, err = acceptance.StartChild(cmd)
	return c, err
}

// next returns the next line. After an error the process is gone.
func (c *child) next() (string, error) {
	if !c.lines.Scan() {
		c.kill()
		return "", fmt.Errorf("the process ended: %s", strings.TrimSpace(c.said.String()))
	}
	return c.lines.Text(), nil
}

// freePorts returns the first of several ports on loopback. They are below those of outgoing
// connections, one of which could be connected with itself while a server is down.
func freePorts(several int) (int, error) {
	var taken error
	for range 100 {
		first := 20000 + rand.IntN(12000)
		if taken = free(first, several); taken == nil {
			return first, nil
		}
	}
	return 0, taken
}

func free(first, several int) error {
	for i := range several {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+i))
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
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
