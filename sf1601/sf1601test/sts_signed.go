package sf1601test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// soapIssue is what a request that holds asks for.
type soapIssue struct {
	audience, cvr, messageID string
}

// signedPart is one of the seven elements that must be signed. Which they are
// follows from where they stand, never from an id.
type signedPart struct {
	name string
	el   *etree.Element
}

// soapMessage is a request taken apart by position.
type soapMessage struct {
	parts                                             []signedPart
	timestamp, body, to, replyTo, messageID, action   *etree.Element
	token, signature, signedInfo, signatureValue, key *etree.Element
}

// readSOAPIssue verifies a request: its form, the seven references one by one,
// the signature by the certificate of the connection, the times, and what is
// asked for.
func readSOAPIssue(body []byte, cert *x509.Certificate, now time.Time) (*soapIssue, *soapWrong) {
	envelope, wrong := parseSOAP(body)
	if wrong != nil {
		return nil, wrong
	}
	m, wrong := takeApart(envelope)
	if wrong != nil {
		return nil, wrong
	}
	for _, check := range []func() *soapWrong{
		m.checkReferences,
		func() *soapWrong { return m.checkSigner(cert) },
		func() *soapWrong { return m.checkTimes(now) },
		m.checkAddressing,
	} {
		if wrong := check(); wrong != nil {
			return nil, wrong
		}
	}
	return m.readRequest(cert)
}

func malformed(format string, args ...any) *soapWrong {
	return &soapWrong{subInvalidSecurity, fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) *soapWrong {
	return &soapWrong{subFailedCheck, fmt.Sprintf(format, args...)}
}

func unasked(reason string) *soapWrong { return &soapWrong{subInvalidRequest, reason} }

// parseSOAP reads elements and text; no comment, no DTD, no id twice.
func parseSOAP(body []byte) (*etree.Element, *soapWrong) {
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: 32, PreserveDuplicateAttrs: true, ValidateInput: true}
	if err := doc.ReadFromBytes(bytes.TrimSpace(body)); err != nil {
		return nil, malformed("the body is not XML")
	}
	ids := map[string]bool{}
	if wrong := plainXML(&doc.Element, ids); wrong != nil {
		return nil, wrong
	}
	if len(doc.ChildElements()) != 1 || !isEl(doc.Root(), nsSOAP, "Envelope") {
		return nil, malformed("the root is not the Envelope of SOAP 1.2")
	}
	return doc.Root(), nil
}

func plainXML(el *etree.Element, ids map[string]bool) *soapWrong {
	seen := map[string]bool{}
	for _, a := range el.Attr {
		if seen[a.FullKey()] {
			return malformed("%s: an attribute stands twice", el.FullTag())
		}
		seen[a.FullKey()] = true
		if a.Space != "xmlns" && strings.EqualFold(a.Key, "id") {
			if ids[a.Value] {
				return malformed("%s: its id stands twice", el.FullTag())
			}
			ids[a.Value] = true
		}
	}
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.Element:
			if wrong := plainXML(t, ids); wrong != nil {
				return wrong
			}
		case *etree.CharData:
		case *etree.ProcInst:
			if t.Target != "xml" || el.Tag != "" {
				return malformed("a processing instruction")
			}
		default:
			return malformed("a comment or a DTD")
		}
	}
	return nil
}

