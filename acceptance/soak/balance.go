package soak

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// A level is what a process holds at rest.
type level struct {
	goroutines  int
	descriptors int   // open files; 0 where they cannot be counted
	heap        int64 // bytes that are in use after a garbage collection, without the ledger's
	growth      int64 // by how much a later heap may be larger
}

// measure is the level now. ledger is the memory of the ledger, which grows with the load.
func measure(ledger int64) level {
	runtime.GC()
	runtime.GC() // what a sync.Pool holds is freed by the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, _ := os.ReadDir("/proc/self/fd") // the same number too many each time, or none
	return level{runtime.NumGoroutine(), len(open), int64(m.HeapAlloc) - ledger, maxGrowth}
}

func (l level) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, heap %.2f MiB", l.goroutines, l.descriptors,
		float64(l.heap)/(1<<20))
}

// maxGrowth is by how much the heap may grow between two levels at rest, with all connections
// closed. What is left to vary is caches that are bounded by number, such as those of TLS
// sessions and of SCRAM's keys, and the buffers of the runtime, together some 100 KiB. The bound
// is less than the largest record of the load, so that one request or response that is held is
// noticed, and over an hour, which has thousands of connections and hundreds of thousands of
// requests, a leak of a few hundred bytes for each connection, or of a few for each request.
const maxGrowth = 1 << 20

// maxKept is what a connection that is open may keep, to use it again: 256 KiB of requests, 64
// KiB for each of twice as many responses as may be in flight and one more (keepAtMost and
// keepBody of domain), and the buffers of its link and of TLS, below 256 KiB.
func maxKept(inFlight int) int64 { return 256<<10 + int64(2*inFlight+1)*64<<10 + 256<<10 }

// broken returns a sentence for each part of a level that is above that at the beginning.
func (l level) broken(when string, now level) (broken []string) {
	if now.goroutines > l.goroutines {
		broken = append(broken, fmt.Sprintf("%s there are %d goroutines, and there were %d at the beginning", when,
			now.goroutines, l.goroutines))
	}
	if now.descriptors > l.descriptors {
		broken = append(broken, fmt.Sprintf("%s there are %d open descriptors, and there were %d at the beginning",
			when, now.descriptors, l.descriptors))
	}
	if now.heap > l.heap+l.growth {
		broken = append(broken, fmt.Sprintf("%s the heap has %d bytes, and had %d at the beginning: more than %d above",
			when, now.heap, l.heap, l.growth))
	}
	return broken
}

// patience bounds each wait for something that must come: a broker under other loads of the
// machine may take its time.
const patience = 2 * time.Minute

// await waits for a condition that must become true, and reports whether it did.
func await(come func() bool) bool {
	for deadline := time.Now().Add(patience); !come(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// calm is how many measurements in a row have found nothing lower.
const calm = 20

// lowest is the lowest level of a few measurements: what has just been used may still be at its end.
func lowest(ledger int64) level {
	low := measure(ledger)
	for n := 0; n < calm; n++ {
		time.Sleep(10 * time.Millisecond)
		now := measure(ledger)
		if now.goroutines < low.goroutines || now.descriptors < low.descriptors {
			n = 0
		}
		low.goroutines = min(low.goroutines, now.goroutines)
		low.descriptors = min(low.descriptors, now.descriptors)
		low.heap = min(low.heap, now.heap)
	}
	return low
}

// goroutines are the stacks of all goroutines, each stack once.
func goroutines() string {
	var text strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&text, 1) // a Builder takes all
	return text.String()
}

// settle waits for the goroutines and descriptors that are about to end, and returns the level
// when they have, or after patience.
func (l level) settle(ledger int64) (now level) {
	await(func() bool {
		now = measure(ledger)
		return l.broken("", now) == nil
	})
	return now
}
