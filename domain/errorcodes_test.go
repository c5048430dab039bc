package domain_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"brokerconn/domain"
)

// TestErrorNamesAgainstFranzGo compares the names and what may be retried with the table of another author.
func TestErrorNamesAgainstFranzGo(t *testing.T) {
	// Apache Kafka renamed code 6 in 2.6, and its Errors.java of 4.4 retries three that franz-go does not.
	renamed := map[int16]string{6: "NOT_LEADER_OR_FOLLOWER"}
	java := map[int16]bool{51: true, 122: true, 123: true}
	compared := 0
	for code := int16(-2); code < 200; code++ {
		e := domain.NewBrokerError(code, "")
		theirs := kerr.TypedErrorForCode(code)
		if theirs == nil || theirs.Code != code {
			if want := map[int16]string{0: "NONE"}[code]; e.Name != want {
				t.Errorf("code %d: got name %q, want %q", code, e.Name, want)
			}
			continue
		}
		compared++
		want := theirs.Message
		if name, is := renamed[code]; is {
			want = name
		}
		if retriable := theirs.Retriable || java[code]; e.Name != want || e.Retriable() != retriable {
			t.Errorf("code %d: got %q, retriable %v; want %q, %v", code, e.Name, e.Retriable(), want, retriable)
		}
	}
	if compared < 130 {
		t.Errorf("got %d codes compared, want 130 or more", compared)
	}
}

// TestErrorCodeMayBeRetried: a code that passes is no reason to give up, whatever the kind of the failure, but a login
// that failed here as well is.
func TestErrorCodeMayBeRetried(t *testing.T) {
	for _, c := range []struct {
		kind error
		code int16
		want bool
	}{
		{domain.ErrProtocol, 15, true},
		{domain.ErrProtocol, 42, false},
		{domain.ErrConnection, 14, true},
		{domain.ErrAuthentication, 58, false},
		{domain.ErrAuthentication, 7, false},
	} {
		err := &domain.Error{Kind: c.kind, Cause: domain.NewBrokerError(c.code, ""), Sent: domain.SentFully}
		if got := domain.Retriable(err); got != c.want {
			t.Errorf("%v: got retriable %v, want %v", err, got, c.want)
		}
	}
}
