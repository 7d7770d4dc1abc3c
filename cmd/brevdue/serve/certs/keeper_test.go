package certs_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/brevdue/brevdue/cmd/brevdue/serve/certs"
)

// clock is set by the test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// issuer signs certificates.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newIssuer(t *testing.T, name string, until time.Time) *issuer {
	t.Helper()
	i := &issuer{key: newKey(t)}
	i.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Unix(0, 0), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, i.cert, i.cert, i.key.Public(), i.key)
	if err != nil {
		t.Fatal(err)
	}
	if i.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	i.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return i
}

// issue writes a certificate and its key, and returns it for a caller.
func (i *issuer) issue(t *testing.T, dir, name string, from, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		DNSNames: []string{"localhost"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, key.Public(), i.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// write replaces a file as those who renew do: another file under the name.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// shake makes one connection and returns the name in the server's certificate.
func shake(ctx context.Context, server, client *tls.Config) (string, tls.ConnectionState, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", tls.ConnectionState{}, err
	}
	defer func() { _ = l.Close() }()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer func() { _ = conn.Close() }()
		s := tls.Server(conn, server)
		if err = s.HandshakeContext(ctx); err == nil {
			_, err = s.Write([]byte("x"))
		}
		done <- err
	}()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return "", tls.ConnectionState{}, err
	}
	defer func() { _ = conn.Close() }()
	c := tls.Client(conn, client)
	if err := c.HandshakeContext(ctx); err != nil {
		return "", tls.ConnectionState{}, err
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return "", tls.ConnectionState{}, err
	}
	state := c.ConnectionState()
	return state.PeerCertificates[0].Subject.CommonName, state, <-done
}

