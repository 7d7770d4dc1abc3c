package sf1601_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/brevdue/brevdue/sf1601"
)

// folder writes the files of a test.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestLoadPEM(t *testing.T) {
	t.Parallel()
	cert, other := certificate(), newCertificate(now, now.AddDate(1, 0, 0))
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	ecDER, err := x509.CreateCertificate(rand.Reader, template, template, ec.Public(), ec)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	leaf := block("CERTIFICATE", cert.Certificate[0])
	dir := folder(t, map[string][]byte{
		"cert.pem": leaf, "key.pem": block("PRIVATE KEY", key), "both.pem": append(block("PRIVATE KEY", key), leaf...),
		"other.pem": block("CERTIFICATE", other.Certificate[0]), "encrypted.pem": block("ENCRYPTED PRIVATE KEY", key),
		"cert.der": cert.Certificate[0], "ec.pem": append(block("PRIVATE KEY", ecKey), block("CERTIFICATE", ecDER)...),
		"garbage.pem": block("CERTIFICATE", []byte("garbage")),
	})
	for _, c := range []struct{ cert, key, want string }{
		{"cert.pem", "key.pem", ""},
		{"both.pem", "both.pem", ""},
		{"", "key.pem", "certificate file: no file is named"},
		{"cert.pem", "", "key file: no file is named"},
		{"missing.pem", "key.pem", "certificate file: open"},
		{"cert.pem", "missing.pem", "key file: open"},
		{"key.pem", "cert.pem", "holds PRIVATE KEY, want a CERTIFICATE block"},
		{"cert.pem", "cert.pem", "holds CERTIFICATE, want a PRIVATE KEY block"},
		{"cert.der", "key.pem", "no PEM block found"},
		{"cert.pem", "encrypted.pem", "the key is encrypted"},
		{"other.pem", "key.pem", "does not match"},
		{"garbage.pem", "key.pem", "certificate file"},
		{"ec.pem", "ec.pem", "RSA"},
	} {
		path := func(name string) string {
			if name == "" {
				return ""
			}
			return filepath.Join(dir, name)
		}
		got, err := sf1601.LoadPEM(path(c.cert), path(c.key))
		switch {
		case c.want == "" && (err != nil || got.Leaf == nil):
			t.Errorf("%s, %s: %v", c.cert, c.key, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s, %s: %v, want %q", c.cert, c.key, err, c.want)
		}
	}
}

func TestLoadPKCS12(t *testing.T) {
	t.Parallel()
	cert := certificate()
	modern, err := pkcs12.Modern.Encode(cert.PrivateKey, cert.Leaf, nil, "hemmelig")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := pkcs12.Legacy.Encode(cert.PrivateKey, cert.Leaf, []*x509.Certificate{cert.Leaf}, "hemmelig")
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string][]byte{"modern.p12": modern, "legacy.p12": legacy, "password": []byte("hemmelig\r\nanother line\n"), "wrong": []byte("x"), "garbage.p12": []byte("garbage")})
	for _, c := range []struct{ file, password, want string }{
		{"modern.p12", "password", ""},
		{"legacy.p12", "password", ""},
		{"modern.p12", "wrong", "the password in the password file"},
		{"missing.p12", "password", "PKCS#12 file: open"},
		{"modern.p12", "missing", "PKCS#12 password file: open"},
		{"garbage.p12", "password", "PKCS#12 file"},
	} {
		got, err := sf1601.LoadPKCS12(filepath.Join(dir, c.file), filepath.Join(dir, c.password))
		switch {
		case c.want == "" && (err != nil || !got.Leaf.Equal(cert.Leaf)):
			t.Errorf("%s: %v", c.file, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hemmelig")):
			t.Errorf("%s: %v, want %q", c.file, err, c.want)
		}
	}
}

func TestCheckCertificate(t *testing.T) {
	t.Parallel()
	cert := certificate()
	for name, c := range map[string]struct {
		at   time.Time
		want string
	}{
		"valid":         {now, ""},
		"expired":       {now.AddDate(1, 0, 1), "the system certificate expired 2027-11-21 12:00 UTC"},
		"not yet valid": {now.AddDate(-1, 0, -1), "the system certificate is not valid until 2025-11-21 12:00 UTC"},
	} {
		err := sf1601.CheckCertificate(cert, c.at)
		var period *sf1601.CertificateError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.As(err, &period) || period.Hint == "" || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := sf1601.CheckCertificate(tls.Certificate{}, now); err == nil {
		t.Error("no certificate is accepted")
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*sf1601.Config){
		"endpoint STS":  func(c *sf1601.Config) { c.Endpoints.STS = "http://127.0.0.1" },
		"endpoint Base": func(c *sf1601.Config) { c.Endpoints.Base = "https://127.0.0.1/service" },
		"certificate":   func(c *sf1601.Config) { c.Certificate = tls.Certificate{} },
		"CVR":           func(c *sf1601.Config) { c.CVR = "5513301" },
		"Signer":        func(*sf1601.Config) {},
	} {
		cfg := sf1601.Config{Endpoints: sf1601.Endpoints{STS: "https://sts.example:1", Base: "https://base.example/"}, Certificate: certificate(), CVR: "55133018"}
		change(&cfg)
		if _, err := sf1601.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestEnvironments(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"prod", "exttest", "sim"} {
		e, err := sf1601.Environment(name)
		if err != nil || e.Validate() != nil {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	if _, err := sf1601.Environment("production"); err == nil {
		t.Error("an unknown environment is accepted")
	}
}
