package sensors

import (
	"math"
	"time"
)

// A stat is one windowed metric: kafka-python's SampledStat, and Java's before
// it. It has at most two samples. A sample takes what is recorded until it is 30 s
// old; then the next record begins the other one anew. The value is over both, so
// over 30 to 60 s, while records come in.
//
// A rate divides by the age of the older sample, to which 30 s are added while
// that is less than 30 s: one request in the first second is no rate of one a
// second. So the divisor is never less than 30 s.
//
// Reading is not without effect: a sample of 60 s or more, which nothing has
// renewed, is replaced by an empty one that begins now, and a rate that nothing
// was recorded for begins its first sample.
type stat struct {
	samples [sampleCount]sample
	begun   int // of the samples
	current int // the one that takes what is recorded
}

const (
	sampleCount = 2
	window      = 30 * time.Second
)

// sample sums up what was recorded since it began.
type sample struct {
	begin        time.Duration
	count        int64
	sum, highest float64
}

func emptySample(at time.Duration) sample { return sample{begin: at, highest: math.Inf(-1)} }

func (s *stat) record(value float64, at time.Duration) {
	switch {
	case s.begun == 0:
		s.start(at)
	case at-s.samples[s.current].begin >= window:
		s.current = (s.current + 1) % sampleCount
		s.begun = max(s.begun, s.current+1)
		s.samples[s.current] = emptySample(at)
	}
	into := &s.samples[s.current]
	into.count++
	into.sum += value
	into.highest = max(into.highest, value)
}

func (s *stat) start(at time.Duration) {
	s.begun = 1
	s.samples[0] = emptySample(at)
}

// reading is how a metric is made of its samples.
type reading uint8

const (
	sumRate   reading = iota // the sum, a second
	countRate                // how many, a second
	average
	maximum
)

func (s *stat) read(how reading, at time.Duration) float64 {
	for i := range s.samples[:s.begun] {
		if at-s.samples[i].begin >= sampleCount*window {
			s.samples[i] = emptySample(at)
		}
	}
	if s.begun == 0 && (how == sumRate || how == countRate) {
		s.start(at)
	}
	whole := emptySample(at)
	for _, part := range s.samples[:s.begun] {
		whole.begin = min(whole.begin, part.begin)
		whole.count += part.count
		whole.sum += part.sum
		whole.highest = max(whole.highest, part.highest)
	}
	switch {
	case how == sumRate:
		return whole.sum / divisor(at-whole.begin).Seconds()
	case how == countRate:
		return float64(whole.count) / divisor(at-whole.begin).Seconds()
	case how == maximum:
		return whole.highest
	case whole.count == 0:
		return 0
	default:
		return whole.sum / float64(whole.count)
	}
}

func divisor(age time.Duration) time.Duration {
	if age < (sampleCount-1)*window {
		age += window
	}
	return age
}
