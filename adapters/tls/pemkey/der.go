package pemkey

import (
	"encoding/asn1"
	"errors"
)

// The members of a DER sequence are told by the first byte of each.
const (
	derInteger  = "\x02"
	derOctets   = "\x04"
	derSequence = "\x30"
	derTag0     = "\xa0" // [0] with members of its own
	derTag1     = "\xa1"
	derTag1Bits = "\x81" // [1] in place of the tag of a bit string
)

// unmarshalStrictly is asn1.Unmarshal for a sequence that has the required members,
// of the optional ones some, in this order, and nothing else. asn1 passes over what a
// structure has no field for, and takes an optional member that is damaged for an
// absent one; in a key, half of what was meant is not good enough.
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
				return errors.New("asn1: a member that does not belong there")
			}
			optional = optional[1:]
		case required[0] != first:
			return errors.New("asn1: a member that does not belong there")
		default:
			required = required[1:]
		}
	}
	return nil
}
