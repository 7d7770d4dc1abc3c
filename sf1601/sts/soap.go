package sts

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"time"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/brevdue/brevdue/sf1601/signature"
)

// soapPath is the SOAP issue of the STS. [src: STS-SOAP-CLIENTS endpoint]
const soapPath = "/runtime/services/kombittrust/14/certificatemixed"

// Namespaces of the SOAP issue.
const (
	nsSOAP = "http://www.w3.org/2003/05/soap-envelope"
	nsWSA  = "http://www.w3.org/2005/08/addressing"
	nsWSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsWSU  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsWST  = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
	nsWSP  = "http://schemas.xmlsoap.org/ws/2004/09/policy"
	nsAuth = "http://docs.oasis-open.org/wsfed/authorization/200706"
)

// Values of the SOAP issue.
const (
	actionIssue   = nsWST + "/RST/Issue"
	anonymous     = nsWSA + "/anonymous"
	claimsDialect = nsAuth + "/authclaims"
	claimCVR      = "dk:gov:saml:attribute:CvrNumberIdentifier"
	valueX509     = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	encodingB64   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

// soapLife is how long a request is good for (wsu:Timestamp).
const soapLife = 300 * time.Second

// The ids of the seven parts that are signed. They need be unique within the
// message only.
const (
	idTimestamp = "timestamp"
	idBody      = "body"
	idTo        = "to"
	idReplyTo   = "reply-to"
	idMessageID = "message-id"
	idAction    = "action"
	idToken     = "token"
)

// signer signs SOAP requests: RSA-SHA256 (PKCS#1 v1.5), as the STS asks, however
// the certificate itself is signed.
type signer struct {
	context     *dsig.SigningContext
	certificate string // base64 DER
}

// newSigner takes the system certificate with its key; der is the certificate
// the token is to be bound to, which must be the same.
func newSigner(cert tls.Certificate, der []byte) (*signer, error) {
	key, err := signature.NewKey(cert)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if !bytes.Equal(key.Certificate().Raw, der) {
		return nil, errors.New("it is another one than CertificateDER")
	}
	private, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("its key cannot sign")
	}
	ctx, err := dsig.NewSigningContext(private, cert.Certificate[:1])
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if err := ctx.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return &signer{ctx, base64.StdEncoding.EncodeToString(der)}, nil
}

// issueSOAP asks in SOAP: a signed request for a token, and the assertion out of
// the answer.
func (s *Source) issueSOAP(ctx context.Context, a Audience) (SAML, error) {
	sent := s.cfg.Now()
	body, err := s.signer.envelope(a, s.cfg.NewUUID(), sent)
	if err != nil {
		return SAML{}, &Error{Op: OpIssue, Err: err}
	}
	res, err := s.call(ctx, OpIssue, s.cfg.STS+soapPath, map[string]string{
		"Content-Type": `application/soap+xml; charset=utf-8; action="` + actionIssue + `"`,
		"Accept":       "application/soap+xml",
	}, body)
	if err != nil {
		return SAML{}, err
	}
	if e := readFault(res, s.cfg.Now()); e != nil {
		return SAML{}, e
	}
	if res.status != http.StatusOK {
		return SAML{}, refusal(OpIssue, res, s.cfg.Now())
	}
	assertion, err := readIssuedSOAP(res.body)
	if err != nil {
		return SAML{}, &Error{Op: OpIssue, HTTPStatus: res.status, Err: err}
	}
	return s.accept(a, assertion, nil, sent)
}

// part is an element that is signed, in exclusive canonical form: it declares
// every namespace it uses, so its bytes are the same wherever it stands.
type part struct {
	id  string
	xml []byte
}

