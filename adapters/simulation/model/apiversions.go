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
	// Ignores: the answer is that of version 3 without an error, whatever was asked for.
	Ignores
)

// Feature is the range of one cluster feature.
type Feature = ports.Feature

const (
	errUnsupportedVersion = 35
	errInvalidRequest     = 42
	flexibleAPIVersions   = 3
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
	if r.Version >= own.Min && r.Version <= own.Max {
		switch {
		case r.Refused:
			r.Body = (&Broker{}).appendTable(appendInt16s(nil, errIllegalState), r.Version)
		case r.Version >= flexibleAPIVersions && !named(r.Request.Body):
			r.Body = (&Broker{}).appendTable(appendInt16s(nil, errInvalidRequest), r.Version)
		default:
			r.Body = c.b.appendTable(appendInt16s(r.Memory(tableRoom), 0), r.Version)
			c.login.versioned = true
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
		r.Body = c.b.appendTable(appendInt16s(r.Memory(tableRoom), 0), flexibleAPIVersions)
	case OffersNothing:
		r.Body = []byte{0, errUnsupportedVersion, 0, 0, 0, 0}
	default:
		r.Body = []byte{0, errUnsupportedVersion, 0, 0, 0, 1}
		r.Body = appendInt16s(r.Body, own.Key, own.Min, own.Max)
	}
}

// named reports whether a request names the client's software and its version, in the characters
// that KIP-511 allows.
func named(body []byte) bool {
	for range 2 {
		n, size := binary.Uvarint(body)
		if size <= 0 || n < 2 || n-1 > uint64(len(body)-size) {
			return false
		}
		name := body[size : size+int(n-1)]
		for i, ch := range name {
			letter := ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9'
			if !letter && (ch != '-' && ch != '.' || i == 0 || i == len(name)-1) {
				return false
			}
		}
		body = body[size+int(n-1):]
	}
	return true
}

// appendTable appends the body behind the error code.
func (b *Broker) appendTable(dst []byte, version int16) []byte {
	if version < flexibleAPIVersions {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.APIs)))
		for _, a := range b.APIs {
			dst = appendInt16s(dst, a.Key, a.Min, a.Max)
		}
		if version > 0 {
			dst = append(dst, 0, 0, 0, 0) // throttle time
		}
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.APIs)+1))
	for _, a := range b.APIs {
		dst = append(appendInt16s(dst, a.Key, a.Min, a.Max), 0)
	}
	dst = append(dst, 0, 0, 0, 0) // throttle time
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
