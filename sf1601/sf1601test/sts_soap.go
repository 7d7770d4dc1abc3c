package sf1601test

import (
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"time"
)

// PathIssueSOAP is the STS's issue in SOAP. [src: STS-SOAP-CLIENTS endpoint]
const PathIssueSOAP = "/runtime/services/kombittrust/14/certificatemixed"

// Names of the SOAP issue.
const (
	nsSOAP       = "http://www.w3.org/2003/05/soap-envelope"
	nsWSA        = "http://www.w3.org/2005/08/addressing"
	nsWSSE       = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsWSU        = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsWST        = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
	nsWSP        = "http://schemas.xmlsoap.org/ws/2004/09/policy"
	nsAuth       = "http://docs.oasis-open.org/wsfed/authorization/200706"
	nsDS         = "http://www.w3.org/2000/09/xmldsig#"
	algExcC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	valueX509    = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	encodingB64  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
	claimCVR     = "dk:gov:saml:attribute:CvrNumberIdentifier"
)

// maxSOAP bounds a request; real ones are about 8 KB.
const maxSOAP = 64 << 10

// soapWrong is why a request is refused: a subcode of WS-Security or WS-Trust
// and words that name the part.
type soapWrong struct{ subcode, reason string }

// Subcodes of the faults. Which the real STS gives is not published.
const (
	subInvalidSecurity = "wsse:InvalidSecurity" // the form of the header
	subFailedCheck     = "wsse:FailedCheck"     // signature and digests
	subExpired         = "wsu:MessageExpired"
	subInvalidRequest  = "wst:InvalidRequest"
)

// issueSOAP is the STS: a signed SOAP request, a SAML assertion back.
func (s *Server) issueSOAP(w http.ResponseWriter, r *http.Request) {
	if !mediaType(r, "application/soap+xml") {
		s.soapFault(w, r, http.StatusUnsupportedMediaType, soapWrong{subInvalidRequest, "Content-Type is not application/soap+xml"})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSOAP))
	if err != nil {
		s.soapFault(w, r, http.StatusBadRequest, soapWrong{subInvalidRequest, "the body was cut or is too large"})
		return
	}
	cert := r.TLS.PeerCertificates[0]
	now := s.cfg.Now().UTC()
	q, wrong := readSOAPIssue(body, cert, now)
	if wrong != nil {
		s.soapFault(w, r, http.StatusInternalServerError, *wrong)
		return
	}
	g := grant{audience: q.audience, cvr: q.cvr, holder: thumbprint(cert), expires: now.Add(time.Duration(s.Faults().AssertionLifetime))}
	assertion, err := s.newAssertion(base64.StdEncoding.EncodeToString(cert.Raw), g, now)
	if err != nil || !s.tokens.issue(base64.StdEncoding.EncodeToString([]byte(assertion)), g) {
		s.cfg.Logger.Warn("no assertion was made", "err", err)
		s.soapReceiver(w)
		return
	}
	const form = "2006-01-02T15:04:05.000Z"
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	//nolint:gosec // not a page: XML for a program, and what is repeated of the request is escaped
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+
		`<s:Envelope xmlns:s="`+nsSOAP+`" xmlns:a="`+nsWSA+`" xmlns:u="`+nsWSU+`"><s:Header>`+
		`<a:Action s:mustUnderstand="1">`+nsWST+`/RSTRC/IssueFinal</a:Action><a:RelatesTo>`+escaped(q.messageID)+
		`</a:RelatesTo></s:Header>`+
		`<s:Body><t:RequestSecurityTokenResponseCollection xmlns:t="`+nsWST+`"><t:RequestSecurityTokenResponse>`+
		`<t:TokenType>`+tokenTypeURI+`</t:TokenType><t:RequestedSecurityToken>`+assertion+`</t:RequestedSecurityToken>`+
		`<t:Lifetime><u:Created>`+now.Format(form)+`</u:Created><u:Expires>`+g.expires.UTC().Format(form)+`</u:Expires></t:Lifetime>`+
		`</t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection></s:Body></s:Envelope>`)
}

// soapFault answers a fault of the sender that names what is wrong.
func (s *Server) soapFault(w http.ResponseWriter, r *http.Request, status int, wrong soapWrong) {
	s.cfg.Logger.Warn("token call refused", "path", r.URL.Path, "status", status, "subcode", wrong.subcode, "reason", wrong.reason)
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<s:Envelope xmlns:s="`+nsSOAP+`"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>`+
		`<s:Value xmlns:wsse="`+nsWSSE+`" xmlns:wsu="`+nsWSU+`" xmlns:wst="`+nsWST+`">`+wrong.subcode+`</s:Value></s:Subcode></s:Code>`+
		`<s:Reason><s:Text xml:lang="en">`+escaped(wrong.reason)+`</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`)
}

// soapReceiver answers a fault of our own.
func (s *Server) soapReceiver(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, `<s:Envelope xmlns:s="`+nsSOAP+`"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code>`+
		`<s:Reason><s:Text xml:lang="en">no assertion could be made</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`)
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // never fails: a builder
	return b.String()
}
