package netlink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"brokerconn/ports"
)

// lookup is one lookup. Its result is set once, by Resolve, by its goroutine or by Close,
// whichever comes first.
type lookup struct {
	host             string
	secure, verified bool
	cancel           context.CancelFunc

	mu        sync.Mutex
	settled   bool
	endpoints []ports.Endpoint
	err       error
	watch     func()
}

var (
	_ ports.Lookup  = (*lookup)(nil)
	_ ports.Watcher = (*lookup)(nil)
)

func (l *lookup) run(ctx context.Context, find LookupFunc, port uint16) {
	var eps []ports.Endpoint
	err := contain("the lookup function", func() (err error) {
		eps, err = find(ctx, l.host, port)
		return err
	})
	if wake := l.settle(eps, err); wake != nil {
		wake()
	}
}

// settle keeps the first result and returns the watcher to call.
func (l *lookup) settle(eps []ports.Endpoint, err error) (wake func()) {
	if err == nil && len(eps) == 0 {
		err = errors.New("netlink: the lookup function returned neither an address nor an error")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.settled {
		return nil
	}
	l.settled, l.err = true, err
	if err == nil {
		for _, ep := range eps {
			if ep.Host == "" {
				ep.Host = l.host
			}
			ep.Verified = ep.Verified || l.verified
			ep.Secure = ep.Secure || l.secure || ep.Verified
			l.endpoints = append(l.endpoints, ep)
		}
	}
	wake, l.watch = l.watch, nil
	return wake
}

// Result returns the addresses once they are known.
func (l *lookup) Result() ([]ports.Endpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.settled {
		return nil, ports.ErrWouldBlock
	}
	return l.endpoints, l.err
}

// Watch requests a call of f when the addresses are known.
func (l *lookup) Watch(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.settled {
		go f()
		return
	}
	l.watch = f
}

// Close ends a lookup in progress; a result that is set already stays.
func (l *lookup) Close() {
	wake := l.settle(nil, net.ErrClosed) // before the function returns its own error
	l.cancel()
	if wake != nil {
		go wake() // Watch's contract: not within a call of the owner
	}
}

// contain calls a user's function and converts a panic into an error: on a goroutine
// of this package the user could not recover it.
func contain(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("netlink: %s panicked: %v", what, r)
		}
	}()
	return f()
}
