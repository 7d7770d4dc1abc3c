package sts_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/sts"
)

// pairs are the STS, somebody else, and us.
var pairs = sync.OnceValue(func() [3]tls.Certificate {
	return [3]tls.Certificate{newPair("STS"), newPair("somebody else"), newPair("system")}
})

func stsPair() tls.Certificate   { return pairs()[0] }
func otherPair() tls.Certificate { return pairs()[1] }
func ourPair() tls.Certificate   { return pairs()[2] }

// newPair makes a certificate that is signed as OCES3's are: RSASSA-PSS.
func newPair(name string) tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(1, 0, 0),
		SignatureAlgorithm: x509.SHA256WithRSAPSS,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

const (
	xmldsig   = "http://www.w3.org/2000/09/xmldsig#"
	excC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	dsSHA256  = "http://www.w3.org/2001/04/xmlenc#sha256"
	samlNS    = "urn:oasis:names:tc:SAML:2.0:assertion"
	genuine   = "C=DK,O=55133018,CN=genuine"
	evil      = "C=DK,O=55133018,CN=evil"
	behind    = "</saml:Issuer>"
)

// unsigned is an assertion in canonical form, for the pair given.
func unsigned(id, subject string, holder tls.Certificate) string {
	return `<saml:Assertion xmlns:saml="` + samlNS + `" ID="` + id + `" IssueInstant="2026-11-21T12:00:00Z" Version="2.0">` +
		`<saml:Issuer>https://sts.example/</saml:Issuer><saml:Subject><saml:NameID>` + subject + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"><saml:SubjectConfirmationData>` +
		`<ds:KeyInfo xmlns:ds="` + xmldsig + `"><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(holder.Certificate[0]) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="2026-11-21T12:00:00Z" NotOnOrAfter="2026-11-21T20:00:00Z"><saml:AudienceRestriction><saml:Audience>` +
		jobs.EntityID + `</saml:Audience></saml:AudienceRestriction></saml:Conditions></saml:Assertion>`
}

// signatureOver is a ds:Signature over an assertion in canonical form; change
// alters SignedInfo before it is signed.
func signatureOver(t testing.TB, assertion, id string, key tls.Certificate, change func(info string) string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(assertion))
	info := `<ds:SignedInfo xmlns:ds="` + xmldsig + `"><ds:CanonicalizationMethod Algorithm="` + excC14N +
		`"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` + rsaSHA256 + `"></ds:SignatureMethod>` +
		`<ds:Reference URI="#` + id + `"><ds:Transforms><ds:Transform Algorithm="` + xmldsig + `enveloped-signature"></ds:Transform>` +
		`<ds:Transform Algorithm="` + excC14N + `"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="` + dsSHA256 +
		`"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	if change != nil {
		changed := change(info)
		if changed == info {
			t.Fatal("the attack changes nothing")
		}
		info = changed
	}
	private, _ := key.PrivateKey.(*rsa.PrivateKey)
	sum := sha256.Sum256([]byte(info))
	value, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:])
	if strings.Contains(info, "#rsa-sha1") {
		old := sha1.Sum([]byte(info))
		value, err = rsa.SignPKCS1v15(nil, private, crypto.SHA1, old[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(info, "hmac") { // keyed by what everybody knows: the certificate
		mac := hmac.New(sha256.New, key.Certificate[0])
		_, _ = mac.Write([]byte(info))
		value = mac.Sum(nil)
	}
	return `<ds:Signature xmlns:ds="` + xmldsig + `">` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) +
		`</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(key.Certificate[0]) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`
}

// signedBy puts an enveloped signature behind the Issuer of the assertion _good.
func signedBy(t testing.TB, assertion string, key tls.Certificate, change func(string) string) string {
	t.Helper()
	return strings.Replace(assertion, behind, behind+signatureOver(t, assertion, "_good", key, change), 1)
}

func trust() sts.Trust {
	return sts.Trust{
		STS: []*x509.Certificate{otherPair().Leaf, stsPair().Leaf}[1:], Audience: jobs.EntityID, Holder: ourPair().Certificate[0],
		Now: start.Add(time.Minute),
	}
}

// answerWith is the STS's answer in SOAP with that content in
// RequestedSecurityToken.
func answerWith(content string) []byte {
	return []byte(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>` +
		`<t:RequestSecurityTokenResponseCollection xmlns:t="http://docs.oasis-open.org/ws-sx/ws-trust/200512"><t:RequestSecurityTokenResponse>` +
		`<t:RequestedSecurityToken>` + content + `</t:RequestedSecurityToken>` +
		`</t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection></s:Body></s:Envelope>`)
}

