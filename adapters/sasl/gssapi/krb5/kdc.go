package krb5

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// The way to the KDCs of a realm. It is not gokrb5's, which cannot be given up, makes
// room for as much as a KDC says that its answer has, up to 4 GiB, and turns errors
// into text. Requests go over TCP, which every KDC takes (RFC 4120, section 7.2.2) and
// where an answer may have any size.

type kdcs struct {
	conf    *conf
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	srv     func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	timeout time.Duration // for one answer of one KDC

	mu   sync.Mutex
	last map[string]string // who answered last, by realm
}

const (
	// maxAnswer is more than any ticket has: Active Directory lets one grow to 64 KiB.
	maxAnswer   = 256 << 10
	kerberos    = 88
	tagKRBError = 0x7e // [APPLICATION 30], RFC 4120, section 5.10
)

// ask sends a request to the KDCs of a realm, one after the other, until one
// answers. A KRB_ERROR is returned as a *messages.KRBError.
func (k *kdcs) ask(ctx context.Context, realm string, request []byte) ([]byte, error) {
	addresses, err := k.find(ctx, realm)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, address := range addresses {
		answer, err := k.askOne(ctx, address, request)
		var refused *messages.KRBError
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &refused) && refused.ErrorCode != errorcode.KDC_ERR_SVC_UNAVAILABLE, err == nil:
			k.mu.Lock()
			k.last[realm] = address
			k.mu.Unlock()
			return answer, err
		}
		problems = append(problems, err)
	}
	return nil, &Error{Reason: KDCUnreachable, Principal: realm, Err: errors.Join(problems...)}
}

// find returns the addresses of the KDCs of a realm, first the one that answered
// last.
func (k *kdcs) find(ctx context.Context, realm string) (addresses []string, err error) {
	for _, r := range k.conf.Realms {
		if r.Realm == realm {
			for _, address := range r.KDC {
				addresses = append(addresses, withPort(address))
			}
		}
	}
	if len(addresses) == 0 && k.conf.lookupKDC {
		addresses, err = k.lookUp(ctx, realm)
	}
	if len(addresses) == 0 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Error{Reason: UnknownRealm, Principal: realm, Err: err}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, address := range addresses {
		if address == k.last[realm] {
			addresses[0], addresses[i] = address, addresses[0]
		}
	}
	return addresses, nil
}

func (k *kdcs) lookUp(ctx context.Context, realm string) (addresses []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	_, records, err := k.srv(ctx, "kerberos", "tcp", realm)
	for _, r := range records {
		addresses = append(addresses, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	return addresses, err
}

// withPort completes an address of krb5.conf, where an IPv6 address may stand with
// brackets and without.
func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), strconv.Itoa(kerberos))
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
	answer, err := converse(conn, request)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if answer[0] == tagKRBError {
		refused := new(messages.KRBError)
		if !Contain(func() error { return refused.Unmarshal(answer) }) {
			return nil, fmt.Errorf("%s: %w", address, errNoKDC)
		}
		return nil, refused
	}
	return answer, nil
}

var errNoKDC = errors.New("what it answers is not of Kerberos")

// converse frames a request and its answer (RFC 4120, section 7.2.2).
func converse(conn net.Conn, request []byte) ([]byte, error) {
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 || n > maxAnswer {
		return nil, errNoKDC
	}
	answer, err := io.ReadAll(io.LimitReader(conn, int64(n)))
	if err == nil && len(answer) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	return answer, err
}
