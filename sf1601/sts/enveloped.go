package sts

import (
	"crypto"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Names of XML-DSig. [src: XMLDSIG section 6]
const (
	dsNamespace  = "http://www.w3.org/2000/09/xmldsig#"
	algExcC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#" // also the namespace of InclusiveNamespaces
	algEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	algRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
)

// signatureHash gives the hash of the signature methods taken: RSA (PKCS#1
// v1.5) with SHA-256 and up.
func signatureHash(method string) (crypto.Hash, bool) {
	switch method {
	case algRSASHA256:
		return crypto.SHA256, true
	case "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384":
		return crypto.SHA384, true
	case "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":
		return crypto.SHA512, true
	}
	return 0, false
}

// digestHash gives the hash of the digest methods taken.
func digestHash(method string) (crypto.Hash, bool) {
	switch method {
	case algSHA256:
		return crypto.SHA256, true
	case "http://www.w3.org/2001/04/xmldsig-more#sha384":
		return crypto.SHA384, true
	case "http://www.w3.org/2001/04/xmlenc#sha512":
		return crypto.SHA512, true
	}
	return 0, false
}

// minRSABits is the smallest key of an STS that is taken.
const minRSABits = 2048

// usableSTS says why a certificate cannot be one that assertions are verified
// with. How the certificate itself is signed (OCES3: RSASSA-PSS) is no matter.
func usableSTS(c *x509.Certificate) error {
	if c == nil {
		return errors.New("there is none")
	}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("its key is %s, want RSA", c.PublicKeyAlgorithm)
	}
	if bits := key.N.BitLen(); bits < minRSABits {
		return fmt.Errorf("its key has %d bits, want %d at least", bits, minRSABits)
	}
	return nil
}

// envelope is the signature of an assertion, read by position and never by
// searching for an id: what is verified is what is read.
type envelope struct {
	signature  *etree.Element
	signedInfo *etree.Element
	hash       crypto.Hash // of the signature
	value      []byte
	digestHash crypto.Hash
	digest     []byte
	prefixes   string // InclusiveNamespaces/@PrefixList of the reference
}

// verifyEnveloped checks the one signature of an assertion and gives the octets
// it is over, in canonical form, and the certificate whose key made it.
func verifyEnveloped(root *etree.Element, trusted []*x509.Certificate) ([]byte, *x509.Certificate, error) {
	e, err := readEnvelope(root)
	if err != nil {
		return nil, nil, err
	}
	signer, err := e.signer(trusted)
	if err != nil {
		return nil, nil, err
	}
	content := root.Copy() // the canonicaliser changes what it is given
	content.RemoveChildAt(e.signature.Index())
	octets, err := exclusive(content, e.prefixes)
	if err != nil {
		return nil, nil, err
	}
	h := e.digestHash.New()
	_, _ = h.Write(octets) // never fails: hash.Hash
	if subtle.ConstantTimeCompare(h.Sum(nil), e.digest) != 1 {
		return nil, nil, fmt.Errorf("%w: it was changed after it was signed", ErrUntrusted)
	}
	return octets, signer, nil
}

