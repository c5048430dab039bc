package porttest

import "brokerconn/ports"

// The bytes of the messages of ports in every version, put together by hand from
// https://kafka.apache.org/protocol, so that they depend on no codec.
type controlVector struct {
	request               ports.Message
	highest, flexibleFrom int16
	requests              []requestVector
	responses             []responseVector
}

type requestVector struct {
	version int16
	bytes   string
}

type responseVector struct {
	version int16
	bytes   string
	message ports.Message
	// What Throttle says of it.
	throttle int32
	wait     bool
}

// Parts of a flexible ApiVersions response: two APIs, and four tagged fields, of
// which one is unknown and must be passed over.
const (
	flexibleRanges = "\x03" + "\x00\x03\x00\x01\x00\x0d\x00" + "\x00\x12\x00\x00\x00\x05\x00"
	flexibleTags   = "\x04" +
		"\x00\x0a" + "\x02\x04abc\x00\x01\x00\x02\x00" + // supported: name, min, max
		"\x01\x08" + "\x00\x00\x00\x00\x00\x00\x00\x07" + // the epoch of what is finalized
		"\x02\x08" + "\x02\x02f\x00\x04\x00\x03\x00" + // finalized: name, max, min
		"\x63\x02" + "??"
)

var (
	plainVersions = &ports.APIVersionsResponse{
		ErrorCode: 35,
		Ranges:    []ports.APIRange{{Key: 3, Min: 1, Max: 13}, {Key: 18, Min: 0, Max: 5}},
	}
	fullVersions = &ports.APIVersionsResponse{
		Ranges:    plainVersions.Ranges,
		Supported: []ports.Feature{{Name: "abc", Min: 1, Max: 2}},
		Finalized: []ports.Feature{{Name: "f", Min: 3, Max: 4}},
	}
	mechanisms = &ports.SASLHandshakeResponse{ErrorCode: 33, Mechanisms: []string{"PLAIN", "GSSAPI"}}
)

func versionsResponses() []responseVector {
	const ranges = "\x00\x23" + "\x00\x00\x00\x02" + "\x00\x03\x00\x01\x00\x0d" + "\x00\x12\x00\x00\x00\x05"
	all := []responseVector{
		{0, ranges, plainVersions, 0, false},
		{1, ranges + "\x00\x00\x00\x09", plainVersions, 9, false},
		{2, ranges + "\x00\x00\x00\x09", plainVersions, 9, true},
	}
	for v := int16(3); v <= 5; v++ {
		all = append(all, responseVector{v, "\x00\x00" + flexibleRanges + "\x00\x00\x00\x09" + flexibleTags,
			fullVersions, 9, true})
	}
	return all
}

// probeGroup is the group that probes ask about.
const probeGroup = "\x00\x10brokerconn-probe"

// probeVector is a probe, which has one version, and an answer to it.
func probeVector(key, flexibleFrom int16, topics []string, request, response string) controlVector {
	return controlVector{
		request: &ports.ProbeRequest{APIKey: key, Topics: topics}, flexibleFrom: flexibleFrom,
		requests:  []requestVector{{0, request}},
		responses: []responseVector{{0, response, &ports.ProbeResponse{APIKey: key}, 0, false}},
	}
}

var controlVectors = []controlVector{
	{
		request: &ports.APIVersionsRequest{SoftwareName: "bc", SoftwareVersion: "1", ClusterID: "c", NodeID: 258},
		highest: 5, flexibleFrom: 3,
		requests: []requestVector{
			{0, ""}, {1, ""}, {2, ""}, {3, "\x03bc\x021\x00"}, {4, "\x03bc\x021\x00"},
			{5, "\x03bc\x021\x02c\x00\x00\x01\x02\x00"},
		},
		responses: versionsResponses(),
	},
	{
		request: &ports.APIVersionsRequest{NodeID: -1}, // no cluster id is null
		highest: 5, flexibleFrom: 3,
		requests: []requestVector{{5, "\x01\x01\x00\xff\xff\xff\xff\x00"}},
	},
	probeVector(ports.KeyListGroups, 3, nil, "", "\x00\x00"+"\x00\x00\x00\x00"),
	probeVector(ports.KeyFindCoordinator, 3, nil, probeGroup, "\x00\x0f"+"\xff\xff\xff\xff"+"\x00\x00"+
		"\xff\xff\xff\xff"),
	probeVector(ports.KeyOffsetFetch, 6, nil, probeGroup+"\x00\x00\x00\x00", "\x00\x00\x00\x00"),
	probeVector(ports.KeyMetadata, 9, nil, "\x00\x00\x00\x00", "\x00\x00\x00\x00"+"\x00\x00\x00\x00"),
	probeVector(ports.KeyMetadata, 9, []string{"a", "bc"}, "\x00\x00\x00\x02\x00\x01a\x00\x02bc",
		"\x00\x00\x00\x01"+"\x00\x00\x00\x07\x00\x01h\x00\x00\x23\x84"+
			"\x00\x00\x00\x01"+"\x00\x05\x00\x01a\x00\x00\x00\x00"),
	{
		request: &ports.SASLHandshakeRequest{Mechanism: "PLAIN"},
		highest: 1, flexibleFrom: -1,
		requests: []requestVector{{0, "\x00\x05PLAIN"}, {1, "\x00\x05PLAIN"}},
		responses: []responseVector{
			{0, "\x00\x21\x00\x00\x00\x02\x00\x05PLAIN\x00\x06GSSAPI", mechanisms, 0, false},
			{1, "\x00\x21\x00\x00\x00\x02\x00\x05PLAIN\x00\x06GSSAPI", mechanisms, 0, false},
		},
	},
	{
		request: &ports.SASLAuthenticateRequest{Token: []byte("\x00u\x00p")},
		highest: 2, flexibleFrom: 2,
		requests: []requestVector{
			{0, "\x00\x00\x00\x04\x00u\x00p"}, {1, "\x00\x00\x00\x04\x00u\x00p"}, {2, "\x05\x00u\x00p\x00"},
		},
		responses: []responseVector{
			{0, "\x00\x3a\x00\x02no\x00\x00\x00\x03tok",
				&ports.SASLAuthenticateResponse{ErrorCode: 58, ErrorMessage: "no", Token: []byte("tok")}, 0, false},
			{1, "\x00\x00\xff\xff\x00\x00\x00\x03tok\x00\x00\x00\x00\x00\x00\x0e\x10",
				&ports.SASLAuthenticateResponse{Token: []byte("tok"), SessionLifetimeMillis: 3600}, 0, false},
			{2, "\x00\x3a\x03no\x04tok\x00\x00\x00\x00\x00\x00\x0e\x10\x00",
				&ports.SASLAuthenticateResponse{ErrorCode: 58, ErrorMessage: "no", Token: []byte("tok"),
					SessionLifetimeMillis: 3600}, 0, false},
			{2, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", // PLAIN's answer: empty, not absent
				&ports.SASLAuthenticateResponse{Token: []byte{}}, 0, false},
		},
	},
}
