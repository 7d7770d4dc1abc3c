package callback

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"93.184.215.14": true, "130.226.0.1": true, "2a01:3f0::1": true, "2606:4700:4700::1111": true,
		"64:ff9b::5db8:d70e": true, // NAT64 of a public address
		"172.15.255.255":     true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "169.253.0.1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false, "100.127.255.255": false,
		"127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.0.0.192": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
		"::127.0.0.1": false, "fd00::1": false, "fd00:ec2::254": false, "fc00::1": false, "fe80::1": false, "fe80::1%eth0": false,
		"fec0::1": false, "ff02::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "3fff::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "100::1": false, "4000::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: public %t, wanted %t", address, got, want)
		}
		if err := publicOnly("tcp", net.JoinHostPort(address, "443"), nil); errors.Is(err, errForbidden) == want {
			t.Errorf("dialling %s: %v", address, err)
		}
	}
	if public(netip.Addr{}) || publicOnly("tcp", "no address", nil) == nil {
		t.Error("what is no address may be dialled")
	}
}

// TestForbiddenAddressesAreNotDialled calls receivers on this machine by number and by name, without being allowed to.
func TestForbiddenAddressesAreNotDialled(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := newSite(t, k, nil)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "2130706433", "[::]"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			r := receiverOf(t, s)
			r.URL, r.AllowPrivate = "https://"+host+":"+port, false
			h := setup(t, k, r)
			m := h.intents(t, producer, 1, 1)[0]
			h.happen(t, producer, m)
			h.deliver(t, m)
			switch failure := h.stats(t, producer).Failure; {
			case failure == failForbidden:
			case failure == failName && host == "2130706433": // a resolver may not take it for an address
			default:
				t.Errorf("failure %q", failure)
			}
		})
	}
	t.Cleanup(func() {
		if len(s.came) != 0 {
			t.Error("a call arrived")
		}
	})
}

// TestRedirectsAreNotFollowed: not even to an address that may be called.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	k := newClock()
	target := newSite(t, k, nil)
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		s := newSite(t, k, func(w http.ResponseWriter, r *http.Request, _ call) {
			http.Redirect(w, r, target.URL, status)
		})
		h := setup(t, k, receiverOf(t, s))
		m := h.intents(t, producer, 1, 1)[0]
		h.happen(t, producer, m)
		h.deliver(t, m)
		if stats := h.stats(t, producer); stats.Failure != failRedirect || stats.HTTPStatus != status || stats.Pending != 1 {
			t.Errorf("%d: %+v", status, stats)
		}
	}
	if len(target.came) != 0 {
		t.Error("a redirect was followed")
	}
}
