// Package driver lets the events of a simulated world happen in a bubble of testing/synctest, for tests of a Conn with
// its goroutines.
package driver

import (
	"io"
	"net"
	"sync"
	"time"

	"brokerconn/adapters/simulation"
)

// Driver drives one world.
type Driver struct {
	world         *simulation.World
	changed, stop chan struct{}
	running       sync.WaitGroup
}

// Follow returns the driver of a world, which has the time of the bubble from now on. Its events happen behind Start.
func Follow(w *simulation.World) *Driver {
	d := &Driver{world: w, changed: make(chan struct{}, 1), stop: make(chan struct{})}
	w.Follow(time.Now, func() {
		select {
		case d.changed <- struct{}{}:
		default:
		}
	})
	return d
}

// Start lets events happen at their times, until Stop.
func (d *Driver) Start() { d.running.Go(d.run) }

// Stop returns when no event happens any more.
func (d *Driver) Stop() {
	close(d.stop)
	d.running.Wait()
}

func (d *Driver) run() {
	for {
		var due <-chan time.Time
		if next, ok := d.world.Next(); ok {
			due = time.After(time.Until(next))
		}
		select {
		case <-d.stop:
			return
		case <-d.changed:
		case <-due:
			d.world.StepUntil(time.Now())
		}
	}
}

// Forward passes on what arrives at either end until one ends, and closes both: in front of a model broker, what a
// server of TLS does that has none.
func Forward(front, back net.Conn) {
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(back, front) // that an end is lost is a fault of the test
		_ = back.Close()
	})
	_, _ = io.Copy(front, back)
	_ = back.Close()
	_ = front.Close()
	up.Wait()
}