func TestARenewedCertificateIsTaken(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c, dir, ca := &clock{now: now}, t.TempDir(), newIssuer(t, "root", now.Add(1000*24*time.Hour))
	ca.issue(t, dir, "first", now.Add(-time.Hour), now.Add(100*24*time.Hour))
	k := certs.New(certs.Config{Now: c.Now})
	pair, err := k.Pair("http", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	server := k.Server(nil, pair, nil)
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	want := func(name string, broken bool) {
		t.Helper()
		k.Check(t.Context())
		client := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
		if got, _, err := shake(t.Context(), server, client); err != nil || got != name {
			t.Errorf("%q, %v, want %q", got, err, name)
		}
		if got := k.Warnings(); broken != (len(got) == 1 && got[0].Broken) {
			t.Errorf("warnings %v, want broken %t", got, broken)
		}
	}
	want("first", false)
	ca.issue(t, dir, "second", now.Add(-time.Hour), now.Add(200*24*time.Hour))
	want("second", false)
	write(t, filepath.Join(dir, "cert.pem"), []byte("no certificate"))
	want("second", true)
	want("second", true)
	ca.issue(t, dir, "expired", now.Add(-2*time.Hour), now.Add(-time.Hour))
	want("second", true)
	ca.issue(t, dir, "early", now.Add(24*time.Hour), now.Add(300*24*time.Hour))
	want("second", true)
	c.add(25 * time.Hour) // now its time has come, though the files are the same
	k.Check(t.Context())
	if got := pair.Certificate().Leaf.Subject.CommonName; got != "early" {
		t.Errorf("%s is in use, want early", got)
	}
	if err := os.Remove(filepath.Join(dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	k.Check(t.Context())
	if got := pair.Certificate().Leaf.Subject.CommonName; got != "early" {
		t.Errorf("%s is in use after its key was removed, want early", got)
	}
	if got := metrics(t, k); got["taken"] != 2 || got["refused"] != 4 {
		t.Errorf("the metrics say %v, want 2 taken and 4 refused", got)
	}
}

// metrics sums what the keeper counts, by result; of the expiry there is one.
func metrics(t *testing.T, k *certs.Keeper) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(k); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 2 {
		t.Fatal(len(families), err)
	}
	sums := map[string]float64{}
	for _, m := range families[1].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "result" {
				sums[l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	}
	return sums
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	c, dir, ca := &clock{now: now}, t.TempDir(), newIssuer(t, "root", now.Add(1000*24*time.Hour))
	end := now.Add(61 * 24 * time.Hour)
	ca.issue(t, dir, "server", now.Add(-time.Hour), end)
	log := &lines{}
	k := certs.New(certs.Config{Now: c.Now, Logger: log.logger()})
	if _, err := k.Pair("http", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ left, days, told int }{{61, -99, 0}, {60, 60, 1}, {59, 59, 1}, {30, 30, 2}, {8, 8, 2}, {7, 7, 3}, {1, 1, 3}, {-1, -2, 3}} {
		c.mu.Lock()
		c.now = end.Add(-time.Duration(step.left) * 24 * time.Hour)
		c.mu.Unlock()
		k.Check(t.Context())
		k.Check(t.Context())
		told := log.count("a certificate expires")
		w := k.Warnings()
		switch {
		case step.days == -99 && len(w) != 0, step.days != -99 && (len(w) != 1 || w[0].Days != step.days || w[0].Role != "http"):
			t.Errorf("%d days left: %v", step.left, w)
		case told != step.told:
			t.Errorf("%d days left: told %d times, want %d", step.left, told, step.told)
		}
	}
	if strings.Contains(strings.Join(log.all, ""), dir) {
		t.Error("a path is in a warning")
	}
}

func TestCallersRootsAreTakenAnew(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dir, callers := t.TempDir(), t.TempDir()
	old, renewed := newIssuer(t, "old", now.Add(100*24*time.Hour)), newIssuer(t, "new", now.Add(1000*24*time.Hour))
	old.issue(t, dir, "server", now.Add(-time.Hour), now.Add(90*24*time.Hour))
	ofOld := old.issue(t, callers, "caller", now.Add(-time.Hour), now.Add(time.Hour))
	ofNew := renewed.issue(t, callers, "caller", now.Add(-time.Hour), now.Add(time.Hour))
	file := filepath.Join(dir, "roots.pem")
	write(t, file, old.pem)
	k := certs.New(certs.Config{Now: time.Now})
	pair, err := k.Pair("sf1606", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := k.Roots("sf1606 callers", file)
	if err != nil {
		t.Fatal(err)
	}
	server := k.Server(&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}, pair, roots)
	trust := x509.NewCertPool()
	trust.AddCert(old.cert)
	sessions := tls.NewLRUClientSessionCache(8)
	enters := func(what string, cert tls.Certificate, want bool) {
		t.Helper()
		client := &tls.Config{
			RootCAs: trust, ServerName: "localhost", Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12,
			ClientSessionCache: sessions,
		}
		if _, _, err := shake(t.Context(), server, client); (err == nil) != want {
			t.Errorf("%s: %v, want in: %t", what, err, want)
		}
	}
	enters("a caller of the old root", ofOld, true)
	write(t, file, append(append([]byte{}, old.pem...), renewed.pem...))
	k.Check(t.Context())
	enters("a caller of the new root, with both", ofNew, true)
	enters("a caller of the old root, with both", ofOld, true)
	write(t, file, renewed.pem)
	k.Check(t.Context())
	enters("a caller of the old root, which has gone", ofOld, false)
	sessions = tls.NewLRUClientSessionCache(8)
	enters("a caller of the new root", ofNew, true)
	write(t, file, []byte("nothing"))
	k.Check(t.Context())
	enters("a caller of the new root, with a broken file", ofNew, true)
}

// TestHandshakes is the table of who gets a connection.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dir, ca := t.TempDir(), newIssuer(t, "root", now.Add(time.Hour))
	ca.issue(t, dir, "server", now.Add(-time.Hour), now.Add(time.Hour))
	k := certs.New(certs.Config{Now: time.Now})
	pair, err := k.Pair("http", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	// What a careless base says does not weaken it.
	server := k.Server(&tls.Config{MinVersion: tls.VersionTLS10, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, pair, nil)
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	for name, tc := range map[string]struct {
		low, high uint16
		suites    []uint16
		in        bool
	}{
		"TLS 1.0":                    {tls.VersionTLS10, tls.VersionTLS10, nil, false},
		"TLS 1.1":                    {tls.VersionTLS10, tls.VersionTLS11, nil, false},
		"TLS 1.2":                    {tls.VersionTLS12, tls.VersionTLS12, nil, true},
		"TLS 1.3":                    {tls.VersionTLS13, tls.VersionTLS13, nil, true},
		"1.2 AES-GCM":                {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, true},
		"1.2 ChaCha20":               {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}, true},
		"1.2 CBC":                    {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}, false},
		"1.2 CBC SHA-256":            {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}, false},
		"1.2 RC4":                    {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}, false},
		"1.2 no forward secrecy":     {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, false},
		"1.2 3DES":                   {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}, false},
		"falling back from 1.3 to 1": {tls.VersionTLS10, tls.VersionTLS13, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, state, err := shake(t.Context(), server, &tls.Config{
				RootCAs: roots, ServerName: "localhost", MinVersion: tc.low, MaxVersion: tc.high, CipherSuites: tc.suites,
			})
			if (err == nil) != tc.in {
				t.Fatalf("%v, want in: %t", err, tc.in)
			}
			if err == nil && (state.Version < tls.VersionTLS12 || state.Version < tc.high) {
				t.Errorf("agreed on %s", tls.VersionName(state.Version))
			}
		})
	}
}

func TestFilesThatCannotBeReadAtStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := certs.New(certs.Config{Now: time.Now})
	if _, err := k.Pair("http", filepath.Join(dir, "none"), filepath.Join(dir, "none")); err == nil {
		t.Error("a pair that is not there was taken")
	}
	write(t, filepath.Join(dir, "empty"), nil)
	if _, err := k.Roots("http", filepath.Join(dir, "empty")); err == nil {
		t.Error("an empty file of roots was taken")
	}
	if got := k.Warnings(); len(got) != 0 {
		t.Errorf("what was refused is kept: %v", got)
	}
}
