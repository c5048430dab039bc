package ports

import "fmt"

// API keys of the requests that the core sends itself.
const (
	KeyMetadata         int16 = 3
	KeyOffsetFetch      int16 = 9
	KeyFindCoordinator  int16 = 10
	KeyListGroups       int16 = 16
	KeySASLHandshake    int16 = 17
	KeyAPIVersions      int16 = 18
	KeySASLAuthenticate int16 = 36
)

// APIVersionsRequest asks for the broker's API versions (KIP-35). Versions 0 to 5.
type APIVersionsRequest struct {
	// SoftwareName and SoftwareVersion name the client, from v3 on (KIP-511).
	SoftwareName, SoftwareVersion string
	// ClusterID and NodeID name the intended broker, from v5 on (KIP-1242). Another
	// broker answers with error 129. "" and -1 mean any broker.
	ClusterID string
	NodeID    int32
}

// Key returns 18.
func (*APIVersionsRequest) Key() int16 { return KeyAPIVersions }

// APIRange is the range of versions of one API, both ends included.
type APIRange struct{ Key, Min, Max int16 }

func (r APIRange) String() string { return fmt.Sprintf("%d: v%d-v%d", r.Key, r.Min, r.Max) }

// Feature is the range of one cluster feature (KIP-584).
type Feature struct {
	Name     string
	Min, Max int16
}

// APIVersionsResponse is the broker's table of API versions. An answer with error 35
// is always encoded in version 0, whatever version was requested.
type APIVersionsResponse struct {
	ErrorCode int16
	Ranges    []APIRange
	Supported []Feature // from v3 on: features that the broker supports
	Finalized []Feature // from v3 on: features that the cluster has finalized
}

// Key returns 18.
func (*APIVersionsResponse) Key() int16 { return KeyAPIVersions }

// ProbeRequest is version 0 of Metadata, OffsetFetch, FindCoordinator or ListGroups.
// Whether it is answered identifies a release before 0.10, which has no ApiVersions.
type ProbeRequest struct {
	APIKey int16
	// Topics are the topics that Metadata asks for. If empty, Metadata asks for all.
	Topics []string
}

// Key returns APIKey.
func (r *ProbeRequest) Key() int16 { return r.APIKey }

// ProbeResponse is a valid answer to a ProbeRequest. Its contents are ignored.
type ProbeResponse struct{ APIKey int16 }

// Key returns APIKey.
func (r *ProbeResponse) Key() int16 { return r.APIKey }

// SASLHandshakeRequest selects a mechanism. Versions 0 and 1; with v1 the tokens are
// sent in SaslAuthenticate requests (KIP-152).
type SASLHandshakeRequest struct{ Mechanism string }

// Key returns 17.
func (*SASLHandshakeRequest) Key() int16 { return KeySASLHandshake }

// SASLHandshakeResponse lists the mechanisms of the broker.
type SASLHandshakeResponse struct {
	ErrorCode  int16
	Mechanisms []string
}

// Key returns 17.
func (*SASLHandshakeResponse) Key() int16 { return KeySASLHandshake }

// SASLAuthenticateRequest carries one token. Versions 0 to 2.
type SASLAuthenticateRequest struct{ Token []byte }

// Key returns 36.
func (*SASLAuthenticateRequest) Key() int16 { return KeySASLAuthenticate }

// Format keeps the token out of any log, whatever the verb.
func (r SASLAuthenticateRequest) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "SaslAuthenticate request, token of %d bytes", len(r.Token))
}

// MarshalText does the same for JSON, and so for slog.
func (r SASLAuthenticateRequest) MarshalText() ([]byte, error) { return fmt.Append(nil, r), nil }

// SASLAuthenticateResponse carries the broker's token.
type SASLAuthenticateResponse struct {
	ErrorCode    int16
	ErrorMessage string
	Token        []byte
	// SessionLifetimeMillis is how long the session lasts, from v1 on (KIP-368).
	// 0 means without end.
	SessionLifetimeMillis int64
}

// Key returns 36.
func (*SASLAuthenticateResponse) Key() int16 { return KeySASLAuthenticate }

// Format keeps the token out of any log, whatever the verb.
func (r SASLAuthenticateResponse) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "SaslAuthenticate response, error %d, token of %d bytes", r.ErrorCode, len(r.Token))
}

// MarshalText does the same for JSON, and so for slog.
func (r SASLAuthenticateResponse) MarshalText() ([]byte, error) { return fmt.Append(nil, r), nil }
