package model

import (
	"encoding/binary"

	"brokerconn/ports"
)

// Unsupported is an answer to an ApiVersions request in a version that the broker does not have.
type Unsupported uint8

const (
	// OffersVersions: error 35 in version 0, with the range of ApiVersions (KIP-511), as brokers
	// have it since 2.4.
	OffersVersions Unsupported = iota
	// OffersNothing: error 35 in version 0 without ranges, as before.
	OffersNothing
	// Closes: the connection ends without a byte.
	Closes
	// OffersUnreadable: error 35 in 17 bytes that fit no version, as librdkafka's mock cluster sends it.
	OffersUnreadable
	// Ignores: the request is read, and answered, as one of version 3. Fields of a later version that are no
	// tagged fields end the connection; those of version 5 are if they name no broker.
	Ignores
)

// Feature is the range of one cluster feature.
type Feature = ports.Feature

const (
	errUnsupportedVersion = 35
	errInvalidRequest     = 42
	errRebootstrap        = 129
	flexibleAPIVersions   = 3
	namingAPIVersions     = 5
	keyMetadata           = 3
)

// tableRoom is room for a table of a few APIs.
const tableRoom = 128

// Table returns APIs with that of ApiVersions, versions 0 to 4, and those of a login added where
// they are missing.
func Table(apis ...API) []API {
	table := append([]API(nil), apis...)
	for _, own := range []API{
		{Key: ports.KeySASLHandshake, Max: 1, FlexibleFrom: -1},
		{Key: ports.KeyAPIVersions, Max: 4, FlexibleFrom: flexibleAPIVersions},
		{Key: ports.KeySASLAuthenticate, Max: 2, FlexibleFrom: 2},
	} {
		if (&Broker{APIs: table}).api(own.Key) == nil {
			table = append(table, own)
		}
	}
	return table
}

// apiVersions answers an ApiVersions request.
func (c *Conn) apiVersions(r *Reply) {
	own := c.b.api(ports.KeyAPIVersions)
	named, rest := software(r.Request.Body)
	if r.Version >= own.Min && r.Version <= own.Max {
		switch {
		case r.Refused:
			r.Body = (&Broker{}).appendTable(appendInt16s(nil, errIllegalState), r.Version)
		case r.Version >= flexibleAPIVersions && !c.b.Unnamed && !named:
			r.Body = (&Broker{}).appendTable(appendInt16s(nil, errInvalidRequest), r.Version)
		default:
			r.Body = c.b.appendTable(appendInt16s(r.Memory(tableRoom), 0), r.Version)
			code := c.compare(r, rest)
			if code != 0 {
				r.Body = (&Broker{}).appendTable(appendInt16s(nil, code), r.Version)
			}
			c.login.versioned = c.login.versioned || code == 0
		}
		return
	}
	if r.Refused {
		r.Body = (&Broker{}).appendTable(appendInt16s(nil, errIllegalState), 0)
		return
	}
	switch c.b.Unsupported {
	case Closes:
		c.Close()
	case Ignores:
		if _, ok := skipTags(rest); !ok {
			c.Close()
			return
		}
		r.Body = c.b.appendTable(appendInt16s(r.Memory(tableRoom), 0), flexibleAPIVersions)
	case OffersUnreadable: // no entry by the count, and then one
		r.Body = appendInt16s([]byte{0, errUnsupportedVersion, 1}, own.Key, own.Min, own.Max)
		r.Body = append(r.Body, 0, 0, 0, 0)
	case OffersNothing:
		r.Body = []byte{0, errUnsupportedVersion, 0, 0, 0, 0}
	default:
		r.Body = []byte{0, errUnsupportedVersion, 0, 0, 0, 1}
		r.Body = appendInt16s(r.Body, own.Key, own.Min, own.Max)
	}
}

