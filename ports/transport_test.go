package ports_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"brokerconn/ports"
)

func TestWouldBlock(t *testing.T) {
	for _, err := range []error{
		nil, io.EOF, ports.ErrInterrupted, errors.New(ports.ErrWouldBlock.Error()),
		ports.ErrWouldBlock, fmt.Errorf("recv: %w", ports.ErrWouldBlock), errors.Join(io.EOF, ports.ErrWouldBlock),
	} {
		if got, want := ports.WouldBlock(err), errors.Is(err, ports.ErrWouldBlock); got != want {
			t.Errorf("WouldBlock(%v): got %v, want %v as errors.Is has it", err, got, want)
		}
	}
}
