package sts

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Trust says which assertion is believed.
type Trust struct {
	// STS are the certificates one of which must have signed. Their keys are
	// trusted as they are configured, whatever the certificates' periods and
	// chains say; what the assertion carries in KeyInfo is not looked at.
	STS      []*x509.Certificate
	Audience string    // entity id it must be for
	Holder   []byte    // DER of the certificate it must be bound to
	Now      time.Time // when its conditions must hold
}

// Assertion is what a verified assertion says.
type Assertion struct {
	ID           string
	Issuer       string
	Subject      string            // NameID, "" when it has none
	NotBefore    time.Time         // zero when it names none
	NotOnOrAfter time.Time         // UTC
	Signer       *x509.Certificate // which of Trust.STS signed
}

// The families of what is wrong with an assertion.
var (
	// ErrAssertion: not an assertion of the one form that is read. No signature or
	// a second one, a reference to anything but the whole assertion, an id twice,
	// another transform or algorithm (SHA-1 and HMAC among them), a DTD, a comment:
	// all refused before a key is touched.
	ErrAssertion = errors.New("not a signed assertion of the expected form")
	// ErrUntrusted: none of the STS's certificates signed it, or it was changed.
	ErrUntrusted = errors.New("the assertion's signature does not hold")
	// ErrConditions: genuine, and not for us, not for this service, or not now.
	ErrConditions = errors.New("the assertion's conditions do not hold")
)

// clockSkew is how far the STS's clock may be ahead of ours.
const clockSkew = time.Minute

// maxAssertion bounds an assertion; real ones are 6-10 KB.
const maxAssertion = 256 << 10

// samlNamespace is that of SAML 2.0 assertions. [src: SAML-2.0 core, 1.1]
const samlNamespace = "urn:oasis:names:tc:SAML:2.0:assertion"

// holderOfKey is the confirmation that asks for the key of a certificate.
// [src: SAML-2.0 profiles, 3.1]
const holderOfKey = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"

// VerifyAssertion checks the XML of a SAML 2.0 assertion: its enveloped
// signature by one of the STS's certificates over the whole of it, and then, in
// nothing but the bytes that were signed, that it holds now, is meant for the
// audience, and is bound to the holder's certificate where it confirms a holder
// of key. Errors are of ErrAssertion, ErrUntrusted or ErrConditions, and hold
// nothing of the assertion.
func VerifyAssertion(assertion []byte, trust Trust) (*Assertion, error) {
	root, err := parse(assertion)
	if err != nil {
		return nil, err
	}
	signed, signer, err := verifyEnveloped(root, trust.STS)
	if err != nil {
		return nil, err
	}
	// From here on only what was digested is read, parsed anew.
	if root, err = parse(signed); err != nil {
		return nil, err
	}
	a := &Assertion{ID: root.SelectAttrValue("ID", ""), Signer: signer}
	if a.Issuer, err = textOf(root, "Issuer"); err != nil {
		return nil, err
	}
	if err := a.readSubject(root, trust); err != nil {
		return nil, err
	}
	if err := a.readConditions(root, trust); err != nil {
		return nil, err
	}
	return a, nil
}

// names reads who issued an assertion to whom, without verifying anything; ""
// for what cannot be read.
func names(assertion []byte) (subject, issuer string) {
	root, err := parse(assertion)
	if err != nil {
		return "", ""
	}
	issuer, _ = textOf(root, "Issuer")
	if s, err := child(root, samlNamespace, "Subject"); err == nil {
		subject, _ = textOf(s, "NameID")
	}
	return subject, issuer
}

// parse reads an assertion into a tree that holds elements and text alone.
func parse(assertion []byte) (*etree.Element, error) {
	if len(assertion) > maxAssertion {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrAssertion, maxAssertion)
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: 32, PreserveDuplicateAttrs: true, ValidateInput: true}
	assertion = bytes.TrimSpace(assertion) // the reader takes even a line feed after the root for a fault
	if err := doc.ReadFromBytes(assertion); err != nil {
		return nil, fmt.Errorf("%w: not XML", ErrAssertion) // the parser's own text may quote the assertion
	}
	if err := plain(&doc.Element); err != nil {
		return nil, err
	}
	root := doc.Root()
	if len(doc.ChildElements()) != 1 || !named(root, samlNamespace, "Assertion") {
		return nil, fmt.Errorf("%w: the root is not a SAML 2.0 Assertion", ErrAssertion)
	}
	return root, nil
}