// compare compares the names of the broker that is meant with its own, where it does: one without the other
// is an error everywhere.
func (c *Conn) compare(r *Reply, body []byte) (code int16) {
	if r.Version < namingAPIVersions {
		return 0
	}
	n, size := binary.Uvarint(body)
	length := max(int(n)-1, 0)
	if size <= 0 || len(body) < size+length+4 {
		return errInvalidRequest
	}
	cluster, node := string(body[size:size+length]), int32(binary.BigEndian.Uint32(body[size+length:]))
	early := c.b.Login != nil && c.b.Dialect == Kafka && c.login.principal == ""
	switch {
	case (n == 0) != (node == -1):
		return errInvalidRequest
	case n == 0 || early || c.b.ClusterID == "" || c.b.api(keyMetadata) == nil:
	case cluster != c.b.ClusterID || node != c.b.NodeID:
		return errRebootstrap
	}
	return 0
}

// listed returns how many APIs are in the table.
func (b *Broker) listed() (n int) {
	for i := range b.APIs {
		if !b.APIs[i].Unlisted {
			n++
		}
	}
	return n
}

// software reads the names of the client's software and of its version. It reports whether both are there,
// in the characters that KIP-511 allows.
func software(body []byte) (named bool, rest []byte) {
	for range 2 {
		n, size := binary.Uvarint(body)
		if size <= 0 || n < 2 || n-1 > uint64(len(body)-size) {
			return false, nil
		}
		name := body[size : size+int(n-1)]
		for i, ch := range name {
			letter := ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9'
			if !letter && (ch != '-' && ch != '.' || i == 0 || i == len(name)-1) {
				return false, nil
			}
		}
		body = body[size+int(n-1):]
	}
	return true, body
}

// appendTable appends the body behind the error code.
func (b *Broker) appendTable(dst []byte, version int16) []byte {
	flexible := version >= flexibleAPIVersions
	if flexible {
		dst = binary.AppendUvarint(dst, uint64(b.listed()+1))
	} else {
		dst = binary.BigEndian.AppendUint32(dst, uint32(b.listed()))
	}
	for i := range b.APIs {
		a := &b.APIs[i]
		if a.Unlisted {
			continue
		}
		dst = append(dst, byte(a.Key>>8), byte(a.Key), byte(a.Min>>8), byte(a.Min), byte(a.Max>>8), byte(a.Max))
		if flexible {
			dst = append(dst, 0) // tagged fields
		}
	}
	if !flexible {
		if version > 0 {
			dst = append(dst, 0, 0, 0, 0) // throttle time
		}
		return dst
	}
	dst = append(dst, 0, 0, 0, 0) // throttle time
	if b.Tags != nil {
		return append(dst, b.Tags...)
	}
	fields := b.features(version)
	dst = binary.AppendUvarint(dst, uint64(len(fields)))
	for _, f := range fields {
		dst = append(dst, f.tag)
		dst = binary.AppendUvarint(dst, uint64(len(f.value)))
		dst = append(dst, f.value...)
	}
	return dst
}

type tagged struct {
	tag   byte
	value []byte
}

// features returns the tagged fields. Version 3 cannot hold a feature from version 0 on.
func (b *Broker) features(version int16) (fields []tagged) {
	var supported []Feature
	for _, f := range b.Supported {
		if version > 3 || f.Min > 0 {
			supported = append(supported, f)
		}
	}
	if len(supported) > 0 {
		fields = append(fields, tagged{0, appendFeatures(supported, false)})
	}
	if len(b.Finalized) > 0 {
		fields = append(fields, tagged{1, []byte{0, 0, 0, 0, 0, 0, 0, 1}}, // the epoch
			tagged{2, appendFeatures(b.Finalized, true)})
	}
	return fields
}

// appendFeatures appends an array: a finalized feature has its maximum first.
func appendFeatures(list []Feature, maxFirst bool) []byte {
	dst := binary.AppendUvarint(nil, uint64(len(list)+1))
	for _, f := range list {
		dst = binary.AppendUvarint(dst, uint64(len(f.Name)+1))
		dst = append(dst, f.Name...)
		if maxFirst {
			dst = appendInt16s(dst, f.Max, f.Min)
		} else {
			dst = appendInt16s(dst, f.Min, f.Max)
		}
		dst = append(dst, 0)
	}
	return dst
}

func appendInt16s(dst []byte, list ...int16) []byte {
	for _, n := range list {
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	}
	return dst
}