// verify goes the way of an answer in SOAP.
func verify(content string, trust sts.Trust) (*sts.Assertion, error) {
	assertion, err := sts.ReadIssuedSOAP(answerWith(content))
	if err != nil {
		return nil, err
	}
	return sts.VerifyAssertion(assertion, trust)
}

func TestAGenuineAssertionIsBelieved(t *testing.T) {
	t.Parallel()
	good := unsigned("_good", genuine, ourPair())
	public, _ := ourPair().Leaf.PublicKey.(*rsa.PublicKey)
	for name, content := range map[string]string{
		"as it is":       signedBy(t, good, stsPair(), nil),
		"pretty printed": "\n  " + signedBy(t, good, stsPair(), nil) + "\n",
		"SHA-1 nowhere, spaces in the base64": strings.Replace(signedBy(t, good, stsPair(), nil), "<ds:SignatureValue>",
			"<ds:SignatureValue>\n   ", 1),
		"bearer": signedBy(t, strings.Replace(good, "cm:holder-of-key", "cm:bearer", 1), stsPair(), nil),
		"bound by the key's value": func() string {
			a, b := strings.Index(good, "<ds:X509Data>"), strings.Index(good, "</ds:KeyInfo>")
			a2 := good[:a] + `<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>` + base64.StdEncoding.EncodeToString(public.N.Bytes()) +
				`</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>` + good[b:]
			return signedBy(t, a2, stsPair(), nil)
		}(),
		"its clock is half a minute ahead": signedBy(t, strings.Replace(good, `NotBefore="2026-11-21T12:00:00Z"`, `NotBefore="2026-11-21T12:01:30Z"`, 1),
			stsPair(), nil),
	} {
		got, err := verify(content, trust())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Subject != genuine || got.Issuer != "https://sts.example/" || got.ID != "_good" || !got.Signer.Equal(stsPair().Leaf) ||
			!got.NotOnOrAfter.Equal(start.Add(8*time.Hour)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	next := trust()
	next.STS = []*x509.Certificate{otherPair().Leaf, stsPair().Leaf}
	if _, err := verify(signedBy(t, good, stsPair(), nil), next); err != nil {
		t.Errorf("the second of two certificates: %v", err)
	}
	next.Now = start.Add(8*time.Hour - time.Second)
	if _, err := verify(signedBy(t, good, stsPair(), nil), next); err != nil {
		t.Errorf("in its last second: %v", err)
	}
}

func TestASubjectWithoutNameIsConfirmedByItsKey(t *testing.T) {
	t.Parallel()
	bare := strings.Replace(unsigned("_good", genuine, ourPair()), "<saml:NameID>"+genuine+"</saml:NameID>", "", 1)
	got, err := verify(signedBy(t, bare, stsPair(), nil), trust())
	if err != nil || got.Subject != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// attack makes what a forger would send, from a genuine assertion and its parts.
type attack struct {
	make func(t *testing.T, good, bare, sig string) string
	want error // nil: any error
}

func TestAttacksOnAssertions(t *testing.T) {
	t.Parallel()
	bare := unsigned("_good", genuine, ourPair())
	sig := signatureOver(t, bare, "_good", stsPair(), nil)
	good := strings.Replace(bare, behind, behind+sig, 1)
	evilAssertion := unsigned("_evil", evil, ourPair())
	withSig := func(assertion, sig string) string { return strings.Replace(assertion, behind, behind+sig, 1) }
	intoSig := func(sig, what string) string {
		return strings.Replace(sig, "</ds:Signature>", what+"</ds:Signature>", 1)
	}
	info := func(change func(string) string) func(*testing.T, string, string, string) string {
		return func(t *testing.T, _, bare, _ string) string {
			t.Helper()
			return signedBy(t, bare, stsPair(), change)
		}
	}
	replaced := func(old, by string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, by, 1) }
	}
	content := func(change func(string) string) func(*testing.T, string, string, string) string {
		return func(t *testing.T, _, bare, _ string) string {
			t.Helper()
			return signedBy(t, change(bare), stsPair(), nil)
		}
	}
	after := func(change func(string) string) func(*testing.T, string, string, string) string {
		return func(_ *testing.T, good, _, _ string) string { return change(good) }
	}
	fixed := func(s string) func(*testing.T, string, string, string) string {
		return func(*testing.T, string, string, string) string { return s }
	}
	for name, a := range map[string]attack{
		// Signature wrapping, by the numbers of the literature (XSW1-8).
		"XSW1 the original inside the signature of an evil root":               {fixed(withSig(evilAssertion, intoSig(sig, good))), sts.ErrAssertion},
		"XSW2 the original beside a detached signature in an evil one":         {fixed(withSig(evilAssertion, bare+sig)), sts.ErrAssertion},
		"XSW3 an evil assertion before the original":                           {fixed(evilAssertion + good), nil},
		"XSW4 an evil assertion around the original":                           {fixed(withSig(evilAssertion, good)), sts.ErrAssertion},
		"XSW5 the signature moved into the evil one, the bare original behind": {fixed(withSig(evilAssertion, sig) + bare), nil},
		"XSW6 the bare original inside the signature of the evil one":          {fixed(withSig(evilAssertion, intoSig(sig, bare))), sts.ErrAssertion},
		"XSW7 an evil assertion with the same ID in Extensions": {
			fixed(withSig(strings.Replace(evilAssertion, "_evil", "_good", 1), `<x:Extensions xmlns:x="urn:x">`+good+`</x:Extensions>`)), sts.ErrAssertion,
		},
		"XSW8 the bare original in an Object of the signature": {
			fixed(withSig(strings.Replace(evilAssertion, "_evil", "_good", 1), intoSig(sig, `<ds:Object>`+bare+`</ds:Object>`))), sts.ErrAssertion,
		},
		"XSW9 the original after the evil one": {fixed(good + evilAssertion), nil},

		// Relatives.
		"unsigned":             {fixed(evilAssertion), sts.ErrAssertion},
		"signature of another": {fixed(withSig(evilAssertion, sig)), sts.ErrAssertion},
		"signature moved down": {after(func(s string) string {
			return strings.Replace(strings.Replace(s, sig, "", 1), "</saml:Subject>", sig+"</saml:Subject>", 1)
		}), sts.ErrAssertion},
		"two signatures":         {after(replaced(sig, sig+sig)), sts.ErrAssertion},
		"duplicate ID":           {after(replaced("<saml:Subject>", `<saml:Subject ID="_good">`)), sts.ErrAssertion},
		"duplicate ID as wsu:Id": {after(replaced("<saml:Subject>", `<saml:Subject xmlns:u="urn:u" u:Id="_good">`)), sts.ErrAssertion},
		"duplicate ID, signed":   {content(replaced("<saml:Subject>", `<saml:Subject ID="_good">`)), sts.ErrAssertion},
		"attribute twice":        {after(replaced(` ID="_good"`, ` ID="_good" ID="_evil"`)), sts.ErrAssertion},
		"evil by one character":  {after(replaced("CN=genuine", "CN=Genuine")), sts.ErrUntrusted},
		"comment in NameID":      {after(replaced("CN=genuine", "CN=<!---->genuine")), sts.ErrAssertion},
		"comment in NameID, signed": {func(_ *testing.T, good, _, _ string) string {
			return strings.Replace(good, genuine, genuine+"<!-- .evil -->", 1)
		}, sts.ErrAssertion},
		"processing instruction":                  {after(replaced("CN=genuine", "CN=<?x?>genuine")), sts.ErrAssertion},
		"element in NameID, signed":               {content(replaced("CN=genuine", "CN=<saml:X></saml:X>genuine")), sts.ErrAssertion},
		"two subjects, signed":                    {content(replaced("</saml:Subject>", "</saml:Subject><saml:Subject><saml:NameID>x</saml:NameID></saml:Subject>")), sts.ErrAssertion},
		"a second signature further down, signed": {content(replaced("</saml:Conditions>", "</saml:Conditions><saml:Advice>"+sig+"</saml:Advice>")), sts.ErrAssertion},
		"two issuers, signed":                     {content(replaced("</saml:Conditions>", "</saml:Conditions><saml:Issuer>x</saml:Issuer>")), sts.ErrAssertion},
		"second assertion in Advice, signed":      {content(replaced("</saml:Conditions>", "</saml:Conditions><saml:Advice>"+evilAssertion+"</saml:Advice>")), sts.ErrAssertion},
		"entity":                                  {after(replaced("CN=genuine", "CN=&evil;")), nil},
		"wrong key": {func(t *testing.T, _, bare, _ string) string {
			t.Helper()
			return signedBy(t, bare, otherPair(), nil)
		}, sts.ErrUntrusted},
		"wrong key, the STS's certificate in KeyInfo": {func(t *testing.T, _, bare, _ string) string {
			t.Helper()
			s := signedBy(t, bare, otherPair(), nil)
			return strings.Replace(s, base64.StdEncoding.EncodeToString(otherPair().Certificate[0]), base64.StdEncoding.EncodeToString(stsPair().Certificate[0]), 1)
		}, sts.ErrUntrusted},
		"algorithm swapped to HMAC":  {info(replaced(rsaSHA256, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")), sts.ErrAssertion},
		"algorithm swapped to SHA-1": {info(replaced(rsaSHA256, xmldsig+"rsa-sha1")), sts.ErrAssertion},
		"algorithm none":             {info(replaced(rsaSHA256, "")), sts.ErrAssertion},
		"digest swapped to SHA-1":    {info(replaced(dsSHA256, xmldsig+"sha1")), sts.ErrAssertion},
		"signature value empty": {after(func(s string) string {
			i, j := strings.Index(s, "<ds:SignatureValue>"), strings.Index(s, "</ds:SignatureValue>")
			return s[:i+19] + s[j:]
		}), sts.ErrUntrusted},
		"digest value empty": {info(func(s string) string {
			i, j := strings.Index(s, "<ds:DigestValue>"), strings.Index(s, "</ds:DigestValue>")
			return s[:i+16] + s[j:]
		}), sts.ErrUntrusted},
		"comment in the digest": {after(replaced("<ds:DigestValue>", "<ds:DigestValue><!---->")), sts.ErrAssertion},
		"two digests":           {info(replaced("</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue>AAAA</ds:DigestValue>")), sts.ErrAssertion},
		"two SignedInfo": {func(t *testing.T, good, _, _ string) string {
			t.Helper()
			i, j := strings.Index(good, "<ds:SignedInfo"), strings.Index(good, "<ds:SignatureValue>")
			return good[:i] + good[i:j] + good[i:]
		}, sts.ErrAssertion},
		"empty reference list": {info(func(s string) string {
			i, j := strings.Index(s, "<ds:Reference "), strings.Index(s, "</ds:SignedInfo>")
			return s[:i] + s[j:]
		}), sts.ErrAssertion},
		"two references": {info(func(s string) string {
			i, j := strings.Index(s, "<ds:Reference "), strings.Index(s, "</ds:SignedInfo>")
			return s[:j] + s[i:j] + s[j:]
		}), sts.ErrAssertion},
		"reference to the whole document": {info(replaced(`URI="#_good"`, `URI=""`)), sts.ErrAssertion},
		"reference to nothing":            {info(replaced(` URI="#_good"`, ``)), sts.ErrAssertion},
		"reference by XPointer":           {info(replaced(`URI="#_good"`, `URI="#xpointer(id('_good'))"`)), sts.ErrAssertion},
		"reference to a file":             {info(replaced(`URI="#_good"`, `URI="file:///etc/hostname"`)), sts.ErrAssertion},
		"transform injected: XPath":       {info(replaced("</ds:Transforms>", `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::saml:Subject)</ds:XPath></ds:Transform></ds:Transforms>`)), sts.ErrAssertion},
		"transform injected: XSLT":        {info(replaced("</ds:Transforms>", `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform></ds:Transforms>`)), sts.ErrAssertion},
		"transform injected: base64":      {info(replaced(excC14N+`"></ds:Transform>`, xmldsig+`base64"></ds:Transform>`)), sts.ErrAssertion},
		"transforms gone": {info(func(s string) string {
			i, j := strings.Index(s, "<ds:Transforms>"), strings.Index(s, "<ds:DigestMethod")
			return s[:i] + s[j:]
		}), sts.ErrAssertion},
		"canonical form with comments":   {info(replaced(`CanonicalizationMethod Algorithm="`+excC14N, `CanonicalizationMethod Algorithm="`+excC14N+"WithComments")), sts.ErrAssertion},
		"another namespace of Signature": {after(func(s string) string { return strings.ReplaceAll(s, xmldsig, "urn:not-xmldsig") }), sts.ErrAssertion},
		"another version of SAML":        {after(func(s string) string { return strings.Replace(s, samlNS, "urn:oasis:names:tc:SAML:1.0:assertion", 1) }), nil},

		// Genuine, and not for us.
		"expired":             {content(replaced(`NotOnOrAfter="2026-11-21T20:00:00Z"`, `NotOnOrAfter="2026-11-21T12:01:00Z"`)), sts.ErrConditions},
		"not yet":             {content(replaced(`NotBefore="2026-11-21T12:00:00Z"`, `NotBefore="2026-11-21T12:02:01Z"`)), sts.ErrConditions},
		"without an end":      {content(replaced(` NotOnOrAfter="2026-11-21T20:00:00Z"`, ``)), sts.ErrConditions},
		"a time without zone": {content(replaced(`NotOnOrAfter="2026-11-21T20:00:00Z"`, `NotOnOrAfter="2026-11-21T20:00:00"`)), sts.ErrConditions},
		"without conditions": {content(func(s string) string {
			i, j := strings.Index(s, "<saml:Conditions"), strings.Index(s, "</saml:Assertion>")
			return s[:i] + s[j:]
		}), sts.ErrAssertion},
		"other audience": {content(replaced(jobs.EntityID, jobs.EntityID+"/other")), sts.ErrConditions},
		"no audience": {content(func(s string) string {
			i, j := strings.Index(s, "<saml:AudienceRestriction>"), strings.Index(s, "</saml:Conditions>")
			return s[:i] + s[j:]
		}), sts.ErrConditions},
		"two restrictions": {content(replaced("</saml:AudienceRestriction>", "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>")), sts.ErrConditions},
		"another holder":   {fixed(signedBy(t, unsigned("_good", genuine, otherPair()), stsPair(), nil)), sts.ErrConditions},
		"holder without a key": {content(func(s string) string {
			i, j := strings.Index(s, "<ds:KeyInfo"), strings.Index(s, "</saml:SubjectConfirmationData>")
			return s[:i] + s[j:]
		}), sts.ErrConditions},
		"two certificates of holders": {content(replaced("</ds:X509Data>", "<ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>")), sts.ErrConditions},
		"confirmation expired":        {content(replaced("<saml:SubjectConfirmationData>", `<saml:SubjectConfirmationData NotOnOrAfter="2026-11-21T12:00:30Z">`)), sts.ErrConditions},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forged := a.make(t, good, bare, sig)
			if forged == good {
				t.Fatal("the attack changes nothing")
			}
			got, err := verify(forged, trust())
			if err == nil {
				t.Fatalf("believed: %+v", got)
			}
			if a.want != nil && !errors.Is(err, a.want) {
				t.Errorf("err = %v, want %v", err, a.want)
			}
			for _, private := range []string{genuine, evil, "CN="} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("the text shows %q: %v", private, err)
				}
			}
		})
	}
}

