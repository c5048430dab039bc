package krb5

import (
	"errors"
	"fmt"
	"slices"
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
		r.take(int64(r.number(2))) // the offset of the KDC's clock
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

// own returns the tickets of the cache's client. A service that got a ticket on behalf of
// a user (S4U2Self, MIT's kvno -U) has the user's ticket in its own cache.
func (c *cache) own() []*Ticket {
	return slices.DeleteFunc(slices.Clone(c.tickets), func(t *Ticket) bool { return !t.Client.is(c.client) })
}

// find returns the client's ticket for a service that ends last, or nil.
func (c *cache) find(server Principal) (best *Ticket) {
	for _, t := range c.own() {
		if t.Server.is(server) && (best == nil || t.end.After(best.end)) {
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

func (r *cacheReader) take(n int64) []byte {
	if n > int64(len(r.rest)) || r.failed {
		r.failed, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// number reads a number of some bytes.
func (r *cacheReader) number(bytes int64) (n uint32) {
	for _, b := range r.take(bytes) {
		n = n<<8 | uint32(b)
	}
	return n
}

func (r *cacheReader) data() []byte { return r.take(int64(r.number(4))) }

func (r *cacheReader) time() (t time.Time) {
	if s := r.number(4); s != 0 {
		t = time.Unix(int64(s), 0)
	}
	return t
}

func (r *cacheReader) principal() (p Principal) {
	p.Name.NameType = int32(r.number(4))
	n := r.number(4)
	p.Realm = string(r.data())
	r.failed = r.failed || n > maxComponents
	for ; n > 0 && !r.failed; n-- {
		p.Name.NameString = append(p.Name.NameString, string(r.data()))
	}
	return p
}

// skipTyped skips addresses or authorization data.
func (r *cacheReader) skipTyped() {
	for n := r.number(4); n > 0 && !r.failed; n-- {
		r.number(2)
		r.data()
	}
}

// credential returns a ticket. kinit stores its settings as credentials of a realm that
// cannot exist; for these ok is false.
func (r *cacheReader) credential() (t *Ticket, ok bool) {
	t = &Ticket{Client: r.principal(), Server: r.principal()}
	t.Key.KeyType = int32(int16(r.number(2)))
	if r.version == 3 {
		r.number(2) // once more
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