// takeApart finds every part where it must stand, once, and nothing else.
func takeApart(envelope *etree.Element) (*soapMessage, *soapWrong) {
	m := &soapMessage{}
	var header, security *etree.Element
	if wrong := contents(envelope, map[[2]string]**etree.Element{{nsSOAP, "Header"}: &header, {nsSOAP, "Body"}: &m.body}); wrong != nil {
		return nil, wrong
	}
	if wrong := contents(header, map[[2]string]**etree.Element{
		{nsWSA, "Action"}: &m.action, {nsWSA, "MessageID"}: &m.messageID, {nsWSA, "ReplyTo"}: &m.replyTo, {nsWSA, "To"}: &m.to,
		{nsWSSE, "Security"}: &security,
	}); wrong != nil {
		return nil, wrong
	}
	if qualified(security, nsSOAP, "mustUnderstand") != "true" && qualified(security, nsSOAP, "mustUnderstand") != "1" {
		return nil, malformed("wsse:Security has no mustUnderstand")
	}
	if wrong := contents(security, map[[2]string]**etree.Element{
		{nsWSSE, "BinarySecurityToken"}: &m.token, {nsWSU, "Timestamp"}: &m.timestamp, {nsDS, "Signature"}: &m.signature,
	}); wrong != nil {
		return nil, wrong
	}
	if wrong := contents(m.signature, map[[2]string]**etree.Element{
		{nsDS, "SignedInfo"}: &m.signedInfo, {nsDS, "SignatureValue"}: &m.signatureValue, {nsDS, "KeyInfo"}: &m.key,
	}); wrong != nil {
		return nil, wrong
	}
	m.parts = []signedPart{
		{"wsu:Timestamp", m.timestamp}, {"soap:Body", m.body}, {"wsa:To", m.to}, {"wsa:ReplyTo", m.replyTo},
		{"wsa:MessageID", m.messageID}, {"wsa:Action", m.action}, {"wsse:BinarySecurityToken", m.token},
	}
	return m, nil
}

// prefixed names elements in faults.
func prefixed(name [2]string) string {
	switch name[0] {
	case nsSOAP:
		return "soap:" + name[1]
	case nsWSA:
		return "wsa:" + name[1]
	case nsWSSE:
		return "wsse:" + name[1]
	case nsWSU:
		return "wsu:" + name[1]
	case nsDS:
		return "ds:" + name[1]
	case nsWST:
		return "wst:" + name[1]
	}
	return name[1]
}

// contents takes the children of el: each of want once, in any order, no others.
func contents(el *etree.Element, want map[[2]string]**etree.Element) *soapWrong {
	for _, c := range el.ChildElements() {
		name := [2]string{c.NamespaceURI(), c.Tag}
		into, ok := want[name]
		switch {
		case !ok:
			return malformed("%s does not belong in %s", prefixed(name), prefixed([2]string{el.NamespaceURI(), el.Tag}))
		case *into != nil:
			return malformed("%s stands twice", prefixed(name))
		}
		*into = c
	}
	for name, into := range want {
		if *into == nil {
			return malformed("%s is missing", prefixed(name))
		}
	}
	return nil
}

// checkReferences checks SignedInfo's algorithms, that it refers to each of the
// seven parts once and to nothing else, and each digest.
func (m *soapMessage) checkReferences() *soapWrong {
	children := m.signedInfo.ChildElements()
	if len(children) < 2 || !hasAlgorithm(children[0], "CanonicalizationMethod", algExcC14N) {
		return malformed("CanonicalizationMethod is not exclusive C14N")
	}
	if !hasAlgorithm(children[1], "SignatureMethod", algRSASHA256) {
		return malformed("SignatureMethod is not rsa-sha256")
	}
	digests := map[string][]byte{}
	for _, ref := range children[2:] {
		uri, digest, wrong := readReference(ref)
		if wrong != nil {
			return wrong
		}
		if _, twice := digests[uri]; twice {
			return malformed("two references to one element")
		}
		digests[uri] = digest
	}
	for _, p := range m.parts {
		id := qualified(p.el, nsWSU, "Id")
		if id == "" {
			return malformed("%s has no wsu:Id", p.name)
		}
		digest, signed := digests["#"+id]
		if !signed {
			return failed("%s is not signed", p.name)
		}
		octets, ok := canonicalElement(p.el)
		if sum := sha256.Sum256(octets); !ok || subtle.ConstantTimeCompare(sum[:], digest) != 1 {
			return failed("%s was changed after it was signed", p.name)
		}
		delete(digests, "#"+id)
	}
	if len(digests) != 0 {
		return malformed("a reference to something else than the seven parts")
	}
	return nil
}

