package asice

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The texts between the values of META-INF/signatures.xml. SignedInfo and SignedProperties stand in the file as exclusive
// canonical XML has them: each declares the namespaces that it uses where it first uses them, attributes follow
// declarations, nothing is self-closed and no white space is between elements. So what is signed is a piece of the file
// as it is. [src: EXC-C14N section 3; XMLDSIG section 4; XADES clause 5; ASIC clause 4.4.3]
const (
	nsDS  = `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	nsXA  = `xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"`
	excl  = `http://www.w3.org/2001/10/xml-exc-c14n#`
	idSig = "underskrift"
	idPro = "egenskaber"

	textHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#">` +
		`<ds:Signature ` + nsDS + ` Id="` + idSig + `">`
	textInfo = `<ds:SignedInfo ` + nsDS + `>` +
		`<ds:CanonicalizationMethod Algorithm="` + excl + `"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>`
	textReference = `<ds:Reference Id="fil-`
	textURI       = `" URI="`
	textDigest    = `"><ds:DigestMethod Algorithm="` + algSHA256 + `"></ds:DigestMethod><ds:DigestValue>`
	textDigestEnd = `</ds:DigestValue></ds:Reference>`
	textPropRef   = `<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#` + idPro + `">` +
		`<ds:Transforms><ds:Transform Algorithm="` + excl + `"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="` + algSHA256 + `"></ds:DigestMethod><ds:DigestValue>`
	textInfoEnd = `</ds:SignedInfo>`
	textValue   = `<ds:SignatureValue>`
	textKeyInfo = `</ds:SignatureValue><ds:KeyInfo><ds:X509Data>`
	textCert    = `<ds:X509Certificate>`
	textCertEnd = `</ds:X509Certificate>`
	textObject  = `</ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties ` + nsXA + ` Target="#` + idSig + `">`
	textProps   = `<xades:SignedProperties ` + nsXA + ` Id="` + idPro + `"><xades:SignedSignatureProperties><xades:SigningTime>`
	textCerts   = `</xades:SigningTime><xades:SigningCertificateV2>`
	textCertRef = `<xades:Cert><xades:CertDigest><ds:DigestMethod ` + nsDS + ` Algorithm="` + algSHA256 + `"></ds:DigestMethod>` +
		`<ds:DigestValue ` + nsDS + `>`
	textCertTail = `</ds:DigestValue></xades:CertDigest></xades:Cert>`
	textFormats  = `</xades:SigningCertificateV2></xades:SignedSignatureProperties><xades:SignedDataObjectProperties>`
	textFormat   = `<xades:DataObjectFormat ObjectReference="#fil-`
	textMime     = `"><xades:MimeType>`
	textMimeEnd  = `</xades:MimeType></xades:DataObjectFormat>`
	textPropsEnd = `</xades:SignedDataObjectProperties></xades:SignedProperties>`
	textTail     = `</xades:QualifyingProperties></ds:Object></ds:Signature></asic:XAdESSignatures>` + "\n"

	algSHA256  = `http://www.w3.org/2001/04/xmlenc#sha256`
	timeLayout = "2006-01-02T15:04:05Z"
)

// maxChain is the most certificates of a chain; OCES3 has two below its root.
const maxChain = 8

// signed is one signature: the values of META-INF/signatures.xml.
type signed struct {
	files []signedFile
	at    time.Time // whole seconds, UTC
	chain [][]byte  // DER, the signer first
	value []byte
	props [sha256.Size]byte // digest of the signed properties as the signature has it
}

type signedFile struct {
	name, mediaType string
	digest          [sha256.Size]byte
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// info is the SignedInfo: the octets that are signed.
func (s *signed) info() []byte {
	var b strings.Builder
	b.WriteString(textInfo)
	for i, f := range s.files {
		b.WriteString(textReference + strconv.Itoa(i+1) + textURI + f.name + textDigest + b64(f.digest[:]) + textDigestEnd)
	}
	b.WriteString(textPropRef + b64(s.props[:]) + textDigestEnd + textInfoEnd)
	return []byte(b.String())
}

// properties is the SignedProperties: the octets whose digest is in the SignedInfo.
func (s *signed) properties() []byte {
	var b strings.Builder
	b.WriteString(textProps + s.at.Format(timeLayout) + textCerts)
	for _, der := range s.chain {
		sum := sha256.Sum256(der)
		b.WriteString(textCertRef + b64(sum[:]) + textCertTail)
	}
	b.WriteString(textFormats)
	for i, f := range s.files {
		b.WriteString(textFormat + strconv.Itoa(i+1) + textMime + f.mediaType + textMimeEnd)
	}
	b.WriteString(textPropsEnd)
	return []byte(b.String())
}

// document is META-INF/signatures.xml.
func (s *signed) document() []byte {
	var b strings.Builder
	b.WriteString(textHead)
	b.Write(s.info())
	b.WriteString(textValue + b64(s.value) + textKeyInfo)
	for _, der := range s.chain {
		b.WriteString(textCert + b64(der) + textCertEnd)
	}
	b.WriteString(textObject)
	b.Write(s.properties())
	b.WriteString(textTail)
	return []byte(b.String())
}

// manifest is META-INF/manifest.xml: every file with its media type, as OpenDocument lists them. It is not signed, and
// says nothing that the signature does not say. [src: ASIC clause 4.4.3; ODF-1.2-PACKAGES clause 3]
func (s *signed) manifest() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">` + "\n" +
		`  <manifest:file-entry manifest:full-path="/" manifest:media-type="` + typeMimetype + `"/>` + "\n")
	for _, f := range s.files {
		b.WriteString(`  <manifest:file-entry manifest:full-path="` + f.name + `" manifest:media-type="` + f.mediaType + `"/>` + "\n")
	}
	b.WriteString("</manifest:manifest>\n")
	return []byte(b.String())
}

