package simulation

import (
	"math/bits"
	"time"
)

// Stream is a source of random numbers (SplitMix64). Its numbers depend on the seed of the world
// and on the site alone. One goroutine at a time uses it.
type Stream struct{ state uint64 }

// Stream returns the stream of a site; every call with that name returns the same one.
func (w *World) Stream(site string) *Stream {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stream(site)
}

// stream is Stream for callers that hold the mutex.
func (w *World) stream(site string) *Stream {
	s := w.streams[site]
	if s == nil {
		s = &Stream{state: mix(w.seed) ^ fnv(site)}
		w.streams[site] = s
	}
	return s
}

// Uint64 returns the next number.
func (s *Stream) Uint64() uint64 {
	s.state += golden
	return mix(s.state)
}

// Below returns a number from 0 to n-1. It panics if n is not positive.
func (s *Stream) Below(n int64) int64 {
	if n <= 0 {
		panic("simulation: Below needs a positive bound")
	}
	high, _ := bits.Mul64(s.Uint64(), uint64(n))
	return int64(high)
}

// Between returns a duration from least to most, both included.
func (s *Stream) Between(least, most time.Duration) time.Duration {
	if most < least {
		panic("simulation: Between needs a least that is not above the most")
	}
	return least + time.Duration(s.Below(int64(most-least)+1))
}

// Often is true this often in a million.
func (s *Stream) Often(inMillion int64) bool { return s.Below(1_000_000) < inMillion }

const golden = 0x9e3779b97f4a7c15

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fnv is FNV-1a.
func fnv(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}