func readReference(ref *etree.Element) (string, []byte, *soapWrong) {
	c := ref.ChildElements()
	if !isEl(ref, nsDS, "Reference") || len(c) != 3 || !isEl(c[0], nsDS, "Transforms") || !isEl(c[2], nsDS, "DigestValue") {
		return "", nil, malformed("SignedInfo holds something else than references with transforms and digest")
	}
	transforms := c[0].ChildElements()
	if len(transforms) != 1 || !hasAlgorithm(transforms[0], "Transform", algExcC14N) {
		return "", nil, malformed("the transform of a reference is not exclusive C14N alone")
	}
	if !hasAlgorithm(c[1], "DigestMethod", algSHA256) {
		return "", nil, malformed("DigestMethod is not SHA-256")
	}
	digest, err := base64.StdEncoding.DecodeString(c[2].Text())
	if err != nil {
		return "", nil, malformed("DigestValue is not Base64")
	}
	return ref.SelectAttrValue("URI", ""), digest, nil
}

// checkSigner checks that the token is the certificate of the connection, that
// KeyInfo names it, and that its key made the signature.
func (m *soapMessage) checkSigner(cert *x509.Certificate) *soapWrong {
	if !isCertificate(m.token, cert) {
		return failed("wsse:BinarySecurityToken is not the certificate of the connection")
	}
	str := m.key.ChildElements()
	if len(str) != 1 || !isEl(str[0], nsWSSE, "SecurityTokenReference") || len(str[0].ChildElements()) != 1 {
		return malformed("ds:KeyInfo is not a SecurityTokenReference")
	}
	ref := str[0].ChildElements()[0]
	if !isEl(ref, nsWSSE, "Reference") || ref.SelectAttrValue("ValueType", "") != valueX509 ||
		ref.SelectAttrValue("URI", "") != "#"+qualified(m.token, nsWSU, "Id") {
		return malformed("ds:KeyInfo does not refer to the wsse:BinarySecurityToken")
	}
	value, err := base64.StdEncoding.DecodeString(m.signatureValue.Text())
	key, isRSA := cert.PublicKey.(*rsa.PublicKey)
	octets, ok := canonicalElement(m.signedInfo)
	if err != nil || !isRSA || !ok {
		return failed("ds:SignatureValue cannot be checked")
	}
	sum := sha256.Sum256(octets)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], value) != nil {
		return failed("ds:SignatureValue does not hold")
	}
	return nil
}

// maxSOAPLife is the longest a Timestamp may run, and skew how far the client's
// clock may be off.
const (
	maxSOAPLife = 300 * time.Second
	soapSkew    = 5 * time.Minute
)

func (m *soapMessage) checkTimes(now time.Time) *soapWrong {
	var created, expires *etree.Element
	if wrong := contents(m.timestamp, map[[2]string]**etree.Element{
		{nsWSU, "Created"}: &created, {nsWSU, "Expires"}: &expires,
	}); wrong != nil {
		return wrong
	}
	from, errFrom := time.Parse("2006-01-02T15:04:05.999Z", created.Text())
	to, errTo := time.Parse("2006-01-02T15:04:05.999Z", expires.Text())
	switch {
	case errFrom != nil || errTo != nil:
		return malformed("wsu:Timestamp: not UTC with a Z")
	case to.Sub(from) > maxSOAPLife || !to.After(from):
		return malformed("wsu:Timestamp: it runs longer than %s, or backwards", maxSOAPLife)
	case now.Add(soapSkew).Before(from):
		return &soapWrong{subExpired, "wsu:Timestamp: it was created in the future"}
	case !now.Before(to.Add(soapSkew)):
		return &soapWrong{subExpired, "wsu:Timestamp: it has expired"}
	}
	return nil
}

func (m *soapMessage) checkAddressing() *soapWrong {
	if m.action.Text() != nsWST+"/RST/Issue" {
		return unasked("wsa:Action is not Issue")
	}
	reply := m.replyTo.ChildElements()
	if len(reply) != 1 || !isEl(reply[0], nsWSA, "Address") || reply[0].Text() != nsWSA+"/anonymous" {
		return unasked("wsa:ReplyTo is not anonymous")
	}
	if id, ok := strings.CutPrefix(m.messageID.Text(), "urn:uuid:"); !ok || !uuid4(id) {
		return unasked("wsa:MessageID is not a urn:uuid")
	}
	return nil
}

