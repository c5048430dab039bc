package scram

import (
	"errors"

	"github.com/xdg-go/stringprep"

	"brokerconn/adapters/sasl"
)

// prepare applies SASLprep (RFC 4013) to a user name and a password. Its error shows
// neither the password nor the character that is refused.
func prepare(c sasl.Credentials) (username, password string, err error) {
	username, badName := prepareText("Username", c.Username)
	password, badPassword := prepareText("Password", c.Password.Reveal())
	return username, password, errors.Join(badName, badPassword)
}

func prepareText(option, text string) (string, error) {
	out, err := stringprep.SASLprep.Prepare(text)
	switch {
	case err != nil:
		e, _ := errors.AsType[stringprep.Error](err)
		return "", sasl.Refused(option, "SASLprep (RFC 4013) refuses it: %s", e.Msg)
	case out == "":
		return "", sasl.Refused(option, "empty after SASLprep (RFC 4013)")
	}
	return out, nil
}