// envelope makes the signed request: WS-Addressing headers, WS-Security with
// exactly the seven references, and the RequestSecurityToken.
// [src: STS-SOAP-CLIENTS signed parts]
func (k *signer) envelope(a Audience, messageID string, now time.Time) ([]byte, error) {
	const wsa, id = ` xmlns:wsa="` + nsWSA + `" xmlns:wsu="` + nsWSU + `"`, ` wsu:Id="`
	action := part{idAction, []byte(`<wsa:Action` + wsa + id + idAction + `">` + actionIssue + `</wsa:Action>`)}
	message := part{idMessageID, []byte(`<wsa:MessageID` + wsa + id + idMessageID + `">urn:uuid:` + text(messageID) + `</wsa:MessageID>`)}
	reply := part{idReplyTo, []byte(`<wsa:ReplyTo` + wsa + id + idReplyTo + `"><wsa:Address>` + anonymous + `</wsa:Address></wsa:ReplyTo>`)}
	to := part{idTo, []byte(`<wsa:To` + wsa + id + idTo + `">` + text(a.EntityID) + `</wsa:To>`)}
	token := part{idToken, []byte(`<wsse:BinarySecurityToken xmlns:wsse="` + nsWSSE + `" xmlns:wsu="` + nsWSU +
		`" EncodingType="` + encodingB64 + `" ValueType="` + valueX509 + `"` + id + idToken + `">` + k.certificate +
		`</wsse:BinarySecurityToken>`)}
	stamp := part{idTimestamp, timestamp(now)}
	body := part{idBody, k.request(a)}

	signed, err := k.sign([]part{stamp, body, to, reply, message, action, token})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`<soap:Envelope xmlns:soap="` + nsSOAP + `"><soap:Header>`)
	for _, p := range []part{action, message, reply, to} {
		b.Write(p.xml)
	}
	b.WriteString(`<wsse:Security xmlns:wsse="` + nsWSSE + `" soap:mustUnderstand="true">`)
	b.Write(token.xml)
	b.Write(stamp.xml)
	b.Write(signed)
	b.WriteString(`</wsse:Security></soap:Header>`)
	b.Write(body.xml)
	b.WriteString(`</soap:Envelope>`)
	return b.Bytes(), nil
}

func timestamp(now time.Time) []byte {
	const form = "2006-01-02T15:04:05.000Z"
	now = now.UTC()
	return []byte(`<wsu:Timestamp xmlns:wsu="` + nsWSU + `" wsu:Id="` + idTimestamp + `"><wsu:Created>` + now.Format(form) +
		`</wsu:Created><wsu:Expires>` + now.Add(soapLife).Format(form) + `</wsu:Expires></wsu:Timestamp>`)
}

// request is the soap:Body: a RequestSecurityToken of WS-Trust 1.3 on behalf of
// the authority, for a token bound to the certificate.
func (k *signer) request(a Audience) []byte {
	return []byte(`<soap:Body xmlns:soap="` + nsSOAP + `" xmlns:wsu="` + nsWSU + `" wsu:Id="` + idBody + `">` +
		`<wst:RequestSecurityToken xmlns:wst="` + nsWST + `">` +
		`<wst:RequestType>` + requestIssue + `</wst:RequestType>` +
		`<wsp:AppliesTo xmlns:wsp="` + nsWSP + `"><wsa:EndpointReference xmlns:wsa="` + nsWSA + `"><wsa:Address>` + text(a.EntityID) +
		`</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>` +
		`<wst:Claims Dialect="` + claimsDialect + `"><auth:ClaimType xmlns:auth="` + nsAuth + `" Uri="` + claimCVR + `"><auth:Value>` +
		text(a.CVR) + `</auth:Value></auth:ClaimType></wst:Claims>` +
		`<wst:TokenType>` + tokenTypeSAML2 + `</wst:TokenType>` +
		`<wst:KeyType>` + keyTypePublicKey + `</wst:KeyType>` +
		`<wst:UseKey><wsse:BinarySecurityToken xmlns:wsse="` + nsWSSE + `" EncodingType="` + encodingB64 + `" ValueType="` + valueX509 +
		`">` + k.certificate + `</wsse:BinarySecurityToken></wst:UseKey>` +
		`</wst:RequestSecurityToken></soap:Body>`)
}

// sign makes the ds:Signature over the parts; SignedInfo too is written in
// canonical form.
func (k *signer) sign(parts []part) ([]byte, error) {
	var info bytes.Buffer
	info.WriteString(`<ds:SignedInfo xmlns:ds="` + dsNamespace + `"><ds:CanonicalizationMethod Algorithm="` + algExcC14N +
		`"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` + algRSASHA256 + `"></ds:SignatureMethod>`)
	for _, p := range parts {
		digest := sha256.Sum256(p.xml)
		info.WriteString(`<ds:Reference URI="#` + p.id + `"><ds:Transforms><ds:Transform Algorithm="` + algExcC14N +
			`"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="` + algSHA256 + `"></ds:DigestMethod><ds:DigestValue>` +
			base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference>`)
	}
	info.WriteString(`</ds:SignedInfo>`)
	value, err := k.context.SignString(info.String())
	if err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	return []byte(`<ds:Signature xmlns:ds="` + dsNamespace + `">` + info.String() + `<ds:SignatureValue>` +
		base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse="` + nsWSSE +
		`"><wsse:Reference URI="#` + idToken + `" ValueType="` + valueX509 +
		`"></wsse:Reference></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>`), nil
}

// text escapes character data as canonical XML does.
func text(s string) string {
	var b bytes.Buffer
	for _, r := range s {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '\r':
			b.WriteString("&#xD;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// attribute escapes an attribute's value.
func attribute(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // never fails: a buffer
	return b.String()
}
