package signature

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Trust says whose signatures are believed. Certificate or Roots is required;
// with both, both must hold.
type Trust struct {
	Certificate   *x509.Certificate // exactly this certificate, whatever its period
	Roots         *x509.CertPool    // a chain to one of these, valid at At
	Intermediates *x509.CertPool    // may complete the chain
	At            time.Time         // when the chain must be valid; required with Roots
}

// Verified is what a signature that holds says.
type Verified struct {
	ID          string            // of the manifest, "" for a signature over documents
	Entries     []Entry           // what is signed, in its order
	Checked     int               // how many of them were compared with a digest given
	Certificate *x509.Certificate // who signed
}

// The families of verification errors.
var (
	// ErrFormat: not a signature of the one shape this package writes. More than
	// one Signature, SignedInfo or Manifest, a DTD, a comment, a transform or an
	// algorithm of another kind (SHA-1 among them): all refused unread.
	ErrFormat = errors.New("not a signature of the expected form")
	// ErrUntrusted: signed by somebody else, or with a certificate that does not chain.
	ErrUntrusted = errors.New("the signer is not trusted")
	// ErrSignature: the signature value or the manifest's digest is wrong.
	ErrSignature = errors.New("the signature does not hold")
	// ErrChanged: a letter given is not listed, or with another digest.
	ErrChanged = errors.New("the bytes are not the signed ones")
)

// maxSignature bounds what is parsed; a manifest of DefaultMax letters is
// about 200 KB.
const maxSignature = 16 << 20

// VerifyManifest checks a manifest made by a Batcher: the signature, the
// signer, and that each of the digests (by reference) is listed with just that
// value. Entries for which no digest is given are other letters of the same
// signature; they are counted out in Verified. At least one digest is required,
// because a check that compares nothing proves nothing about a letter.
func VerifyManifest(signed []byte, trust Trust, digests map[string][32]byte) (*Verified, error) {
	s, err := readSignature(signed)
	if err != nil {
		return nil, err
	}
	id, manifest, err := s.onlyManifest()
	if err != nil {
		return nil, err
	}
	if err := s.verify(trust); err != nil {
		return nil, err
	}
	octets, err := canonicalIn(manifest)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(octets); subtle.ConstantTimeCompare(sum[:], s.references[0].digest[:]) != 1 {
		return nil, fmt.Errorf("%w: digest of the manifest", ErrSignature)
	}
	refs, err := readReferences(manifest.ChildElements())
	if err != nil {
		return nil, err
	}
	return compare(id, refs, s.certificate, digests)
}

// VerifyDocuments checks a signature made by SignDocuments. digests holds the
// files by FileURI; every file signed must be among them.
func VerifyDocuments(signed []byte, trust Trust, digests map[string][32]byte) (*Verified, error) {
	s, err := readSignature(signed)
	if err != nil {
		return nil, err
	}
	if len(s.objects) != 0 {
		return nil, fmt.Errorf("%w: an Object", ErrFormat)
	}
	if err := s.verify(trust); err != nil {
		return nil, err
	}
	v, err := compare("", s.references, s.certificate, digests)
	if err == nil && v.Checked != len(v.Entries) {
		return nil, fmt.Errorf("%w: %d of %d signed files were given", ErrChanged, v.Checked, len(v.Entries))
	}
	return v, err
}

// compare matches the signed references with the digests given.
func compare(id string, refs []signedReference, signer *x509.Certificate, digests map[string][32]byte) (*Verified, error) {
	if len(digests) == 0 {
		return nil, fmt.Errorf("%w: no digest to compare is given", ErrChanged)
	}
	v := &Verified{ID: id, Certificate: signer, Entries: make([]Entry, 0, len(refs))}
	listed := make(map[string]bool, len(refs))
	for _, r := range refs {
		if r.typ != "" || len(r.transforms) != 0 || strings.HasPrefix(r.uri, "#") || r.uri == "" {
			return nil, fmt.Errorf("%w: a reference that is not a file's", ErrFormat)
		}
		if listed[r.uri] {
			return nil, fmt.Errorf("%w: reference %q is listed twice", ErrFormat, r.uri)
		}
		listed[r.uri] = true
		v.Entries = append(v.Entries, Entry{Reference: r.uri, Digest: r.digest})
		want, given := digests[r.uri]
		if !given {
			continue
		}
		if subtle.ConstantTimeCompare(want[:], r.digest[:]) != 1 {
			return nil, fmt.Errorf("%w: %q has another digest", ErrChanged, r.uri)
		}
		v.Checked++
	}
	if v.Checked != len(digests) {
		return nil, fmt.Errorf("%w: %d of %d given are not listed", ErrChanged, len(digests)-v.Checked, len(digests))
	}
	return v, nil
}

