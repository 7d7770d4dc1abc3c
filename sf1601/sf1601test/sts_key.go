package sf1601test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// FileSTS is the certificate the simulator's STS signs its assertions with, for
// clients that verify them.
const FileSTS = "sts.pem"

// STSCertificate is what the STS signs its assertions with. Its key is the
// authority's own, which saves making a third.
func (a *Authority) STSCertificate() tls.Certificate { return a.sts }

// issueSTS makes the STS's certificate, good as long as the authority's.
func (a *Authority) issueSTS() error {
	template := &x509.Certificate{
		Subject:   subject("55133018", "brevdue simulator STS"),
		NotBefore: a.caCert.NotBefore, NotAfter: a.caCert.NotAfter, SignatureAlgorithm: x509.SHA256WithRSAPSS,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	var err error
	a.sts, err = a.issue(template, a.caKey)
	return err
}

// loadSTS takes the STS's certificate from dir, or makes one and writes it: an
// authority of an earlier version has none.
func (a *Authority) loadSTS(dir string) error {
	file := filepath.Join(dir, FileSTS)
	pair, err := tls.LoadX509KeyPair(file, filepath.Join(dir, fileCAKey))
	if err == nil && a.caKey.PublicKey.Equal(pair.Leaf.PublicKey) {
		a.sts = pair
		return nil
	}
	if err := a.issueSTS(); err != nil {
		return err
	}
	return replaceFile(file, block("CERTIFICATE", a.sts.Certificate[0]), 0o644)
}

// signAssertion puts an enveloped signature behind the Issuer of an assertion
// that is written in canonical form.
func (a *Authority) signAssertion(id, assertion string) (string, error) {
	const behind = "</saml:Issuer>"
	issuer, rest, ok := strings.Cut(assertion, behind)
	key, isRSA := a.sts.PrivateKey.(*rsa.PrivateKey)
	if !ok || !isRSA {
		return "", errors.New("sf1601test: an assertion without Issuer, or no key of the STS")
	}
	digest := sha256.Sum256([]byte(assertion))
	info := `<ds:SignedInfo xmlns:ds="` + nsDS + `"><ds:CanonicalizationMethod Algorithm="` + algExcC14N +
		`"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` + algRSASHA256 + `"></ds:SignatureMethod>` +
		`<ds:Reference URI="#` + id + `"><ds:Transforms><ds:Transform Algorithm="` + nsDS + `enveloped-signature"></ds:Transform>` +
		`<ds:Transform Algorithm="` + algExcC14N + `"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="` + algSHA256 +
		`"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) +
		`</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	sum := sha256.Sum256([]byte(info))
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sf1601test: sign the assertion: %w", err)
	}
	return issuer + behind + `<ds:Signature xmlns:ds="` + nsDS + `">` + info + `<ds:SignatureValue>` +
		base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` +
		base64.StdEncoding.EncodeToString(a.sts.Certificate[0]) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>` + rest, nil
}
