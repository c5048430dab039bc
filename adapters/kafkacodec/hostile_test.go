package kafkacodec_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/hostile"
	"brokerconn/ports"
)

// TestHostileCountsOfSetup: a lie about any length or count in an answer of the setup costs no memory ahead of the
// bytes that came.
func TestHostileCountsOfSetup(t *testing.T) {
	table := kmsg.NewPtrApiVersionsResponse()
	table.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MaxVersion: 4}, {ApiKey: 36, MaxVersion: 2}}
	table.SupportedFeatures = []kmsg.ApiVersionsResponseSupportedFeature{{Name: "kraft.version", MaxVersion: 1}}
	table.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "kraft.version", MaxVersionLevel: 1}}
	handshake := kmsg.NewPtrSASLHandshakeResponse()
	handshake.SupportedMechanisms = []string{"PLAIN", "GSSAPI"}
	text := "rejected"
	authenticate := kmsg.NewPtrSASLAuthenticateResponse()
	authenticate.ErrorCode, authenticate.ErrorMessage, authenticate.SASLAuthBytes = 58, &text, []byte("token")
	metadata := kmsg.NewPtrMetadataResponse()
	metadata.Brokers = []kmsg.MetadataResponseBroker{{Host: "broker", Port: 9092}}
	metadata.Topics = []kmsg.MetadataResponseTopic{{Topic: &text,
		Partitions: []kmsg.MetadataResponseTopicPartition{{Replicas: []int32{1}, ISR: []int32{1}}}}}
	offsets := kmsg.NewPtrOffsetFetchResponse()
	offsets.Topics = []kmsg.OffsetFetchResponseTopic{{Topic: text,
		Partitions: []kmsg.OffsetFetchResponseTopicPartition{{Metadata: &text}}}}
	coordinator := kmsg.NewPtrFindCoordinatorResponse()
	coordinator.Host = "broker"
	groups := kmsg.NewPtrListGroupsResponse()
	groups.Groups = []kmsg.ListGroupsResponseGroup{{Group: text, ProtocolType: "consumer"}}
	for _, c := range []struct {
		req  ports.Message
		resp kmsg.Response
		last int16 // version
	}{
		{&ports.APIVersionsRequest{}, table, table.MaxVersion()},
		{&ports.SASLHandshakeRequest{}, handshake, 1},
		{&ports.SASLAuthenticateRequest{}, authenticate, 2},
		{&ports.ProbeRequest{APIKey: ports.KeyMetadata}, metadata, 0},
		{&ports.ProbeRequest{APIKey: ports.KeyOffsetFetch}, offsets, 0},
		{&ports.ProbeRequest{APIKey: ports.KeyFindCoordinator}, coordinator, 0},
		{&ports.ProbeRequest{APIKey: ports.KeyListGroups}, groups, 0},
	} {
		for version := range c.last + 1 {
			c.resp.SetVersion(version)
			valid := c.resp.AppendTo(nil)
			if _, err := codec.Decode(c.req, version, valid); err != nil {
				t.Errorf("%T v%d: got %v for a valid answer", c.resp, version, err)
			}
			for lie, body := range hostile.All(valid) {
				hostile.Bounded(t, fmt.Sprintf("%T v%d, %s", c.resp, version, lie), body, perByte, func() {
					_, _ = codec.Decode(c.req, version, body) // it may be valid
				})
			}
		}
	}
}

// perByte is the memory for each byte that came: itself, and a copy.
const perByte = 2
