package signature

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Mode says where the signature of a letter lives. Evidence is the same in all
// three: the manifest over the bytes that left is always kept.
type Mode string

// The modes.
const (
	// Detached keeps the signature here; nothing is added to the request.
	Detached Mode = "detached"
	// TechnicalDocument adds a signature over the letter's files to the MeMo.
	TechnicalDocument Mode = "technical-document"
	// Enveloped puts a ds:Signature last in the kombi_request.
	Enveloped Mode = "enveloped"
)

// Valid says whether m is one of the modes.
func (m Mode) Valid() bool { return m == Detached || m == TechnicalDocument || m == Enveloped }

// Entry is one letter in a manifest.
type Entry struct {
	Reference string   // opaque id: 1-100 of A-Z a-z 0-9 - _ . ~, no personal data
	Digest    [32]byte // SHA-256 of the exact bytes to be sent
	// Skeleton goes to Keep as it is; it is no part of the manifest.
	Skeleton []byte
}

// Manifest is a signed list of letters.
type Manifest struct {
	ID       string    // UUID, also in the Id of the ds:Manifest
	XML      []byte    // ds:Signature holding the ds:Manifest, canonical, UTF-8
	Entries  []Entry   // in the order of the ds:Manifest
	SignedAt time.Time // UTC, when the signature was made; not itself signed
}

// Names of XML-DSig (W3C XML Signature Syntax and Processing 1.1).
const (
	dsNamespace  = "http://www.w3.org/2000/09/xmldsig#"
	algExcC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	algRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	typeManifest = "http://www.w3.org/2000/09/xmldsig#Manifest"
	manifestID   = "manifest-" // an Id is an NCName: it must not start with a digit
)

// maxReference bounds the opaque id of a letter.
const maxReference = 100

// sign makes the signed manifest of the entries.
func (k *Key) sign(ctx context.Context, id string, entries []Entry, now time.Time) (*Manifest, error) {
	if len(entries) == 0 {
		return nil, errors.New("signature: a manifest needs at least one letter")
	}
	manifest := element("Manifest")
	manifest.CreateAttr("Id", manifestID+id)
	for _, e := range entries {
		manifest.AddChild(reference(e.Reference, "", nil, e.Digest))
	}
	canonical, err := canonicalize(ctx, manifest)
	if err != nil {
		return nil, err
	}
	ref := reference("#"+manifestID+id, typeManifest, []string{algExcC14N}, sha256.Sum256(canonical))
	object := element("Object")
	object.AddChild(manifest)
	out, err := k.signature(ctx, []*etree.Element{ref}, object)
	if err != nil {
		return nil, err
	}
	return &Manifest{ID: id, XML: out, Entries: entries, SignedAt: now.UTC()}, nil
}

// signature signs a SignedInfo of the references and gives the whole
// ds:Signature in exclusive canonical form.
func (k *Key) signature(ctx context.Context, references []*etree.Element, objects ...*etree.Element) ([]byte, error) {
	info := element("SignedInfo")
	algorithm(info, "CanonicalizationMethod", algExcC14N)
	algorithm(info, "SignatureMethod", algRSASHA256)
	for _, r := range references {
		info.AddChild(r)
	}
	octets, err := canonicalSignedInfo(info)
	if err != nil {
		return nil, err
	}
	value, err := k.context.SignString(string(octets)) // hashes, then signs
	if err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	root := element("Signature")
	root.AddChild(info)
	add(root, "SignatureValue", base64.StdEncoding.EncodeToString(value))
	data := element("X509Data")
	add(data, "X509Certificate", base64.StdEncoding.EncodeToString(k.leaf.Raw))
	keyInfo := element("KeyInfo")
	keyInfo.AddChild(data)
	root.AddChild(keyInfo)
	for _, o := range objects {
		root.AddChild(o)
	}
	return canonicalize(ctx, root)
}

// reference makes a ds:Reference. It has no namespace declaration of its own.
func reference(uri, typ string, transforms []string, digest [32]byte) *etree.Element {
	ref := element("Reference")
	if typ != "" {
		ref.CreateAttr("Type", typ)
	}
	ref.CreateAttr("URI", uri)
	if len(transforms) > 0 {
		list := element("Transforms")
		for _, t := range transforms {
			algorithm(list, "Transform", t)
		}
		ref.AddChild(list)
	}
	algorithm(ref, "DigestMethod", algSHA256)
	add(ref, "DigestValue", base64.StdEncoding.EncodeToString(digest[:]))
	return ref
}

func element(tag string) *etree.Element {
	el := etree.NewElement(tag)
	el.Space = "ds"
	return el
}

func add(parent *etree.Element, tag, text string) {
	el := element(tag)
	el.SetText(text)
	parent.AddChild(el)
}

func algorithm(parent *etree.Element, tag, name string) {
	el := element(tag)
	el.CreateAttr("Algorithm", name)
	parent.AddChild(el)
}

// canonicalize gives the exclusive canonical form of an element made here.
func canonicalize(ctx context.Context, el *etree.Element) ([]byte, error) {
	el.CreateAttr("xmlns:ds", dsNamespace)
	doc, err := xmlstream.New(el, nil)
	if err != nil {
		return nil, fmt.Errorf("signature: canonical form: %w", err)
	}
	doc = doc.Canonical()
	out := make([]byte, doc.Size())
	r := doc.Open(ctx)
	defer func() { _ = r.Close() }()
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, fmt.Errorf("signature: canonical form: %w", err)
	}
	return out, nil
}

// canonicalSignedInfo is canonicalize by the library whose key signs. It works
// on a copy, because the canonicaliser changes what it is given.
func canonicalSignedInfo(info *etree.Element) ([]byte, error) {
	c := info.Copy()
	c.CreateAttr("xmlns:ds", dsNamespace)
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(c)
	if err != nil {
		return nil, fmt.Errorf("signature: canonical form: %w", err)
	}
	return out, nil
}

// ErrReference is the family of references that cannot stand in a manifest.
var ErrReference = errors.New("signature: not a usable reference")

// CheckReference refuses ids that would not survive as a relative URI.
func CheckReference(ref string) error {
	if ref == "" || len(ref) > maxReference {
		return fmt.Errorf("%w: %d characters, want 1-%d", ErrReference, len(ref), maxReference)
	}
	for i := range len(ref) {
		c := ref[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case (c == '-' || c == '_' || c == '.' || c == '~') && i > 0:
		default:
			return fmt.Errorf("%w: want A-Z a-z 0-9, and after the first - _ . ~", ErrReference)
		}
	}
	return nil
}
