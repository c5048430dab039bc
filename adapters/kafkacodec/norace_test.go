//go:build !race

package kafkacodec_test

const raceEnabled = false
