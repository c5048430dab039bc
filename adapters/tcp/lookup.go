package tcp

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// Lookup returns the function that resolves a host. A literal address needs no lookup.
// The addresses keep the resolver's order, without duplicates, and are all of
// Options.AddressFamily. Where there are both, IPv6 and IPv4 take turns, beginning with the
// family of the first (RFC 8305, section 4): if a network fails one family, the second
// address to be tried is of the other.
func Lookup(o Options) netlink.LookupFunc {
	o.mustBeValid()
	resolver, family := cmp.Or(o.Resolver, net.DefaultResolver), o.AddressFamily
	return func(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error) {
		addrs, err := find(ctx, resolver, family, host)
		if err != nil {
			return nil, err
		}
		var usable []netip.Addr
		for _, a := range addrs {
			a = a.Unmap() // ::ffff:192.0.2.1 is dialed as 192.0.2.1
			if !slices.Contains(usable, a) && family.has(a) {
				usable = append(usable, a)
			}
		}
		var eps []ports.Endpoint
		for _, a := range inTurns(usable) {
			address := netip.AddrPortFrom(a, port).String()
			eps = append(eps, ports.Endpoint{Host: host, Network: "tcp", Address: address})
		}
		if len(eps) == 0 {
			return nil, fmt.Errorf("tcp: %s has no %v address, and the address family is restricted to %v", host,
				family, family)
		}
		return eps, nil
	}
}

// inTurns returns addresses so that the families take turns as long as there are both.
func inTurns(addrs []netip.Addr) (turns []netip.Addr) {
	var first, second []netip.Addr
	for _, a := range addrs {
		if a.Is4() == addrs[0].Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	for i := range addrs {
		turns = append(turns, first[min(i, len(first)):min(i+1, len(first))]...)
		turns = append(turns, second[min(i, len(second)):min(i+1, len(second))]...)
	}
	return turns
}

// literal reports whether a host is an address.
func literal(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func find(ctx context.Context, resolver *net.Resolver, family AddressFamily, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := resolver.LookupNetIP(ctx, "ip"+families[family].suffix, host)
	if err != nil {
		if family != Unspecified {
			err = fmt.Errorf("no %v address: %w", family, err)
		}
		return nil, withHint(fmt.Errorf("tcp: %w", err), false)
	}
	return addrs, nil
}

func (f AddressFamily) has(a netip.Addr) bool {
	return f == Unspecified || a.Is4() == (f == IPv4)
}