// readRequest checks the RequestSecurityToken.
func (m *soapMessage) readRequest(cert *x509.Certificate) (*soapIssue, *soapWrong) {
	var rst, requestType, appliesTo, claims, tokenType, keyType, useKey *etree.Element
	if wrong := contents(m.body, map[[2]string]**etree.Element{{nsWST, "RequestSecurityToken"}: &rst}); wrong != nil {
		return nil, wrong
	}
	if wrong := contents(rst, map[[2]string]**etree.Element{
		{nsWST, "RequestType"}: &requestType, {nsWSP, "AppliesTo"}: &appliesTo, {nsWST, "Claims"}: &claims,
		{nsWST, "TokenType"}: &tokenType, {nsWST, "KeyType"}: &keyType, {nsWST, "UseKey"}: &useKey,
	}); wrong != nil {
		return nil, wrong
	}
	address := only(only(appliesTo, nsWSA, "EndpointReference"), nsWSA, "Address")
	claim := only(claims, nsAuth, "ClaimType")
	cvr := only(claim, nsAuth, "Value")
	token := only(useKey, nsWSSE, "BinarySecurityToken")
	switch {
	case requestType.Text() != requestTypeURI:
		return nil, unasked("RequestType is not Issue")
	case tokenType.Text() != tokenTypeURI:
		return nil, unasked("TokenType is not SAMLV2.0")
	case keyType.Text() != keyTypeURI:
		return nil, unasked("KeyType is not PublicKey")
	case address == nil || !knownAudience(address.Text()):
		return nil, unasked("AppliesTo is not a service known here")
	case claims.SelectAttrValue("Dialect", "") != nsAuth+"/authclaims":
		return nil, unasked("the dialect of Claims is not authclaims")
	case claim == nil || claim.SelectAttrValue("Uri", "") != claimCVR || cvr == nil || !digits(cvr.Text(), 8):
		return nil, unasked("Claims does not hold the CVR of the authority, 8 digits")
	case token == nil || !isCertificate(token, cert):
		return nil, unasked("UseKey is not the certificate of the connection")
	case m.to.Text() != address.Text():
		return nil, unasked("wsa:To is not the service asked for")
	}
	return &soapIssue{address.Text(), cvr.Text(), m.messageID.Text()}, nil
}

// only gives the one child of el when it is of that name, else nil.
func only(el *etree.Element, namespace, tag string) *etree.Element {
	if el == nil || len(el.ChildElements()) != 1 || !isEl(el.ChildElements()[0], namespace, tag) {
		return nil
	}
	return el.ChildElements()[0]
}

func isEl(el *etree.Element, namespace, tag string) bool {
	return el != nil && el.Tag == tag && el.NamespaceURI() == namespace
}

// qualified is the value of a qualified attribute.
func qualified(el *etree.Element, namespace, key string) string {
	for i := range el.Attr {
		if a := &el.Attr[i]; a.Key == key && a.Space != "" && a.NamespaceURI() == namespace {
			return a.Value
		}
	}
	return ""
}

func hasAlgorithm(el *etree.Element, tag, name string) bool {
	return isEl(el, nsDS, tag) && el.SelectAttrValue("Algorithm", "") == name && len(el.ChildElements()) == 0
}

func isCertificate(token *etree.Element, cert *x509.Certificate) bool {
	der, err := base64.StdEncoding.DecodeString(token.Text())
	return err == nil && subtle.ConstantTimeCompare(der, cert.Raw) == 1 &&
		token.SelectAttrValue("ValueType", "") == valueX509 && token.SelectAttrValue("EncodingType", "") == encodingB64
}

// canonicalElement is the exclusive canonical form of an element with the
// namespaces in scope where it stands.
func canonicalElement(el *etree.Element) ([]byte, bool) {
	c := el.Copy() // the canonicaliser changes what it is given
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && c.SelectAttr(a.FullKey()) == nil {
				c.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(c)
	return out, err == nil
}