// parsedSignature is a ds:Signature read by position, never by searching for an
// Id: what is verified is what is read.
type parsedSignature struct {
	signedInfo  *etree.Element
	references  []signedReference
	value       []byte
	certificate *x509.Certificate
	objects     []*etree.Element
}

type signedReference struct {
	uri, typ   string
	transforms []string
	digest     [32]byte
}

// readSignature accepts a lone ds:Signature of the shape this package writes.
func readSignature(signed []byte) (*parsedSignature, error) {
	if len(signed) > maxSignature {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrFormat, maxSignature)
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: 16, PreserveDuplicateAttrs: true, ValidateInput: true}
	if err := doc.ReadFromBytes(signed); err != nil {
		return nil, fmt.Errorf("%w: not XML: %w", ErrFormat, err)
	}
	if err := onlyElements(&doc.Element); err != nil {
		return nil, err
	}
	root, err := one(doc.ChildElements(), "Signature")
	if err != nil {
		return nil, err
	}
	children := root.ChildElements()
	if len(children) < 3 || !is(children[0], "SignedInfo") || !is(children[1], "SignatureValue") || !is(children[2], "KeyInfo") {
		return nil, fmt.Errorf("%w: want SignedInfo, SignatureValue, KeyInfo", ErrFormat)
	}
	s := &parsedSignature{signedInfo: children[0], objects: children[3:]}
	if s.references, err = readSignedInfo(children[0]); err != nil {
		return nil, err
	}
	if s.value, err = binary(children[1]); err != nil {
		return nil, err
	}
	if s.certificate, err = readKeyInfo(children[2]); err != nil {
		return nil, err
	}
	return s, nil
}

// onlyElements refuses everything but elements and text: a comment can split a
// text, a directive can define an entity.
func onlyElements(el *etree.Element) error {
	seen := map[string]bool{}
	for _, a := range el.Attr {
		if seen[a.FullKey()] {
			return fmt.Errorf("%w: an attribute stands twice", ErrFormat)
		}
		seen[a.FullKey()] = true
	}
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.Element:
			if err := onlyElements(t); err != nil {
				return err
			}
		case *etree.CharData:
		case *etree.ProcInst:
			if t.Target != "xml" || el.Parent() != nil {
				return fmt.Errorf("%w: a processing instruction", ErrFormat)
			}
		default:
			return fmt.Errorf("%w: a comment or a DTD", ErrFormat)
		}
	}
	return nil
}

func readSignedInfo(info *etree.Element) ([]signedReference, error) {
	children := info.ChildElements()
	if len(children) < 3 {
		return nil, fmt.Errorf("%w: SignedInfo is incomplete", ErrFormat)
	}
	if err := wantAlgorithm(children[0], "CanonicalizationMethod", algExcC14N); err != nil {
		return nil, err
	}
	if err := wantAlgorithm(children[1], "SignatureMethod", algRSASHA256); err != nil {
		return nil, err
	}
	return readReferences(children[2:])
}

