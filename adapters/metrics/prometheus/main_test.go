package prometheus_test

import (
	"testing"

	"go.uber.org/goleak"
)

// The scrapes have a server and a client.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
