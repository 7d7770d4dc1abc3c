package sf1601

import (
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// minKeyBits is the smallest RSA key accepted; OCES3 certificates have 3072.
const minKeyBits = 2048

// LoadPEM reads a system certificate (leaf first, intermediates after it) and
// its unencrypted private key from PEM files; one file may serve as both.
// Errors name the role of the file at fault and never show its content.
func LoadPEM(certFile, keyFile string) (tls.Certificate, error) {
	certPEM, err := readRole("certificate file", certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := readRole("key file", keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := wantBlock("certificate file", certFile, certPEM, "CERTIFICATE"); err != nil {
		return tls.Certificate{}, err
	}
	if err := wantBlock("key file", keyFile, keyPEM, "PRIVATE KEY"); err != nil {
		return tls.Certificate{}, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate file %s with key file %s: %w", certFile, keyFile, err)
	}
	return usable(cert, "certificate file "+certFile)
}

// LoadPKCS12 reads a system certificate with key and chain from a .p12 or .pfx
// file (legacy and modern encryption). The password is the first line of
// passwordFile; "" means an empty password.
func LoadPKCS12(file, passwordFile string) (tls.Certificate, error) {
	data, err := readRole("PKCS#12 file", file)
	if err != nil {
		return tls.Certificate{}, err
	}
	var password string
	if passwordFile != "" {
		line, err := readRole("PKCS#12 password file", passwordFile)
		if err != nil {
			return tls.Certificate{}, err
		}
		password, _, _ = strings.Cut(string(line), "\n")
		password = strings.TrimSuffix(password, "\r")
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return tls.Certificate{}, fmt.Errorf("PKCS#12 file %s: the password in the password file %q does not open it", file, passwordFile)
	case err != nil:
		return tls.Certificate{}, fmt.Errorf("PKCS#12 file %s: %w", file, err)
	}
	cert := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, c := range chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return usable(cert, "PKCS#12 file "+file)
}

func readRole(role, file string) ([]byte, error) {
	if file == "" {
		return nil, fmt.Errorf("%s: no file is named", role)
	}
	data, err := os.ReadFile(file) //nolint:gosec // the operator names the file in the configuration
	if err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	return data, nil
}

// wantBlock checks that a PEM file holds a block whose type ends in suffix, so
// that swapped files, encrypted keys and DER files are told apart.
func wantBlock(role, file string, data []byte, suffix string) error {
	var seen []string
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
			const remedy = "use an unencrypted key with file permissions, or PKCS#12 with a password file"
			return fmt.Errorf("%s %s: the key is encrypted; %s", role, file, remedy)
		}
		if strings.HasSuffix(block.Type, suffix) {
			return nil
		}
		seen = append(seen, block.Type)
	}
	if seen == nil {
		return fmt.Errorf("%s %s: no PEM block found (a .p12/.pfx file belongs in pkcs12_file)", role, file)
	}
	return fmt.Errorf("%s %s: holds %s, want a %s block", role, file, strings.Join(seen, ", "), suffix)
}

// usable checks that the key is the certificate's own RSA key and fills Leaf.
func usable(cert tls.Certificate, source string) (tls.Certificate, error) {
	if err := complete(&cert); err != nil {
		return tls.Certificate{}, fmt.Errorf("%s: %w", source, err)
	}
	return cert, nil
}

// complete fills cert.Leaf and checks that certificate and key belong together
// and are RSA: OCES3 system certificates are, and the STS knows nothing else.
func complete(cert *tls.Certificate) error {
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return errors.New("a system certificate with its private key is required")
	}
	if cert.Leaf == nil {
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			return fmt.Errorf("certificate does not parse: %w", err)
		}
		cert.Leaf = leaf
	}
	public, ok := cert.Leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the certificate has an %s key; OCES3 system certificates are RSA", cert.Leaf.PublicKeyAlgorithm)
	}
	if public.N.BitLen() < minKeyBits {
		return fmt.Errorf("the certificate's RSA key has %d bits; at least %d are required", public.N.BitLen(), minKeyBits)
	}
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || !public.Equal(signer.Public()) {
		return errors.New("the private key does not belong to the certificate")
	}
	return nil
}

// CertificateError says that a system certificate cannot be used now.
type CertificateError struct {
	NotBefore, NotAfter time.Time // its period of validity
	Now                 time.Time // when it was checked
	Hint                string    // what an operator can do
}

// Error names the period and the time of the check.
func (e *CertificateError) Error() string {
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
	if e.Now.Before(e.NotBefore) {
		return fmt.Sprintf("the system certificate is not valid until %s (now %s)", stamp(e.NotBefore), stamp(e.Now))
	}
	return fmt.Sprintf("the system certificate expired %s (now %s)", stamp(e.NotAfter), stamp(e.Now))
}

// CheckCertificate says whether a system certificate is within its period of
// validity at now: nil, or a *CertificateError with a hint.
func CheckCertificate(cert tls.Certificate, now time.Time) error {
	if err := complete(&cert); err != nil {
		return err
	}
	e := &CertificateError{NotBefore: cert.Leaf.NotBefore, NotAfter: cert.Leaf.NotAfter, Now: now}
	switch {
	case now.Before(cert.Leaf.NotBefore):
		e.Hint = "Check this machine's clock; otherwise use the certificate that is valid today."
		return e
	case now.After(cert.Leaf.NotAfter):
		e.Hint = "Order a new OCES3 system certificate in MitID Erhverv, upload it on the Anvendersystem " +
			"in Fælleskommunalt Administrationsmodul, and name its file in the configuration."
		return e
	}
	return nil
}
