package domain

import (
	"cmp"
	"time"

	"brokerconn/ports"
)

// What the tests of package domain_test need of the inside.

func (s State) MayBecome(to State) bool { return s.mayBecome(to) }

// Machine is the one inside, for a test that brings news around the ports.
func (c *Connection) Machine() *Machine { return c.m }

// SetLastCorrelationID lets a test come close to the end of the ids.
func (m *Machine) SetLastCorrelationID(id int32) { m.inflight.lastID = id }

// NewVersions and Choose are how a table is taken, and asked.
var NewVersions = newVersions

func (v *Versions) Choose(key int16, t ports.Traits) (int16, error) { return v.choose(key, t) }

// Failures is the number of failures in a row, for the backoff.
func (m *Machine) Failures() int { return m.backoff.failures }

// Complete returns a Config with the limits that a test leaves out.
func Complete(c Config) Config {
	c.Port = cmp.Or(c.Port, 9092)
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 5)
	c.MaxPendingBytes = cmp.Or(c.MaxPendingBytes, 32<<20)
	c.MaxFrameBytes = cmp.Or(c.MaxFrameBytes, 100<<20)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 30*time.Second)
	c.SetupTimeout = cmp.Or(c.SetupTimeout, 10*time.Second)
	c.MaxThrottle = cmp.Or(c.MaxThrottle, time.Minute)
	c.BackoffBase = cmp.Or(c.BackoffBase, 50*time.Millisecond)
	c.BackoffMax = cmp.Or(c.BackoffMax, max(time.Second, c.BackoffBase))
	return c
}