func TestADTDIsRefused(t *testing.T) {
	t.Parallel()
	good := signedBy(t, unsigned("_good", genuine, ourPair()), stsPair(), nil)
	for name, prefix := range map[string]string{
		"entity":   `<!DOCTYPE x [<!ENTITY evil "x">]>`,
		"empty":    `<!DOCTYPE x>`,
		"encoding": `<?xml version="1.0" encoding="ISO-8859-1"?>`,
	} {
		if _, err := sts.VerifyAssertion([]byte(prefix+good), trust()); !errors.Is(err, sts.ErrAssertion) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "encoding" {
			continue
		}
		if _, err := sts.ReadIssuedSOAP(append([]byte(prefix), answerWith(good)...)); err == nil {
			t.Errorf("%s: the answer is read", name)
		}
	}
	if _, err := sts.VerifyAssertion([]byte(`<?xml version="1.0" encoding="utf-8"?>`+good), trust()); err != nil {
		t.Errorf("a declaration of UTF-8: %v", err)
	}
	if _, err := sts.VerifyAssertion([]byte(good+strings.Repeat(" ", 256<<10)), trust()); !errors.Is(err, sts.ErrAssertion) {
		t.Errorf("too large: %v", err)
	}
}

// template is an assertion for xmlsec1 to sign: default namespaces, odd white
// space, characters to be escaped, CDATA, QNames in values.
const template = `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"  Version='2.0' ID="_made" IssueInstant="2026-11-21T12:00:00Z" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <Issuer>https://sts.example/?a=1&amp;b=2</Issuer>
  <Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"/><Reference URI="#_made"><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">PREFIXES</Transform></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"/><DigestValue/></Reference></SignedInfo><SignatureValue/></Signature>
  <Subject><NameID Format="urn:x:&quot;&lt;&#10;y">C=DK,O=<![CDATA[Århus & Co <test>]]>,CN=æøå</NameID><SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/></Subject>
  <Conditions NotBefore="2026-11-21T12:00:00.123Z" NotOnOrAfter="2026-11-21T20:00:00.5Z"><AudienceRestriction><Audience>http://entityid.kombit.dk/service/kombipostafsend/1</Audience></AudienceRestriction></Conditions>
  <AttributeStatement><Attribute Name="a"><AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">v</AttributeValue></Attribute></AttributeStatement>
</Assertion>`