// plain refuses everything but elements, text and a declaration of UTF-8: a
// comment can split a text, a DTD can define entities and default attributes.
func plain(el *etree.Element) error {
	seen := map[string]bool{}
	for _, a := range el.Attr {
		switch {
		case seen[a.FullKey()]:
			return fmt.Errorf("%w: an attribute stands twice", ErrAssertion)
		case a.Space == "xmlns" && (a.Value == "" || a.Key == "xml" || a.Key == "xmlns"):
			return fmt.Errorf("%w: a namespace declaration that XML forbids", ErrAssertion)
		}
		seen[a.FullKey()] = true
	}
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.Element:
			if err := plain(t); err != nil {
				return err
			}
		case *etree.CharData:
			if el.Parent() == nil && el.Tag == "" && !t.IsWhitespace() {
				return fmt.Errorf("%w: text outside of the root", ErrAssertion)
			}
		case *etree.ProcInst:
			if t.Target != "xml" || el.Tag != "" || !utf8Declared(t.Inst) {
				return fmt.Errorf("%w: a processing instruction or another encoding than UTF-8", ErrAssertion)
			}
		default:
			return fmt.Errorf("%w: a comment or a DTD", ErrAssertion)
		}
	}
	return nil
}

// utf8Declared says whether an XML declaration names no other encoding.
func utf8Declared(declaration string) bool {
	declaration = strings.ToLower(declaration)
	return !strings.Contains(declaration, "encoding") || strings.Contains(declaration, "utf-8")
}

// readSubject takes the NameID and checks each confirmation by holder of key.
func (a *Assertion) readSubject(root *etree.Element, trust Trust) error {
	subject, err := child(root, samlNamespace, "Subject")
	if err != nil {
		return err
	}
	if len(children(subject, samlNamespace, "NameID")) != 0 { // a subject may be confirmed by its key alone
		if a.Subject, err = textOf(subject, "NameID"); err != nil {
			return err
		}
	}
	for _, confirmation := range children(subject, samlNamespace, "SubjectConfirmation") {
		if confirmation.SelectAttrValue("Method", "") != holderOfKey {
			continue
		}
		data, err := child(confirmation, samlNamespace, "SubjectConfirmationData")
		if err != nil {
			return err
		}
		if _, _, err := within(data, trust.Now); err != nil {
			return err
		}
		if err := heldBy(data, trust.Holder); err != nil {
			return err
		}
	}
	return nil
}

// heldBy checks that the key confirmed is that of the certificate: every
// KeyInfo must name it, by the certificate itself or by its RSA key.
func heldBy(data *etree.Element, holder []byte) error {
	infos := children(data, dsNamespace, "KeyInfo")
	if len(infos) == 0 {
		return fmt.Errorf("%w: holder of key without a key", ErrConditions)
	}
	for _, info := range infos {
		ours := 0
		for _, x := range info.ChildElements() {
			var same bool
			switch {
			case named(x, dsNamespace, "X509Data"):
				list := children(x, dsNamespace, "X509Certificate")
				if len(list) == 0 {
					continue // a name or number of the key beside it
				}
				der, err := binary(list[0])
				same = err == nil && len(list) == 1 && len(holder) > 0 && bytes.Equal(der, holder)
			case named(x, dsNamespace, "KeyValue"):
				same = sameRSA(x, holder)
			default:
				continue
			}
			if !same {
				return fmt.Errorf("%w: it is bound to another key than that of our certificate", ErrConditions)
			}
			ours++
		}
		if ours == 0 {
			return fmt.Errorf("%w: the key it is bound to is not named by certificate or value", ErrConditions)
		}
	}
	return nil
}

