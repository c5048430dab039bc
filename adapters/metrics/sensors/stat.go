package sensors

import (
	"math"
	"time"
)

// A stat is one windowed metric: kafka-python's SampledStat, and Java's before
// it. It has at most two samples. Values are recorded in one sample until it is 30 s
// old; the next value then restarts the other sample. The metric covers both, which is
// 30 to 60 s while values are recorded.
//
// A rate divides by the age of the older sample. If that is less than 30 s, 30 s are
// added, since one request in the first second is not a rate of one a second. The
// divisor is therefore never less than 30 s.
//
// Reading has effects: a sample that is 60 s old or more is replaced by an empty one
// that begins now, and a rate without recorded values begins its first sample.
type stat struct {
	samples [sampleCount]sample
	begun   int // number of samples begun
	current int // the sample in which values are recorded
}

const (
	sampleCount = 2
	window      = 30 * time.Second
)

// sample holds the values recorded since it began.
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

// reading is the way in which a metric is computed from its samples.
type reading uint8

const (
	sumRate   reading = iota // the sum, a second
	countRate                // the number of values, a second
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
