package krb5

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// The exchange of messages with the KDCs of a realm. gokrb5's own cannot be canceled,
// allocates the answer's announced size of up to 4 GiB, and turns errors into text.
// Requests go over TCP, which every KDC accepts (RFC 4120, section 7.2.2) and where an
// answer may have any size.

// kdcs finds and asks the KDCs of all realms.
type kdcs struct {
	conf    *conf
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	srv     func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	timeout time.Duration // for one answer of one KDC

	last sync.Map // realm to the address that answered last
}

const (
	// maxAnswer exceeds the size of any ticket: Active Directory allows 64 KiB.
	maxAnswer   = 256 << 10
	maxRecords  = 32 // of DNS, by priority: an answer has room for 3,000 addresses to dial
	defaultPort = "88"
	tagKRBError = 0x7e // [APPLICATION 30], RFC 4120, section 5.10
)

// ask sends a request to the KDCs of a realm in turn, until one answers. It returns a
// KRB_ERROR as a *messages.KRBError.
func (k *kdcs) ask(ctx context.Context, realm string, request []byte) ([]byte, error) {
	addresses, err := k.find(ctx, realm)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, address := range addresses {
		answer, err := k.askOne(ctx, address, request)
		refused, ok := errors.AsType[*messages.KRBError](err)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case ok && refused.ErrorCode != errorcode.KDC_ERR_SVC_UNAVAILABLE, err == nil:
			k.last.Store(realm, address)
			return answer, err
		}
		problems = append(problems, err)
	}
	return nil, &Error{Reason: KDCUnreachable, Principal: realm, Err: errors.Join(problems...)}
}

// find returns the addresses of the KDCs of a realm, beginning with the one that
// answered last.
func (k *kdcs) find(ctx context.Context, realm string) (addresses []string, err error) {
	var proxies []error
	for _, text := range k.conf.kdcsOf(realm) {
		if address, ok := kdcAddress(text); ok {
			addresses = append(addresses, address)
		} else {
			proxies = append(proxies, fmt.Errorf("kdc = %.100q in krb5.conf is not supported: add a host", text))
		}
	}
	err = errors.Join(proxies...)
	if len(addresses) == 0 && err == nil && k.conf.lookupKDC { // in DNS (RFC 4120, section 7.2.3.2)
		limited, cancel := context.WithTimeout(ctx, k.timeout)
		defer cancel()
		var records []*net.SRV
		// A realm is a whole name: without the dot, the resolver would also try it below its search domains.
		_, records, err = k.srv(limited, "kerberos", "tcp", strings.TrimSuffix(realm, ".")+".")
		for _, r := range records[:min(len(records), maxRecords)] {
			host, port := strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))
			if host != "" { // RFC 2782: the service is decidedly not available
				addresses = append(addresses, net.JoinHostPort(host, port))
			}
		}
	}
	if len(addresses) == 0 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Error{Reason: UnknownRealm, Principal: realm, Err: err}
	}
	if last, ok := k.last.Load(realm); ok {
		if i := slices.Index(addresses, last.(string)); i > 0 {
			addresses[0], addresses[i] = addresses[i], addresses[0]
		}
	}
	return addresses, nil
}

// kdcAddress returns the address in a value of kdc in krb5.conf: a host with or without a
// port, where an IPv6 address may be without brackets. It ends at a space. Heimdal's
// files may have a transport before it. A URL, of a KDC behind HTTPS, is not supported.
func kdcAddress(text string) (address string, ok bool) {
	fields := strings.Fields(text)
	if len(fields) == 0 || strings.Contains(fields[0], "://") {
		return "", false
	}
	host := strings.TrimPrefix(strings.TrimPrefix(fields[0], "tcp/"), "udp/")
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, true
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), defaultPort), true
}

func (k *kdcs) askOne(ctx context.Context, address string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	conn, err := k.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	answer, err := roundTrip(conn, request)
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if answer[0] == tagKRBError {
		refused := new(messages.KRBError)
		if !Contain(func() error { return refused.Unmarshal(answer) }) {
			return nil, fmt.Errorf("%s: %w", address, errNotKerberos)
		}
		return nil, refused
	}
	return answer, nil
}

var errNotKerberos = errors.New("the answer is not a Kerberos message")

// roundTrip sends a request and reads the answer, each with its size before it (RFC
// 4120, section 7.2.2).
func roundTrip(conn net.Conn, request []byte) ([]byte, error) {
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	var n uint32
	if err := binary.Read(conn, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	if n == 0 || n > maxAnswer {
		return nil, errNotKerberos
	}
	answer, err := io.ReadAll(io.LimitReader(conn, int64(n)))
	if err == nil && len(answer) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	return answer, err
}