// sameRSA compares a ds:KeyValue with the key of a certificate.
func sameRSA(value *etree.Element, holder []byte) bool {
	cert, err := x509.ParseCertificate(holder)
	if err != nil {
		return false
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	rsaValue, err := child(value, dsNamespace, "RSAKeyValue")
	if !ok || err != nil {
		return false
	}
	number := func(tag string) *big.Int {
		el, err := child(rsaValue, dsNamespace, tag)
		if err != nil {
			return new(big.Int)
		}
		b, _ := binary(el)
		return new(big.Int).SetBytes(b)
	}
	return number("Modulus").Cmp(key.N) == 0 && number("Exponent").Cmp(big.NewInt(int64(key.E))) == 0
}

// readConditions checks the period and the audience.
func (a *Assertion) readConditions(root *etree.Element, trust Trust) error {
	conditions, err := child(root, samlNamespace, "Conditions")
	if err != nil {
		return err
	}
	if a.NotBefore, a.NotOnOrAfter, err = within(conditions, trust.Now); err != nil {
		return err
	}
	if a.NotOnOrAfter.IsZero() {
		return fmt.Errorf("%w: it names no end", ErrConditions)
	}
	restrictions := children(conditions, samlNamespace, "AudienceRestriction")
	if len(restrictions) == 0 {
		return fmt.Errorf("%w: it names no audience", ErrConditions)
	}
	for _, r := range restrictions { // each of them must hold
		meant := false
		for _, audience := range children(r, samlNamespace, "Audience") {
			meant = meant || len(audience.ChildElements()) == 0 && strings.TrimSpace(audience.Text()) == trust.Audience
		}
		if !meant {
			return fmt.Errorf("%w: it is for another audience", ErrConditions)
		}
	}
	return nil
}

// within checks NotBefore and NotOnOrAfter of an element, where it has them.
func within(el *etree.Element, now time.Time) (from, to time.Time, err error) {
	read := func(name string) (time.Time, error) {
		value := el.SelectAttrValue(name, "")
		if value == "" {
			return time.Time{}, nil
		}
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return time.Time{}, fmt.Errorf("%w: %s is not a time with a zone", ErrConditions, name)
		}
		return t.UTC(), nil
	}
	if from, err = read("NotBefore"); err != nil {
		return from, to, err
	}
	if to, err = read("NotOnOrAfter"); err != nil {
		return from, to, err
	}
	switch {
	case !from.IsZero() && now.Add(clockSkew).Before(from):
		return from, to, fmt.Errorf("%w: it begins %s ahead of our clock", ErrConditions, from.Sub(now).Round(time.Second))
	case !to.IsZero() && !now.Before(to):
		return from, to, fmt.Errorf("%w: it has ended by our clock", ErrConditions)
	}
	return from, to, nil
}

// named says whether el is that element.
func named(el *etree.Element, namespace, tag string) bool {
	return el != nil && el.Tag == tag && el.NamespaceURI() == namespace
}

// children gives the children of that name.
func children(el *etree.Element, namespace, tag string) []*etree.Element {
	var found []*etree.Element
	for _, c := range el.ChildElements() {
		if named(c, namespace, tag) {
			found = append(found, c)
		}
	}
	return found
}

// child gives the one child of that name.
func child(el *etree.Element, namespace, tag string) (*etree.Element, error) {
	found := children(el, namespace, tag)
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: %d %s in %s, want 1", ErrAssertion, len(found), tag, local(el))
	}
	return found[0], nil
}

// local names an element in errors, as long as it is one whose name we know.
func local(el *etree.Element) string {
	switch el.NamespaceURI() {
	case samlNamespace, dsNamespace:
		return el.Tag
	}
	return "an element"
}

// textOf gives the text of the one child of that name of SAML, which must hold
// nothing else.
func textOf(parent *etree.Element, tag string) (string, error) {
	el, err := child(parent, samlNamespace, tag)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(el.Text())
	if len(el.ChildElements()) != 0 || text == "" {
		return "", fmt.Errorf("%w: %s is not a text", ErrAssertion, tag)
	}
	return text, nil
}

// binary reads base64 text; white space is allowed, as in xs:base64Binary.
func binary(el *etree.Element) ([]byte, error) {
	out, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(el.Text()), ""))
	if err != nil || len(el.ChildElements()) != 0 {
		return nil, fmt.Errorf("%w: %s is not base64", ErrAssertion, local(el))
	}
	return out, nil
}
