package kafkacodec

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// The core's own messages are plain structs of package ports, so that the core does
// not depend on kmsg. This file converts their requests to kmsg and the responses back.

// toKmsg returns kmsg's request for a message of ports and the highest version whose
// fields that message has; nil for any other message. A later kmsg may support versions
// with fields that ports does not have.
func toKmsg(m ports.Message) (req Request, highest int16) {
	switch m := m.(type) {
	case *ports.APIVersionsRequest:
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = m.SoftwareName, m.SoftwareVersion
		req.NodeID = m.NodeID
		if m.ClusterID != "" { // null is "any"; an empty id would be compared
			req.ClusterID = &m.ClusterID
		}
		return req, 5
	case *ports.SASLHandshakeRequest:
		req := kmsg.NewPtrSASLHandshakeRequest()
		req.Mechanism = m.Mechanism
		return req, 1
	case *ports.SASLAuthenticateRequest:
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.SASLAuthBytes = m.Token
		return req, 2
	case *ports.ProbeRequest:
		return probe(m), 0
	}
	return nil, 0
}

// probeGroup is the group that probes name. It need not exist.
const probeGroup = "brokerconn-probe"

func probe(m *ports.ProbeRequest) Request {
	switch m.APIKey {
	case ports.KeyListGroups:
		return kmsg.NewPtrListGroupsRequest()
	case ports.KeyFindCoordinator:
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey = probeGroup
		return req
	case ports.KeyOffsetFetch:
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Group = probeGroup
		req.Topics = []kmsg.OffsetFetchRequestTopic{}
		return req
	case ports.KeyMetadata:
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = make([]kmsg.MetadataRequestTopic, len(m.Topics)) // empty is all, in version 0
		for i := range m.Topics {
			req.Topics[i].Topic = &m.Topics[i]
		}
		return req
	}
	return nil
}

// One request of each type that toKmsg returns, to find the kind of a message without
// creating a request.
var (
	anAPIVersions     = kmsg.NewPtrApiVersionsRequest()
	aSASLHandshake    = kmsg.NewPtrSASLHandshakeRequest()
	aSASLAuthenticate = kmsg.NewPtrSASLAuthenticateRequest()
	probes            = map[int16]Request{
		ports.KeyListGroups:      kmsg.NewPtrListGroupsRequest(),
		ports.KeyFindCoordinator: kmsg.NewPtrFindCoordinatorRequest(),
		ports.KeyOffsetFetch:     kmsg.NewPtrOffsetFetchRequest(), ports.KeyMetadata: kmsg.NewPtrMetadataRequest(),
	}
)

// alike returns a request of the type that m is encoded with; only its type is
// meaningful. It returns nil for a message that this codec does not support.
func alike(m ports.Message) Request {
	switch m := m.(type) {
	case pinned:
		return m.req
	case Request:
		return m
	case *ports.APIVersionsRequest:
		return anAPIVersions
	case *ports.SASLHandshakeRequest:
		return aSASLHandshake
	case *ports.SASLAuthenticateRequest:
		return aSASLAuthenticate
	case *ports.ProbeRequest:
		return probes[m.APIKey]
	}
	return nil
}

// fromKmsg returns the message of ports for the response to a request of toKmsg.
func fromKmsg(resp Response) ports.Message {
	switch r := resp.(type) {
	case *kmsg.ApiVersionsResponse:
		return apiVersions(r)
	case *kmsg.SASLHandshakeResponse:
		return &ports.SASLHandshakeResponse{ErrorCode: r.ErrorCode, Mechanisms: r.SupportedMechanisms}
	case *kmsg.SASLAuthenticateResponse:
		m := &ports.SASLAuthenticateResponse{
			ErrorCode:             r.ErrorCode,
			Token:                 r.SASLAuthBytes,
			SessionLifetimeMillis: r.SessionLifetimeMillis,
		}
		if r.ErrorMessage != nil {
			m.ErrorMessage = *r.ErrorMessage
		}
		return m
	}
	if _, ok := probes[resp.Key()]; ok {
		return &ports.ProbeResponse{APIKey: resp.Key()}
	}
	panic("kafkacodec: no message of ports has this response")
}

func apiVersions(r *kmsg.ApiVersionsResponse) *ports.APIVersionsResponse {
	m := &ports.APIVersionsResponse{ErrorCode: r.ErrorCode, Ranges: make([]ports.APIRange, 0, len(r.ApiKeys))}
	for _, k := range r.ApiKeys {
		m.Ranges = append(m.Ranges, ports.APIRange{Key: k.ApiKey, Min: k.MinVersion, Max: k.MaxVersion})
	}
	for _, f := range r.SupportedFeatures {
		m.Supported = append(m.Supported, ports.Feature{Name: f.Name, Min: f.MinVersion, Max: f.MaxVersion})
	}
	for _, f := range r.FinalizedFeatures {
		m.Finalized = append(m.Finalized, ports.Feature{Name: f.Name, Min: f.MinVersionLevel, Max: f.MaxVersionLevel})
	}
	return m
}
