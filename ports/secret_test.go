package ports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"brokerconn/ports"
	"brokerconn/ports/porttest"
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

func TestTokensAreNotPrinted(t *testing.T) {
	for _, message := range []any{ports.SASLAuthenticateRequest{Token: []byte(hidden)},
		&ports.SASLAuthenticateRequest{Token: []byte(hidden)}, ports.SASLAuthenticateResponse{Token: []byte(hidden)},
		&ports.SASLAuthenticateResponse{Token: []byte(hidden)}} {
		var out bytes.Buffer
		fmt.Fprintf(&out, "%v %+v %#v %q %x %s", message, message, message, message, message, message)
		text, err := json.Marshal(map[string]any{"message": message})
		out.Write(text)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "message", message)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "message", message)
		if got := strings.Count(out.String(), "token of 11 bytes"); got != 9 || err != nil {
			t.Errorf("%T: got %d prints of the length alone, %v, want 9: %s", message, got, err, out.String())
		}
		porttest.NoSecrets(t, fmt.Sprintf("a print of %T", message), errors.New(out.String()), hidden)
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
