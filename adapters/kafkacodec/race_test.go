//go:build race

package kafkacodec_test

const raceEnabled = true
