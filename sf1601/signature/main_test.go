package signature_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	clock     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	fixedNow  = func() time.Time { return clock }
	keyOnce   = sync.OnceValue(func() tls.Certificate { return newCertificate("brevdue test system") })
	otherOnce = sync.OnceValue(func() tls.Certificate { return newCertificate("somebody else") })
)

// newUUID gives a random UUID v4.
func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newCertificate makes a self-signed certificate with an RSA-3072 key, the size
// of OCES3.
func newCertificate(name string) tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: clock.AddDate(-1, 0, 0), NotAfter: clock.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		SignatureAlgorithm: x509.SHA256WithRSAPSS, // as OCES3
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// xmlsec1 verifies file in dir (so that relative URIs mean files there) and
// gives what the program says and whether it says OK.
func xmlsec1(t *testing.T, dir, file string) (string, bool) {
	t.Helper()
	program, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("xmlsec1 is not installed, and CI must not pass without it")
		}
		t.Skip("SKIPPED: xmlsec1 is not installed, so another implementation did not check our signatures")
	}
	pemFile := filepath.Join(t.TempDir(), "cert.pem")
	write(t, pemFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: keyOnce().Certificate[0]}))
	cmd := exec.CommandContext(t.Context(), program, "--verify", "--trusted-pem", pemFile, "--id-attr:Id", "Manifest",
		"--verification-gmt-time", clock.Format("2006-01-02 15:04:05"), file)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
