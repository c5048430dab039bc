package mocks_test

import (
	"testing"
	"time"

	"github.com/golang/mock/gomock"

	"brokerconn/mocks"
	"brokerconn/ports"
)

var (
	_ ports.Transport     = (*mocks.MockTransport)(nil)
	_ ports.Lookup        = (*mocks.MockLookup)(nil)
	_ ports.Link          = (*mocks.MockLink)(nil)
	_ ports.Watcher       = (*mocks.MockWatcher)(nil)
	_ ports.Parker        = (*mocks.MockParker)(nil)
	_ ports.Clock         = (*mocks.MockClock)(nil)
	_ ports.Alarm         = (*mocks.MockAlarm)(nil)
	_ ports.Selector      = (*mocks.MockSelector)(nil)
	_ ports.Authenticator = (*mocks.MockAuthenticator)(nil)
	_ ports.Exchange      = (*mocks.MockExchange)(nil)
	_ ports.Message       = (*mocks.MockMessage)(nil)
	_ ports.Codec         = (*mocks.MockCodec)(nil)
	_ ports.MetricsSink   = (*mocks.MockMetricsSink)(nil)
)

// A mock says how an owner calls a port: here that one alarm, made once, is set
// for each wait and stopped at the end.
func TestAnOwnerOfOneAlarm(t *testing.T) {
	ctrl := gomock.NewController(t)
	clock, alarm := mocks.NewMockClock(ctrl), mocks.NewMockAlarm(ctrl)
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

	var ring func()
	clock.EXPECT().NewAlarm(gomock.Any()).DoAndReturn(func(f func()) ports.Alarm {
		ring = f
		return alarm
	})
	clock.EXPECT().Now().Return(start).Times(2)
	gomock.InOrder(
		alarm.EXPECT().Set(start.Add(time.Second)).Do(func(time.Time) { ring() }),
		alarm.EXPECT().Set(start.Add(2*time.Second)).Do(func(time.Time) { ring() }),
		alarm.EXPECT().Stop(),
	)

	rings := 0
	a := clock.NewAlarm(func() { rings++ })
	for i := range 2 {
		a.Set(clock.Now().Add(time.Duration(i+1) * time.Second))
	}
	a.Stop()
	if rings != 2 {
		t.Errorf("the alarm rang %d times", rings)
	}
}
