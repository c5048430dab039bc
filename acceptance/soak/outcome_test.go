package soak

import (
	"errors"
	"strings"
	"testing"

	"brokerconn/application/broker"
)

func TestClassify(t *testing.T) {
	failed := func(kind error, sent broker.Sent) error { return &broker.Error{Kind: kind, Sent: sent} }
	for _, c := range []struct {
		err          error
		name, defect string // the defect is a part of it; empty: it is no defect
		fate         fate
	}{
		{nil, answered, "", unknown},
		{failed(broker.ErrConnection, broker.SentFully), "lost", "", unknown},
		{failed(broker.ErrConnection, broker.SentPartly), "lost", "", unsent},
		{failed(broker.ErrConnection, broker.SentNothing), "lost", "", unsent},
		{failed(broker.ErrCanceled, broker.SentUnknown), "canceled", "", unknown},
		{failed(broker.ErrRequestTimeout, broker.SentFully), "request timeout", "", unknown},
		{failed(broker.ErrThrottled, broker.SentNothing), "throttled", "", unsent},
		{failed(broker.ErrRequestSize, broker.SentPartly), "request size", "", unsent},
		{failed(broker.ErrOutOfOrder, broker.SentFully), "out of order", "that of another request", unknown},
		{failed(broker.ErrProtocol, broker.SentFully), "protocol", "misunderstood", unknown},
		{failed(broker.ErrAuthentication, broker.SentNothing), "login", "a right password", unsent},
		{failed(broker.ErrPortPanic, broker.SentNothing), "panicked", "panicked", unsent},
		{errors.New("bare"), "other", "no *broker.Error", unknown},
		{failed(errors.New("of no kind"), broker.SentFully), "other", "no kind", unknown},
		// Its caller may not repeat it, and the text of its cause is that of others.
		{&broker.Error{Kind: broker.ErrCanceled, Cause: broker.ErrRequestTimeout}, "canceled", "", unsent},
	} {
		name, defect := classify(c.err)
		if name != c.name || (defect == "") != (c.defect == "") || !strings.Contains(defect, c.defect) {
			t.Errorf("%v: got class %q, defect %q; want %q, %q", c.err, name, defect, c.name, c.defect)
		}
		if c.err != nil && fateOf(c.err) != c.fate {
			t.Errorf("%v: got a record %v, want it %v", c.err, fateOf(c.err), c.fate)
		}
	}
}
