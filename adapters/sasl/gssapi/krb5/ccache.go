package krb5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The ticket cache that kinit writes: MIT's file format, versions 3 and 4. gokrb5 reads
// it as well, but allocates as many addresses as the file claims. A damaged file can
// claim more than the machine's memory, which ends the process.

// cache holds the contents of a ticket cache.
type cache struct {
	client  Principal
	tickets []*Ticket
}

const (
	maxCacheBytes = 16 << 20
	maxComponents = 100
)

var errTruncated = errors.New("truncated ticket cache")

// parseCache reads a ticket cache.
func parseCache(data []byte) (*cache, error) {
	if len(data) < 2 || data[0] != 5 {
		return nil, errors.New("not a ticket cache")
	}
	version := data[1]
	if version != 3 && version != 4 {
		return nil, fmt.Errorf("ticket cache format version %d, want 3 or 4", version)
	}
	r := &cacheReader{rest: data[2:], version: version}
	if version == 4 {
		r.take(int(r.uint16())) // the offset of the KDC's clock
	}
	c := &cache{client: r.principal()}
	for !r.failed && len(r.rest) > 0 {
		if t, ok := r.credential(); ok {
			c.tickets = append(c.tickets, t)
		}
	}
	if r.failed {
		return nil, errTruncated
	}
	return c, nil
}

// find returns the ticket for a service that ends last, or nil.
func (c *cache) find(server Principal) (best *Ticket) {
	for _, t := range c.tickets {
		if t.Server.is(server) && t.Client.is(c.client) && (best == nil || t.end.After(best.end)) {
			best = t
		}
	}
	return best
}

// cacheReader parses the file. failed is set at the first missing byte and stays set.
type cacheReader struct {
	rest    []byte
	version byte
	failed  bool
}

func (r *cacheReader) take(n int) []byte {
	if n < 0 || n > len(r.rest) || r.failed {
		r.failed, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *cacheReader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *cacheReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *cacheReader) data() []byte {
	n := r.uint32()
	if int64(n) > int64(len(r.rest)) {
		r.failed = true
	}
	return r.take(int(n & 0x7fffffff))
}

func (r *cacheReader) time() time.Time {
	if s := r.uint32(); s != 0 {
		return time.Unix(int64(s), 0)
	}
	return time.Time{}
}

func (r *cacheReader) principal() (p Principal) {
	p.Name.NameType = int32(r.uint32())
	n := r.uint32()
	p.Realm = string(r.data())
	if n > maxComponents {
		r.failed = true
	}
	for range n {
		if r.failed {
			break
		}
		p.Name.NameString = append(p.Name.NameString, string(r.data()))
	}
	return p
}

// skipTyped skips addresses or authorization data.
func (r *cacheReader) skipTyped() {
	for range r.uint32() {
		if r.uint16(); r.failed {
			return
		}
		r.data()
	}
}

// credential returns a ticket. kinit stores its settings as credentials of a realm that
// cannot exist; for these ok is false.
func (r *cacheReader) credential() (t *Ticket, ok bool) {
	t = &Ticket{Client: r.principal(), Server: r.principal()}
	t.Key.KeyType = int32(int16(r.uint16()))
	if r.version == 3 {
		r.uint16() // once more
	}
	t.Key.KeyValue = r.data()
	authenticated := r.time()
	t.start, t.end, t.renewTill = r.time(), r.time(), r.time()
	if t.start.IsZero() {
		t.start = authenticated
	}
	r.take(1) // is_skey
	options := types.NewKrbFlags()
	copy(options.Bytes, r.take(4))
	if !types.IsFlagSet(&options, flags.Renewable) {
		t.renewTill = time.Time{}
	}
	r.skipTyped()
	r.skipTyped()
	encoded := r.data()
	r.data() // the second ticket
	return t, !r.failed && Contain(func() error { return t.Raw.Unmarshal(encoded) })
}
