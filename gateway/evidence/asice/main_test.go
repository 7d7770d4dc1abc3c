package asice

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var clock = time.Date(2026, 11, 21, 12, 30, 45, 987_000_000, time.UTC)

// authority is a root, and a certificate under an intermediate of it.
type authority struct {
	pool *x509.CertPool
	root *x509.Certificate
	cert tls.Certificate
}

var (
	ours   = sync.OnceValue(func() authority { return newAuthority("ours") })
	others = sync.OnceValue(func() authority { return newAuthority("others") })
)

func newAuthority(name string) authority {
	issue := func(cn string, parent *x509.Certificate, signer *rsa.PrivateKey) (*x509.Certificate, *rsa.PrivateKey) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(cn))), Subject: pkix.Name{CommonName: cn}, NotBefore: clock.AddDate(-1, 0, 0),
			NotAfter: clock.AddDate(1, 0, 0), SignatureAlgorithm: x509.SHA256WithRSAPSS, BasicConstraintsValid: true,
			IsCA: signer == nil || !strings.HasSuffix(cn, "leaf"), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if parent == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			panic(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		return cert, key
	}
	root, rootKey := issue(name+" root", nil, nil)
	between, betweenKey := issue(name+" issuing", root, rootKey)
	leaf, key := issue(name+" leaf", between, betweenKey)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return authority{pool, root, tls.Certificate{Certificate: [][]byte{leaf.Raw, between.Raw}, PrivateKey: key, Leaf: leaf}}
}

// shortKey is a certificate over an RSA key that nobody should use any more.
func shortKey() tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: clock.AddDate(-1, 0, 0), NotAfter: clock.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// sample is a small container's files.
func sample() []File {
	return []File{
		Bytes("kvittering.html", "text/html", []byte("<!DOCTYPE html><title>Kvittering</title>")),
		Bytes("anmodning/kombi_request.xml", "text/xml", []byte("<kombi_request/>")),
		Bytes("kvitteringer/01.xml", "text/xml", nil),
	}
}

func write(t testing.TB, files []File, opts Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, files, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func signedSample(t testing.TB) []byte {
	t.Helper()
	return write(t, sample(), Options{Certificate: ours().cert, At: clock})
}

// verify gives the failing checks; an error of Open is one of the structure.
func verify(t testing.TB, container []byte) (failed []Check, s *Signed) {
	t.Helper()
	c, err := Open(bytes.NewReader(container), int64(len(container)))
	if err != nil {
		return []Check{{Rule: RuleStructure, File: Structure, Text: err.Error()}}, nil
	}
	checks, s, err := c.Verify(t.Context(), Trust{Roots: ours().pool})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if !check.Passed {
			failed = append(failed, check)
		}
	}
	return failed, s
}

// opener is a file whose content is made up while it is read.
func opener(name string, open func() io.Reader) File {
	return File{Name: name, MediaType: "text/xml", Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(open()), nil
	}}
}
