package pemkey

import (
	"encoding/asn1"
	"errors"
)

// The tags that identify the members of a DER sequence.
const (
	derInteger  = "\x02"
	derOctets   = "\x04"
	derSequence = "\x30"
	derTag0     = "\xa0" // [0] with members of its own
	derTag1     = "\xa1"
	derTag1Bits = "\x81" // [1] in place of the tag of a bit string
)

// unmarshalStrictly is asn1.Unmarshal for a sequence of the required members and some of
// the optional ones, in this order, and nothing else. asn1 ignores members without a field,
// and treats a damaged optional member as absent; a key must not be read in part.
func unmarshalStrictly(der []byte, into any, required, optional string) error {
	rest, err := asn1.Unmarshal(der, into)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("asn1: more follows")
	}
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return err
	}
	for inner := outer.Bytes; len(inner) > 0; {
		first := inner[0]
		var member asn1.RawValue
		if inner, err = asn1.Unmarshal(inner, &member); err != nil {
			return err
		}
		switch {
		case required == "":
			for optional != "" && optional[0] != first {
				optional = optional[1:]
			}
			if optional == "" {
				return errors.New("asn1: unexpected member")
			}
			optional = optional[1:]
		case required[0] != first:
			return errors.New("asn1: unexpected member")
		default:
			required = required[1:]
		}
	}
	return nil
}