func readReferences(elements []*etree.Element) ([]signedReference, error) {
	if len(elements) == 0 {
		return nil, fmt.Errorf("%w: no Reference", ErrFormat)
	}
	refs := make([]signedReference, 0, len(elements))
	for _, el := range elements {
		ref, err := readReference(el)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

func readReference(el *etree.Element) (signedReference, error) {
	var ref signedReference
	if !is(el, "Reference") {
		return ref, fmt.Errorf("%w: %s where a Reference belongs", ErrFormat, el.Tag)
	}
	for _, a := range el.Attr {
		switch a.FullKey() {
		case "URI":
			ref.uri = a.Value
		case "Type":
			ref.typ = a.Value
		}
	}
	children := el.ChildElements()
	if len(children) == 3 && is(children[0], "Transforms") {
		for _, t := range children[0].ChildElements() {
			if !is(t, "Transform") || len(t.ChildElements()) != 0 {
				return ref, fmt.Errorf("%w: Transforms", ErrFormat)
			}
			ref.transforms = append(ref.transforms, t.SelectAttrValue("Algorithm", ""))
		}
		children = children[1:]
	}
	if len(children) != 2 || !is(children[1], "DigestValue") {
		return ref, fmt.Errorf("%w: Reference", ErrFormat)
	}
	if err := wantAlgorithm(children[0], "DigestMethod", algSHA256); err != nil {
		return ref, err
	}
	digest, err := binary(children[1])
	if err != nil || len(digest) != sha256.Size {
		return ref, fmt.Errorf("%w: DigestValue", ErrFormat)
	}
	copy(ref.digest[:], digest)
	return ref, nil
}

func readKeyInfo(el *etree.Element) (*x509.Certificate, error) {
	data, err := one(el.ChildElements(), "X509Data")
	if err != nil {
		return nil, err
	}
	holder, err := one(data.ChildElements(), "X509Certificate")
	if err != nil {
		return nil, err
	}
	der, err := binary(holder)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", ErrFormat, err)
	}
	return cert, nil
}

// onlyManifest gives the one ds:Manifest and its id, when the one reference of
// SignedInfo is to just that element.
func (s *parsedSignature) onlyManifest() (string, *etree.Element, error) {
	object, err := one(s.objects, "Object")
	if err != nil {
		return "", nil, err
	}
	manifest, err := one(object.ChildElements(), "Manifest")
	if err != nil {
		return "", nil, err
	}
	attr, prefixed := manifest.SelectAttrValue("Id", ""), ""
	if id, ok := strings.CutPrefix(attr, manifestID); ok {
		prefixed = id
	}
	ref := s.references[0]
	if prefixed == "" || len(s.references) != 1 || ref.uri != "#"+attr || ref.typ != typeManifest ||
		len(ref.transforms) != 1 || ref.transforms[0] != algExcC14N {
		return "", nil, fmt.Errorf("%w: the signature does not refer to its manifest", ErrFormat)
	}
	return prefixed, manifest, nil
}

// verify checks the signer and the signature value over SignedInfo.
func (s *parsedSignature) verify(trust Trust) error {
	if err := trust.check(s.certificate); err != nil {
		return err
	}
	key, ok := s.certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("%w: the signer's key is not RSA", ErrFormat)
	}
	octets, err := canonicalIn(s.signedInfo)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(octets)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.value); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

func (t Trust) check(cert *x509.Certificate) error {
	if t.Certificate == nil && t.Roots == nil {
		return fmt.Errorf("%w: nobody is trusted", ErrUntrusted)
	}
	if t.Certificate != nil && !t.Certificate.Equal(cert) {
		return fmt.Errorf("%w: another certificate signed", ErrUntrusted)
	}
	if t.Roots == nil {
		return nil
	}
	if t.At.IsZero() {
		return fmt.Errorf("%w: no time is given for the chain", ErrUntrusted)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: t.Roots, Intermediates: t.Intermediates, CurrentTime: t.At, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return nil
}

// canonicalIn gives the exclusive canonical form of an element with the
// namespaces that are in scope where it stands.
func canonicalIn(el *etree.Element) ([]byte, error) {
	c := el.Copy() // the canonicaliser changes what it is given
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			declaration := a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns"
			if declaration && c.SelectAttr(a.FullKey()) == nil {
				c.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(c)
	if err != nil {
		return nil, fmt.Errorf("%w: canonical form: %w", ErrFormat, err)
	}
	return out, nil
}

func is(el *etree.Element, tag string) bool {
	return el.Tag == tag && el.NamespaceURI() == dsNamespace
}

func one(elements []*etree.Element, tag string) (*etree.Element, error) {
	if len(elements) != 1 || !is(elements[0], tag) {
		return nil, fmt.Errorf("%w: want exactly one %s", ErrFormat, tag)
	}
	return elements[0], nil
}

func wantAlgorithm(el *etree.Element, tag, name string) error {
	if !is(el, tag) || el.SelectAttrValue("Algorithm", "") != name || len(el.ChildElements()) != 0 {
		return fmt.Errorf("%w: %s must be %s", ErrFormat, tag, name)
	}
	return nil
}

// binary reads base64 text; white space is allowed, as in xs:base64Binary.
func binary(el *etree.Element) ([]byte, error) {
	if len(el.ChildElements()) != 0 {
		return nil, fmt.Errorf("%w: elements in %s", ErrFormat, el.Tag)
	}
	out, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(el.Text()), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not base64", ErrFormat, el.Tag)
	}
	return out, nil
}