func TestAnAssertionSignedByXMLSec1IsBelieved(t *testing.T) {
	t.Parallel()
	for name, prefixes := range map[string]string{
		"no prefixes": "",
		"PrefixList":  `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			key, err := x509.MarshalPKCS8PrivateKey(stsPair().PrivateKey)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "in.xml"), []byte(strings.Replace(template, "PREFIXES", prefixes, 1)))
			write(t, filepath.Join(dir, "key.pem"), pemBlock("PRIVATE KEY", key))
			xmlsec1(t, dir, "--sign", "--privkey-pem", "key.pem", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "--output", "out.xml", "in.xml")
			signed, err := os.ReadFile(filepath.Join(dir, "out.xml"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := sts.VerifyAssertion(signed, trust())
			if err != nil {
				t.Fatal(err)
			}
			if got.Subject != "C=DK,O=Århus & Co <test>,CN=æøå" || got.Issuer != "https://sts.example/?a=1&b=2" {
				t.Errorf("%+v", got)
			}
			// The same, cut out of an answer that declares the namespaces around it.
			_, inner, _ := strings.Cut(string(signed), "?>")
			inner = strings.Replace(strings.TrimSpace(inner), ` xmlns="urn:oasis:names:tc:SAML:2.0:assertion"`, "", 1)
			inner = strings.Replace(inner, ` xmlns:xs="http://www.w3.org/2001/XMLSchema"`, "", 1)
			answer := strings.NewReplacer(
				"<t:RequestedSecurityToken>", `<t:RequestedSecurityToken xmlns="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:unused="urn:unused">`,
				"<s:Envelope ", `<s:Envelope xmlns:xs="http://www.w3.org/2001/XMLSchema" `,
			).Replace(string(answerWith(inner)))
			cut, err := sts.ReadIssuedSOAP([]byte(answer))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sts.VerifyAssertion(cut, trust()); err != nil {
				t.Errorf("cut out: %v\n%s", err, cut)
			}
			want := strings.Replace(inner, "<Assertion", `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema"`, 1)
			if string(cut) != want {
				t.Errorf("cut out:\n%s\nwant\n%s", cut, want)
			}
			write(t, filepath.Join(dir, "cut.xml"), cut)
			write(t, filepath.Join(dir, "cert.pem"), pemBlock("CERTIFICATE", stsPair().Certificate[0]))
			xmlsec1(t, dir, "--verify", "--pubkey-cert-pem", "cert.pem", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "cut.xml")
		})
	}
}

