package simtest_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("brokerconn/application/simtest_test.leak"),
		// which waits for one that leaks
		goleak.IgnoreAnyFunction("brokerconn/application/simtest.(*World).run.func2"))
}
