package callback

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// errForbidden says that a receiver's address is not on the public internet.
var errForbidden = errors.New("the address is not public")

// publicOnly is a net.Dialer's Control: it sees the address that was resolved, right before it is dialled, so that a name
// cannot mean one thing when it is checked and another when it is called.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: it cannot be read", errForbidden)
	}
	if !public(ap.Addr()) {
		return errForbidden
	}
	return nil
}

// public reports whether an address may belong to anybody on the internet [src: IANA-IPV4-SPECIAL Table 1]
// [src: IANA-IPV6-SPECIAL Table 1]. Of IPv6 only what is handed out (2000::/3) can be, without the parts of it that
// stand for something else; NAT64 is what it translates to.
func public(a netip.Addr) bool {
	if netip.MustParsePrefix("64:ff9b::/96").Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	a = a.Unmap()
	inside := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case !a.IsValid() || a.Zone() != "":
		return false
	case a.Is4():
		return !slices.ContainsFunc(special4(), inside)
	default:
		return netip.MustParsePrefix("2000::/3").Contains(a) && !slices.ContainsFunc(special6(), inside)
	}
}

func special4() []netip.Prefix {
	return []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{}), 8),              // this network
		netip.PrefixFrom(netip.AddrFrom4([4]byte{10}), 8),            // private
		netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10),      // shared by carriers' NAT
		netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8),           // loopback
		netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254}), 16),     // link-local; the metadata services of clouds
		netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16}), 12),      // private
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 0}), 24),    // protocol assignments
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2}), 24),    // documentation
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 88, 99}), 24),  // 6to4 relays
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168}), 16),     // private
		netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18}), 15),      // benchmarks
		netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100}), 24), // documentation
		netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113}), 24),  // documentation
		netip.PrefixFrom(netip.AddrFrom4([4]byte{224}), 3),           // multicast, reserved, broadcast
	}
}

func special6() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("2001::/23"),     // protocol assignments: Teredo, ORCHID
		netip.MustParsePrefix("2001:db8::/32"), // documentation
		netip.MustParsePrefix("2002::/16"),     // 6to4: holds an IPv4 address
		netip.MustParsePrefix("3fff::/20"),     // documentation
	}
}