// errForm is what a META-INF/signatures.xml is refused with that Write cannot have written.
var errForm = errors.New("it does not have the form of a signature of this program")

// scanner takes a document apart along the texts that must be in it.
type scanner struct {
	rest string
	bad  bool
}

// has takes text, when the document goes on with it.
func (s *scanner) has(text string) bool {
	rest, found := strings.CutPrefix(s.rest, text)
	if found && !s.bad {
		s.rest = rest
	}
	return found && !s.bad
}

// want takes text, which must be next.
func (s *scanner) want(text string) {
	if !s.has(text) {
		s.bad = true
	}
}

// until takes a value and the text that ends it. No value holds markup.
func (s *scanner) until(text string) string {
	value, rest, found := strings.Cut(s.rest, text)
	if !found || s.bad || strings.ContainsAny(value, "<>&\"'\r\n\t ") {
		s.bad = true
		return ""
	}
	s.rest = rest
	return value
}

// binary takes a value in base64.
func (s *scanner) binary(end string) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(s.until(end))
	if err != nil {
		s.bad = true
	}
	return b
}

func (s *scanner) digest(end string) (sum [sha256.Size]byte) {
	b := s.binary(end)
	if len(b) != len(sum) {
		s.bad = true
		return sum
	}
	return [sha256.Size]byte(b)
}

// readSigned reads META-INF/signatures.xml. What it accepts is, byte for byte, what [signed.document] makes of the values.
func readSigned(document []byte) (*signed, error) {
	sc, s := scanner{rest: string(document)}, new(signed)
	sc.want(textHead + textInfo)
	for sc.has(textReference) {
		sc.want(strconv.Itoa(len(s.files)+1) + textURI)
		f := signedFile{name: sc.until(textDigest)}
		f.digest = sc.digest(textDigestEnd)
		if s.files = append(s.files, f); len(s.files) > MaxFiles {
			return nil, errForm
		}
	}
	sc.want(textPropRef)
	s.props = sc.digest(textDigestEnd)
	sc.want(textInfoEnd + textValue)
	s.value = sc.binary(textKeyInfo)
	for sc.has(textCert) {
		if s.chain = append(s.chain, sc.binary(textCertEnd)); len(s.chain) > maxChain {
			return nil, errForm
		}
	}
	sc.want(textObject + textProps)
	at, err := time.Parse(timeLayout, sc.until(textCerts))
	if err != nil {
		return nil, errForm
	}
	s.at = at
	for range s.chain {
		sc.want(textCertRef)
		_ = sc.digest(textCertTail) // compared below
	}
	sc.want(textFormats)
	for i := range s.files {
		sc.want(textFormat + strconv.Itoa(i+1) + textMime)
		s.files[i].mediaType = sc.until(textMimeEnd)
	}
	sc.want(textPropsEnd + textTail)
	if sc.bad || sc.rest != "" || len(s.chain) == 0 || !bytes.Equal(s.document(), document) {
		return nil, errForm
	}
	return s, s.checkFiles()
}

// checkFiles refuses names and media types that cannot stand in a container.
func (s *signed) checkFiles() error {
	names := make([]string, len(s.files))
	for i, f := range s.files {
		names[i] = f.name
		if !isMediaType(f.mediaType) {
			return fmt.Errorf("asice: file %d has no usable media type", i+1)
		}
	}
	return checkNames(names)
}

// isMediaType says whether t is type/subtype, without parameters (RFC 6838 section 4.2).
func isMediaType(t string) bool {
	major, minor, found := strings.Cut(t, "/")
	for _, part := range []string{major, minor} {
		rest := strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-")
		if part == "" || len(part) > 100 || rest != "" {
			return false
		}
	}
	return found
}
