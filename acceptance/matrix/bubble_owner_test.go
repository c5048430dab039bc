package matrix

import (
	"context"
	"slices"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/sim"
	"brokerconn/application/sim/servers"
	"brokerconn/ports"
)

// ownerVerbs are what the owner of the Conn does.
var ownerVerbs = map[string]verb{
	"send": func(s *stage, step sim.Step) { s.send(echo(int(step.N))) },
	"post": func(s *stage, step sim.Step) {
		s.send(&ports.RawRequest{APIVersion: 2, NoResponse: true, Body: make([]byte, 10+step.N)})
	},
	"ask": func(s *stage, _ sim.Step) {
		s.call(func(ctx context.Context) error {
			_, err := s.conn.Request(ctx, kmsg.NewPtrMetadataRequest())
			return err
		})
	},
	"cancel":   func(s *stage, step sim.Step) { s.cancel(int(step.N)) },
	"withdraw": func(s *stage, step sim.Step) { s.cancel(int(step.N)) },
	"renew": func(s *stage, _ sim.Step) {
		s.requests.Go(func() { _ = s.conn.Reauthenticate(context.Background()) })
	},
	"close-for-good": func(s *stage, _ sim.Step) { s.conn.Close() },
	"drain-for-good": func(s *stage, _ sim.Step) { s.requests.Go(func() { _ = s.conn.Drain(context.Background()) }) },
	"doze":           func(*stage, sim.Step) {},
}

func echo(size int) *ports.RawRequest {
	return &ports.RawRequest{APIKey: servers.KeyEcho, Body: make([]byte, 8+size)}
}

// send makes a request. One that waits for a connection has the time of an attempt that fails, and more.
func (s *stage) send(req *ports.RawRequest) {
	if s.plan.Setup.Polled {
		s.sendUnread(req)
		return
	}
	s.call(func(ctx context.Context) error {
		_, err := s.conn.RequestRaw(ctx, req)
		return err
	})
}

// sendUnread sends a request whose result its caller takes once it has dozed.
func (s *stage) sendUnread(req *ports.RawRequest) {
	s.sent++
	n := s.sent
	s.requests.Go(func() {
		future, err := s.conn.SendWait(context.Background(), req)
		if err == nil {
			for _, step := range s.plan.Steps {
				if step.Verb == "doze" {
					time.Sleep(time.Until(s.began.Add(step.At + step.For)))
				}
			}
			_, err = future.Response()
		}
		s.seen.completed(time.Since(s.began), n, err)
	})
	synctest.Wait()
}

// call makes a request.
func (s *stage) call(request func(context.Context) error) {
	s.sent++
	n := s.sent
	ctx, cancel := context.WithCancel(context.Background())
	if stats := s.conn.Stats(); stats.State != broker.Connected || stats.Reauthenticating {
		ctx = broker.WithRequestTimeout(ctx, time.Minute)
	}
	s.mu.Lock()
	s.cancels = append(s.cancels, cancel)
	at := len(s.cancels) - 1
	s.mu.Unlock()
	s.requests.Go(func() {
		err := request(ctx)
		s.mu.Lock()
		s.cancels[at] = nil
		s.mu.Unlock()
		cancel()
		s.seen.completed(time.Since(s.began), n, err)
	})
	synctest.Wait() // so that requests of one instant are sent in their order
}

// cancel gives up the nth of the requests that are not done.
func (s *stage) cancel(n int) {
	s.mu.Lock()
	open := slices.DeleteFunc(slices.Clone(s.cancels), func(f func()) bool { return f == nil })
	s.mu.Unlock()
	if n < len(open) {
		open[n]()
	}
	synctest.Wait()
}
