package ports_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"brokerconn/ports"
)

const hidden = "canary-4711"

func TestASecretPrintsRedacted(t *testing.T) {
	s := ports.NewSecret(hidden)
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s: %s", verb, got)
		}
	}
	if text, err := json.Marshal(map[ports.Secret]ports.Secret{s: s}); err != nil ||
		string(text) != `{"[redacted]":"[redacted]"}` {
		t.Errorf("%s %v", text, err)
	}
	if got := s.LogValue().String(); got != "[redacted]" {
		t.Error(got)
	}
}

// Tests compare settings, with == and reflect.DeepEqual.
func TestSecretsAreEqualWhenTheirTextIs(t *testing.T) {
	a, same, other := ports.NewSecret(hidden), ports.NewSecret(strings.Clone(hidden)), ports.NewSecret("another canary")
	if a != same || !reflect.DeepEqual(a, same) || a == other || reflect.DeepEqual(a, other) {
		t.Error("equality is not that of the text")
	}
	if a.Reveal() != hidden || a.IsZero() {
		t.Errorf("%q", a.Reveal())
	}
	var none ports.Secret
	if !none.IsZero() || none.Reveal() != "" || ports.NewSecret("") != none || none == a ||
		fmt.Sprint(none) != "[redacted]" {
		t.Error("the zero value is not the empty text")
	}
}
