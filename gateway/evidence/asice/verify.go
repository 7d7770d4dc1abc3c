package asice

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"
)

// The RSA keys that are believed. A key without an upper bound would be work without one.
const (
	minKeyBits = 2048
	maxKeyBits = 16384
	maxDER     = 16 << 10 // bytes of a certificate
)

// Trust says whose signatures are believed.
type Trust struct {
	// Roots are the certificates that a chain must end at. nil: nobody is trusted, and no container verifies.
	Roots *x509.CertPool
}

// Signed is what a signature says that holds.
type Signed struct {
	At    time.Time           // SigningTime, by the signer's clock
	Chain []*x509.Certificate // the signer first
	// Digests are the SHA-256 of the files as they are in the container, by name: of those only that agree with the
	// signature.
	Digests map[string][sha256.Size]byte
}

// Verify checks mimetype, list, signature, chain and every file, each of which is read once, in pieces. It gives a check
// for each, and what the signature says; nil when that cannot be read or does not hold. The error is one of reading or of
// ctx alone.
func (c *Container) Verify(ctx context.Context, trust Trust) ([]Check, *Signed, error) {
	v := verification{c: c}
	v.note(RuleStructure, Structure, nil, fmt.Sprintf("the ZIP file holds %d files and not a byte beside them", len(c.entries)))
	document, err := c.own(nameSignatures)
	if err != nil {
		return nil, nil, err
	}
	s, wrong := readSigned(document)
	if !v.note(RuleSignature, nameSignatures, wrong, "it has the form of a XAdES signature of this program") {
		return v.checks, nil, nil
	}
	chain, err := s.verify()
	v.note(RuleSignature, nameSignatures, err, "the signature over the digests of all files holds")
	holds := err == nil
	if len(chain) > 0 {
		v.note(RuleChain, nameSignatures, trust.check(chain, s.at),
			"the signer's certificate was valid when it signed, and chains to a trusted root")
	}
	if err := v.own(s); err != nil {
		return nil, nil, err
	}
	digests, err := v.files(ctx, s)
	if err != nil || !holds {
		return v.checks, nil, err
	}
	return v.checks, &Signed{At: s.at, Chain: chain, Digests: digests}, nil
}

// verification is one call of Verify.
type verification struct {
	c      *Container
	checks []Check
}

// note adds a check, and reports whether it holds.
func (v *verification) note(rule Rule, file string, err error, good string) bool {
	check := Check{Rule: rule, File: file, Passed: err == nil, Text: good}
	if err != nil {
		check.Text = err.Error()
	}
	v.checks = append(v.checks, check)
	return check.Passed
}

// own reads a file that belongs to the container; one that is too large is as good as an empty one.
func (c *Container) own(name string) ([]byte, error) {
	b, err := c.Read(name, maxOwn)
	if errors.Is(err, ErrTooLarge) {
		return nil, nil
	}
	return b, err
}

// own checks what belongs to the container and is not signed: there is but one text that each can have.
func (v *verification) own(s *signed) error {
	for _, f := range []struct {
		name string
		want []byte
		good string
	}{
		{nameMimetype, []byte(typeMimetype), "it says " + typeMimetype},
		{nameManifest, s.manifest(), "it lists the files that are signed"},
	} {
		got, err := v.c.own(f.name)
		if err != nil {
			return err
		}
		var wrong error
		if !bytes.Equal(got, f.want) {
			wrong = errors.New("it is not what it must be, which follows from the signature")
		}
		v.note(RuleContainer, f.name, wrong, f.good)
	}
	at, err := newStamp(s.at)
	if err != nil || at != v.c.at {
		v.note(RuleStructure, Structure, errors.New("the times of the files are not the time of the signature"), "")
	}
	return nil
}

// files compares every file with the signature, and gives the digests that agree.
func (v *verification) files(ctx context.Context, s *signed) (map[string][sha256.Size]byte, error) {
	listed := make(map[string][sha256.Size]byte, len(s.files))
	good := make(map[string][sha256.Size]byte, len(s.files))
	for _, f := range s.files {
		listed[f.name] = f.digest
		if v.c.byName[f.name] == nil {
			v.note(RuleListed, f.name, errors.New("it is signed, and not in the container"), "")
		}
	}
	buffer := make([]byte, 64<<10)
	ordered := len(s.files) == len(v.c.entries)-3
	for i := range v.c.entries {
		e := &v.c.entries[i]
		sum, err := copySums(ctx, io.Discard, v.c.Open(e.name), buffer)
		if err != nil {
			return nil, fmt.Errorf("asice: %s: %w", e.name, err)
		}
		var wrong error
		if i >= 1 && i < len(v.c.entries)-2 {
			want, found := listed[e.name]
			ordered = ordered && s.files[i-1].name == e.name
			switch {
			case !found:
				v.note(RuleListed, e.name, errors.New("it is in the container, and not signed"), "")
				continue
			case sum.sha != want:
				wrong = errors.New("its bytes are not those that were signed")
			default:
				good[e.name] = sum.sha
			}
			v.note(RuleDigest, e.name, wrong, "its SHA-256 is the one that was signed")
		}
		if wrong == nil && sum.crc != e.crc {
			v.note(RuleStructure, Structure, fmt.Errorf("the CRC-32 of %s in the directory is wrong", e.name), "")
		}
	}
	if !ordered {
		v.note(RuleStructure, Structure, errors.New("the files are not those of the signature, in its order"), "")
	}
	return good, nil
}

// verify checks the signature by itself: the signed properties, the certificates they name, and the value.
func (s *signed) verify() ([]*x509.Certificate, error) {
	chain := make([]*x509.Certificate, len(s.chain))
	for i, der := range s.chain {
		if len(der) > maxDER {
			return nil, fmt.Errorf("a certificate in it has more than %d bytes", maxDER)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, errors.New("a certificate in it cannot be read")
		}
		chain[i] = cert
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < minKeyBits || key.N.BitLen() > maxKeyBits {
		return nil, fmt.Errorf("the signer's key is not RSA of %d to %d bits", minKeyBits, maxKeyBits)
	}
	if s.props != sha256.Sum256(s.properties()) {
		return chain, errors.New("the signed properties (time, certificates, media types) were changed")
	}
	sum := sha256.Sum256(s.info())
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.value); err != nil {
		return chain, errors.New("the signature does not hold: the list of digests, the signature value or the certificate was changed")
	}
	return chain, nil
}

// check says whether the chain was good at a time.
func (t Trust) check(chain []*x509.Certificate, at time.Time) error {
	if t.Roots == nil {
		return errors.New("the signer's chain was not checked, since no root is trusted")
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: t.Roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("the signer is not trusted: %w", err)
	}
	return nil
}
