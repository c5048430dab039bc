package properties

import (
	"errors"
	"strings"
	"testing"

	"brokerconn/application/broker"
)

// An error of broker is reported under the key that set the field.
func TestBrokerRejects(t *testing.T) {
	for _, c := range []struct {
		key, value string
		config     broker.Config
	}{
		{"client_id", strings.Repeat("x", 250), broker.Config{ClientID: strings.Repeat("x", 250)}},
		{"client_software_name", "-x-", broker.Config{SoftwareName: "-x-"}},
		{"client_software_version", "1.", broker.Config{SoftwareVersion: "1."}},
	} {
		var config *broker.ConfigError
		if !errors.As(c.config.Check(), &config) {
			t.Fatalf("%s: got no error of broker, want one", c.key)
		}
		_, err := Read(KafkaPython, written(t, "", "port=1", c.key+"="+c.value))
		want := Error{Key: c.key, Where: "test.properties:2", Problem: config.Problem}
		if all := problems(t, err); len(all) != 1 || *all[0] != want {
			t.Errorf("got %v, want %v", err, &want)
		}
	}
}

// An error of a field that no key sets is reported under its Go name.
func TestBrokerRejectsOtherFields(t *testing.T) {
	r := &reader{s: &Settings{Connection: broker.Config{MaxPendingBytes: -1}}}
	r.validateConfig()
	if all := problems(t, errors.Join(r.problems...)); len(all) != 1 || all[0].Key != "MaxPendingBytes" {
		t.Errorf("got %v, want an error of MaxPendingBytes", r.problems)
	}
}
