package properties

import (
	"errors"
	"strings"
	"testing"

	"brokerconn/application/broker"
)

// What broker refuses is refused in its words, under the key that gave it.
func TestBrokerRefuses(t *testing.T) {
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
			t.Fatalf("%s: broker takes it", c.key)
		}
		_, err := Read(KafkaPython, written(t, "", "port=1", c.key+"="+c.value))
		want := Error{Key: c.key, Where: "test.properties:2", Problem: config.Problem}
		if all := problems(t, err); len(all) != 1 || *all[0] != want {
			t.Errorf("got %v, want %v", err, &want)
		}
	}
}

// What no key gave would be refused as well, and not passed over.
func TestBrokerRefusesWhatNoKeyGave(t *testing.T) {
	r := &reader{s: &Settings{Connection: broker.Config{MaxPendingBytes: -1}}}
	r.validateConfig()
	if all := problems(t, errors.Join(r.problems...)); len(all) != 1 || all[0].Key != "MaxPendingBytes" {
		t.Errorf("%v", r.problems)
	}
}
