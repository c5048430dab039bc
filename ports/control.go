package ports

import "fmt"

// API keys of the calls that the core makes itself.
const (
	KeyMetadata         int16 = 3
	KeyOffsetFetch      int16 = 9
	KeyFindCoordinator  int16 = 10
	KeyListGroups       int16 = 16
	KeySASLHandshake    int16 = 17
	KeyAPIVersions      int16 = 18
	KeySASLAuthenticate int16 = 36
)

// APIVersionsRequest asks which APIs the broker has (KIP-35). Versions 0 to 5.
type APIVersionsRequest struct {
	// SoftwareName and SoftwareVersion name the client, from v3 on (KIP-511).
	SoftwareName, SoftwareVersion string
	// ClusterID and NodeID name the broker that is meant, from v5 on (KIP-1242).
	// A broker that is another answers error 129. "" and -1: any.
	ClusterID string
	NodeID    int32
}

// Key returns 18.
func (*APIVersionsRequest) Key() int16 { return KeyAPIVersions }

// APIRange is the versions of one API, both ends included.
type APIRange struct{ Key, Min, Max int16 }

func (r APIRange) String() string { return fmt.Sprintf("%d: v%d-v%d", r.Key, r.Min, r.Max) }

// Feature is the range of one cluster feature (KIP-584).
type Feature struct {
	Name     string
	Min, Max int16
}

// APIVersionsResponse is the broker's table. An answer with error 35 is always
// encoded in version 0, whatever was asked.
type APIVersionsResponse struct {
	ErrorCode int16
	Ranges    []APIRange
	Supported []Feature // v3 on: what the broker could do
	Finalized []Feature // v3 on: what the cluster has agreed on
}

// Key returns 18.
func (*APIVersionsResponse) Key() int16 { return KeyAPIVersions }

// ProbeRequest asks for nothing in particular: whether it is answered tells how old a
// broker is that cannot be asked. Version 0 of Metadata, OffsetFetch, FindCoordinator
// and ListGroups.
type ProbeRequest struct {
	APIKey int16
	// Topics are those that Metadata asks for. None: all.
	Topics []string
}

// Key returns APIKey.
func (r *ProbeRequest) Key() int16 { return r.APIKey }

// ProbeResponse is an answer that can be read. What it says is nobody's concern.
type ProbeResponse struct{ APIKey int16 }

// Key returns APIKey.
func (r *ProbeResponse) Key() int16 { return r.APIKey }

// SASLHandshakeRequest chooses a mechanism. Versions 0 and 1; v1 means that the
// tokens travel in SaslAuthenticate (KIP-152).
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

// SASLAuthenticateResponse carries the broker's token.
type SASLAuthenticateResponse struct {
	ErrorCode    int16
	ErrorMessage string
	Token        []byte
	// SessionLifetimeMillis is how long the login lasts, from v1 on (KIP-368).
	// 0: for ever.
	SessionLifetimeMillis int64
}

// Key returns 36.
func (*SASLAuthenticateResponse) Key() int16 { return KeySASLAuthenticate }

// Format keeps the token out of any log, whatever the verb.
func (r SASLAuthenticateResponse) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "SaslAuthenticate response, error %d, token of %d bytes", r.ErrorCode, len(r.Token))
}
