package signature

import (
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	dsig "github.com/russellhaering/goxmldsig"
)

// Key signs with a system certificate: RSA-SHA256 (PKCS#1 v1.5), the
// certificate in KeyInfo. It is safe for concurrent use.
type Key struct {
	context *dsig.SigningContext
	leaf    *x509.Certificate
	chain   [][]byte // DER, leaf first
}

// NewKey takes a system certificate with its RSA key.
func NewKey(cert tls.Certificate) (*Key, error) {
	if len(cert.Certificate) == 0 {
		return nil, errors.New("signature: no certificate")
	}
	leaf := cert.Leaf
	if leaf == nil {
		parsed, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			return nil, fmt.Errorf("signature: certificate: %w", err)
		}
		leaf = parsed
	}
	public, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("signature: the certificate's key is %s, want RSA", leaf.PublicKeyAlgorithm)
	}
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || !public.Equal(signer.Public()) {
		return nil, errors.New("signature: the private key does not belong to the certificate")
	}
	ctx, err := dsig.NewSigningContext(signer, cert.Certificate[:1])
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	if err := ctx.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return &Key{context: ctx, leaf: leaf, chain: cert.Certificate}, nil
}

// Certificate is the certificate whose key signs.
func (k *Key) Certificate() *x509.Certificate { return k.leaf }
