package gssapi

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

type suite struct{ *testing.M }

func (s suite) Run() int {
	status := s.M.Run()
	if theKDC.KDC != nil {
		theKDC.Close()
	}
	return status
}
