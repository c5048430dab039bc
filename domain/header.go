package domain

import (
	"encoding/binary"
	"errors"
)

// A request frame is
//
//	size int32 | key int16 | version int16 | correlation id int32 |
//	client id nullable string | tagged fields if flexible (KIP-482) | body
//
// and a response frame
//
//	size int32 | correlation id int32 | tagged fields if flexible | body
//
// The answer to ApiVersions has no tagged fields in its header in any version:
// a client must be able to read it before it knows what the broker speaks
// (KIP-511). ControlledShutdown v0 alone has no client id.

const sizeFieldBytes = 4

const keyControlledShutdown = 7

// appendHeader appends the header of a request, with an empty size field.
func appendHeader(dst []byte, key, version int16, id int32, clientID string, flexible bool) []byte {
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(key))
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(id))
	if key == keyControlledShutdown && version == 0 {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(clientID)))
	dst = append(dst, clientID...)
	if flexible {
		dst = append(dst, 0)
	}
	return dst
}

var errTags = errors.New("tagged fields of the response header are malformed")

// skipTags returns what follows the tagged fields at the start of b: a count,
// then for each a tag, a size and as many bytes.
func skipTags(b []byte) ([]byte, error) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return nil, errTags
	}
	b = b[n:]
	for range count {
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errTags
		}
		b = b[n:]
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, errTags
		}
		b = b[n+int(size):]
	}
	return b, nil
}