// signer finds whose key made the signature value over SignedInfo.
func (e *envelope) signer(trusted []*x509.Certificate) (*x509.Certificate, error) {
	octets, err := exclusive(inScope(e.signedInfo), "")
	if err != nil {
		return nil, err
	}
	h := e.hash.New()
	_, _ = h.Write(octets) // never fails: hash.Hash
	sum := h.Sum(nil)
	for _, c := range trusted {
		if usableSTS(c) != nil {
			continue
		}
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && rsa.VerifyPKCS1v15(key, e.hash, sum, e.value) == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: none of the %d certificates configured for the STS made it", ErrUntrusted, len(trusted))
}

var ncName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// readEnvelope finds the signature of an assertion and checks its form.
func readEnvelope(root *etree.Element) (*envelope, error) {
	id := root.SelectAttrValue("ID", "")
	if !ncName.MatchString(id) {
		return nil, fmt.Errorf("%w: the Assertion has no usable ID", ErrAssertion)
	}
	if err := alone(root); err != nil {
		return nil, err
	}
	signature, err := child(root, dsNamespace, "Signature")
	if err != nil {
		return nil, err
	}
	parts := signature.ChildElements()
	if len(parts) == 3 && named(parts[2], dsNamespace, "KeyInfo") {
		parts = parts[:2] // who signed is for the configuration to say
	}
	if len(parts) != 2 || !named(parts[0], dsNamespace, "SignedInfo") || !named(parts[1], dsNamespace, "SignatureValue") {
		return nil, fmt.Errorf("%w: want SignedInfo, SignatureValue and at most KeyInfo in the Signature", ErrAssertion)
	}
	e := &envelope{signature: signature, signedInfo: parts[0]}
	if e.value, err = binary(parts[1]); err != nil {
		return nil, err
	}
	return e, e.readSignedInfo("#" + id)
}

// alone refuses whatever a second reader could take for the assertion, for its
// signature, or for the element that the reference names.
func alone(root *etree.Element) error {
	ids := map[string]bool{}
	var walk func(el *etree.Element, depth int) error
	walk = func(el *etree.Element, depth int) error {
		switch {
		case el.Tag == "Assertion" && depth > 0:
			return fmt.Errorf("%w: an Assertion within the Assertion", ErrAssertion)
		case el.Tag == "Signature" && depth != 1:
			return fmt.Errorf("%w: a Signature that is not the Assertion's own", ErrAssertion)
		}
		for _, a := range el.Attr {
			if a.Space == "xmlns" || !strings.EqualFold(a.Key, "id") {
				continue
			}
			if ids[a.Value] {
				return fmt.Errorf("%w: an ID stands twice", ErrAssertion)
			}
			ids[a.Value] = true
		}
		for _, c := range el.ChildElements() {
			if err := walk(c, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(root, 0)
}

// readSignedInfo takes one reference, to uri, with the transforms every
// enveloped signature of SAML has. [src: SAML-2.0 core, 5.4]
func (e *envelope) readSignedInfo(uri string) error {
	parts := e.signedInfo.ChildElements()
	if len(parts) != 3 || !named(parts[2], dsNamespace, "Reference") {
		return fmt.Errorf("%w: want exactly one Reference in SignedInfo", ErrAssertion)
	}
	if method, err := algorithm(parts[0], "CanonicalizationMethod"); err != nil || method != algExcC14N {
		return fmt.Errorf("%w: CanonicalizationMethod is not exclusive C14N", ErrAssertion)
	}
	method, err := algorithm(parts[1], "SignatureMethod")
	if err != nil {
		return err
	}
	var ok bool
	if e.hash, ok = signatureHash(method); !ok {
		return fmt.Errorf("%w: SignatureMethod is not RSA with SHA-256, -384 or -512", ErrAssertion)
	}
	reference := parts[2]
	if reference.SelectAttrValue("URI", "") != uri {
		return fmt.Errorf("%w: the Reference is not to the Assertion", ErrAssertion)
	}
	parts = reference.ChildElements()
	if len(parts) != 3 || !named(parts[0], dsNamespace, "Transforms") || !named(parts[2], dsNamespace, "DigestValue") {
		return fmt.Errorf("%w: want Transforms, DigestMethod and DigestValue in the Reference", ErrAssertion)
	}
	if e.prefixes, err = transforms(parts[0]); err != nil {
		return err
	}
	if method, err = algorithm(parts[1], "DigestMethod"); err != nil {
		return err
	}
	if e.digestHash, ok = digestHash(method); !ok {
		return fmt.Errorf("%w: DigestMethod is not SHA-256, -384 or -512", ErrAssertion)
	}
	e.digest, err = binary(parts[2])
	return err
}

// transforms takes enveloped-signature and then exclusive C14N, and gives the
// latter's PrefixList.
func transforms(list *etree.Element) (string, error) {
	wrong := fmt.Errorf("%w: the transforms are not enveloped-signature and exclusive C14N", ErrAssertion)
	parts := list.ChildElements()
	if len(parts) != 2 {
		return "", wrong
	}
	if method, err := algorithm(parts[0], "Transform"); err != nil || method != algEnveloped {
		return "", wrong
	}
	c14n := parts[1]
	if !named(c14n, dsNamespace, "Transform") || c14n.SelectAttrValue("Algorithm", "") != algExcC14N {
		return "", wrong
	}
	switch inner := c14n.ChildElements(); {
	case len(inner) == 0:
		return "", nil
	case len(inner) != 1 || !named(inner[0], algExcC14N, "InclusiveNamespaces") || len(inner[0].ChildElements()) != 0:
		return "", wrong
	default:
		return inner[0].SelectAttrValue("PrefixList", ""), nil
	}
}

// algorithm gives the Algorithm of an element of that name without content.
func algorithm(el *etree.Element, tag string) (string, error) {
	if !named(el, dsNamespace, tag) || len(el.ChildElements()) != 0 {
		return "", fmt.Errorf("%w: %s", ErrAssertion, tag)
	}
	return el.SelectAttrValue("Algorithm", ""), nil
}

// inScope copies an element and gives the copy the namespaces of its parents.
func inScope(el *etree.Element) *etree.Element {
	c := el.Copy()
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			declaration := a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns"
			if declaration && c.SelectAttr(a.FullKey()) == nil {
				c.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return c
}

// exclusive gives the exclusive canonical form of a copy.
func exclusive(c *etree.Element, prefixes string) ([]byte, error) {
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes).Canonicalize(c)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no canonical form", ErrAssertion) // the library's text may quote the assertion
	}
	return out, nil
}