// xmlsec1 runs the program in dir and fails the test when it does.
func xmlsec1(t *testing.T, dir string, args ...string) {
	t.Helper()
	program, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("xmlsec1 is not installed, and CI must not pass without it")
		}
		t.Skip("SKIPPED: xmlsec1 is not installed, so another implementation did not check our signatures")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("xmlsec1 %s: %v\n%s", args[0], err, out)
	}
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// kept reads a file of testdata: assertion.xml is signed with the key of sts.pem
// and bound to system.pem. Workers of a fuzz test do not share keys made anew.
func kept(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keptCertificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(kept(t, name))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// FuzzVerifyAssertion looks for panics, and for anything but the one signed
// assertion that is believed.
func FuzzVerifyAssertion(f *testing.F) {
	by := trust()
	by.STS, by.Holder = []*x509.Certificate{keptCertificate(f, "sts.pem")}, keptCertificate(f, "system.pem").Raw
	good := kept(f, "assertion.xml")
	if _, err := sts.VerifyAssertion(good, by); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(unsigned("_good", evil, ourPair())))
	f.Add([]byte(strings.Replace(template, "PREFIXES", "", 1)))
	f.Fuzz(func(t *testing.T, assertion []byte) {
		got, err := sts.VerifyAssertion(assertion, by)
		if err != nil {
			if !errors.Is(err, sts.ErrAssertion) && !errors.Is(err, sts.ErrUntrusted) && !errors.Is(err, sts.ErrConditions) {
				t.Errorf("an error of no family: %v", err)
			}
			return
		}
		if got.Subject != genuine || got.ID != "_good" {
			t.Errorf("believed %+v", got)
		}
	})
}
