package porttest_test

import (
	"testing"

	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestNopMetrics(t *testing.T) {
	porttest.MetricsSink(t, func() ports.MetricsSink { return ports.NopMetrics{} })
}
