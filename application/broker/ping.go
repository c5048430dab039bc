package broker

import (
	"context"
	"encoding/binary"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Ping asks the broker whether it answers, and returns the time until it did. It waits for a
// connection as Connect does; that time is not counted. The question is ApiVersions, at the
// version that the broker has answered before; for a release before 0.10 it is Metadata. The
// error is an *Error; it is an ErrProtocol with a *BrokerError if the broker answered one.
//
// For a health check that must not wait for the backoff, see WithFailFast.
func Ping(ctx context.Context, c *Conn) (time.Duration, error) {
	if err := c.Connect(ctx); err != nil { // APIVersions does not wait for a login
		return 0, err
	}
	v, err := c.APIVersions(ctx)
	if err != nil {
		return 0, err
	}
	req := &ports.RawRequest{APIKey: ports.KeyAPIVersions, APIVersion: max(v.RequestVersion(), 0)}
	message := ports.Message(&ports.APIVersionsRequest{
		SoftwareName: c.cfg.SoftwareName, SoftwareVersion: c.cfg.SoftwareVersion,
		ClusterID: c.cfg.ClusterID, NodeID: c.node(),
	})
	if _, _, ok := v.Range(ports.KeyAPIVersions); !ok && v.RequestVersion() < 0 {
		req.APIKey, message = ports.KeyMetadata, &ports.ProbeRequest{APIKey: ports.KeyMetadata}
	}
	req.Flexible = req.APIVersion >= 3
	if req.Body, err = c.cfg.Codec.AppendBody(nil, message, req.APIVersion); err != nil {
		return 0, c.failure(req, ErrEncode, err)
	}
	began := c.cfg.Clock.Now()
	body, err := c.RequestRaw(ctx, req)
	if err != nil {
		return 0, err
	}
	if req.APIKey == ports.KeyAPIVersions && len(body) >= 2 {
		if code := int16(binary.BigEndian.Uint16(body)); code != 0 {
			return 0, c.failure(req, ErrProtocol, domain.NewBrokerError(code, ""))
		}
	}
	return c.cfg.Clock.Now().Sub(began), nil
}

// failure describes a request that was answered, or could not be made.
func (c *Conn) failure(req *ports.RawRequest, kind, cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.core.Failure(c.cfg.Clock.Now(), req, kind, cause)
	if e.Version = req.APIVersion; kind == ErrProtocol {
		e.Sent = SentFully
	}
	return e
}

func (c *Conn) node() int32 {
	if c.cfg.NodeID == nil {
		return -1
	}
	return *c.cfg.NodeID
}
