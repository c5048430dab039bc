package simtest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// pool is what a user has: a Conn to each broker, of which the next one is asked, and then the
// others, until one answers.
type pool struct {
	conns []*broker.Conn
	turn  atomic.Uint32

	single bool // a defect: the others are not asked
}

func newPool(brokers ...broker.Config) *pool {
	p := &pool{}
	for _, cfg := range brokers {
		cfg.RequestTimeout, cfg.SetupTimeout = time.Second, time.Second
		conn, err := broker.NewConn(cfg)
		if err != nil {
			panic(err)
		}
		p.conns = append(p.conns, conn)
	}
	return p
}

func (p *pool) Ask(ctx context.Context, req kmsg.Request) (resp kmsg.Response, err error) {
	first := int(p.turn.Add(1))
	for i := range p.conns {
		conn := p.conns[(first+i)%len(p.conns)]
		resp, failed := conn.Request(broker.WithFailFast(ctx), req)
		if failed == nil || p.single {
			return resp, failed
		}
		err = errors.Join(err, failed)
	}
	return nil, err
}

func (p *pool) Close() {
	for _, conn := range p.conns {
		conn.Close()
	}
}

// As long as two of three brokers are well, every request is answered.
func TestPoolAnswersWithoutOneBroker(t *testing.T) {
	simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) { usePool(w, newPool) })
}

func usePool(w *simtest.World, open func(...broker.Config) *pool) {
	p := open(w.Config(0), w.Config(1), w.Config(2))
	w.Cleanup(p.Close) // when no goroutine asks it any more
	for range 3 {
		draw := w.Rand()
		w.Go(func() {
			for {
				_, err := p.Ask(w.Context(), kmsg.NewPtrMetadataRequest())
				if err != nil && w.Context().Err() == nil {
					w.Errorf("no broker has answered: %v", err)
				}
				w.Sleep(time.Duration(draw.IntN(1e9)))
			}
		})
	}
	w.Chaos(time.Minute, simtest.Cut.On(1), simtest.Silent.On(1), simtest.Refuse.On(1), simtest.Restart.On(1))
}

func TestPoolOfOneTryFails(t *testing.T) {
	failure := simtest.Check(t, simtest.Options{}, func(w *simtest.World) {
		usePool(w, func(brokers ...broker.Config) *pool {
			p := newPool(brokers...)
			p.single = true
			return p
		})
	})
	if failure == nil {
		t.Error("got no failure of a pool that asks one broker only")
	}
}
