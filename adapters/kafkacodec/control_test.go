package kafkacodec_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
)

func TestControlRequests(t *testing.T) {
	var codec kafkacodec.Codec
	for _, c := range []struct {
		m       ports.Message
		highest int16
		twin    kafkacodec.Request
	}{
		{
			&ports.APIVersionsRequest{SoftwareName: "n", SoftwareVersion: "1", ClusterID: "c", NodeID: 7}, 5,
			&kmsg.ApiVersionsRequest{ClientSoftwareName: "n", ClientSoftwareVersion: "1",
				ClusterID: kmsg.StringPtr("c"), NodeID: 7},
		},
		{
			&ports.APIVersionsRequest{SoftwareName: "n", SoftwareVersion: "1", NodeID: -1}, 5,
			&kmsg.ApiVersionsRequest{ClientSoftwareName: "n", ClientSoftwareVersion: "1", NodeID: -1},
		},
		{&ports.ProbeRequest{APIKey: 16}, 0, &kmsg.ListGroupsRequest{}},
		{&ports.ProbeRequest{APIKey: 3, Topics: []string{"t"}}, 0,
			&kmsg.MetadataRequest{Topics: []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("t")}}}},
		{&ports.SASLHandshakeRequest{Mechanism: "PLAIN"}, 1, &kmsg.SASLHandshakeRequest{Mechanism: "PLAIN"}},
		{&ports.SASLAuthenticateRequest{Token: []byte("\x00u\x00p")}, 2,
			&kmsg.SASLAuthenticateRequest{SASLAuthBytes: []byte("\x00u\x00p")}},
	} {
		traits, err := codec.Describe(c.m)
		if err != nil || traits.MinVersion != 0 || traits.MaxVersion != c.highest || c.m.Key() != c.twin.Key() {
			t.Errorf("%T: %+v, %v", c.m, traits, err)
		}
		for v := int16(0); v <= c.highest; v++ {
			c.twin.SetVersion(v)
			if got, err := codec.AppendBody(nil, c.m, v); err != nil || !bytes.Equal(got, c.twin.AppendTo(nil)) {
				t.Errorf("%T v%d: %x, %v", c.m, v, got, err)
			}
		}
	}
}

func TestControlResponses(t *testing.T) {
	versions := kmsg.NewPtrApiVersionsResponse()
	versions.ErrorCode = 35
	versions.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 3, MinVersion: 1, MaxVersion: 13}}
	versions.SupportedFeatures = []kmsg.ApiVersionsResponseSupportedFeature{{Name: "s", MinVersion: 1, MaxVersion: 2}}
	versions.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "f", MinVersionLevel: 3,
		MaxVersionLevel: 4}}
	login := kmsg.NewPtrSASLAuthenticateResponse()
	login.ErrorCode, login.ErrorMessage = 58, kmsg.StringPtr("no")
	login.SASLAuthBytes, login.SessionLifetimeMillis = []byte("tok"), 5000

	ranges := []ports.APIRange{{Key: 3, Min: 1, Max: 13}}
	for _, c := range []struct {
		req      ports.Message
		from, to int16
		resp     kafkacodec.Response
		want     ports.Message
	}{
		{&ports.APIVersionsRequest{}, 0, 2, versions, &ports.APIVersionsResponse{ErrorCode: 35, Ranges: ranges}},
		{&ports.APIVersionsRequest{}, 3, 5, versions, &ports.APIVersionsResponse{
			ErrorCode: 35, Ranges: ranges,
			Supported: []ports.Feature{{Name: "s", Min: 1, Max: 2}},
			Finalized: []ports.Feature{{Name: "f", Min: 3, Max: 4}},
		}},
		{&ports.SASLHandshakeRequest{}, 0, 1,
			&kmsg.SASLHandshakeResponse{ErrorCode: 33, SupportedMechanisms: []string{"PLAIN", "GSSAPI"}},
			&ports.SASLHandshakeResponse{ErrorCode: 33, Mechanisms: []string{"PLAIN", "GSSAPI"}}},
		{&ports.SASLAuthenticateRequest{}, 0, 0, login,
			&ports.SASLAuthenticateResponse{ErrorCode: 58, ErrorMessage: "no", Token: []byte("tok")}},
		{&ports.SASLAuthenticateRequest{}, 1, 2, login,
			&ports.SASLAuthenticateResponse{ErrorCode: 58, ErrorMessage: "no", Token: []byte("tok"),
				SessionLifetimeMillis: 5000}},
	} {
		for v := c.from; v <= c.to; v++ {
			c.resp.SetVersion(v)
			body := c.resp.AppendTo(nil)
			got, err := kafkacodec.Codec{}.Decode(c.req, v, body)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%T v%d: %#v, %v", c.req, v, got, err)
			}
		}
	}
}
