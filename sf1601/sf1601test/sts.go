package sf1601test

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// issueRequest is the body of the STS's REST issue call.
// The STS's own REST description is not published; UseKey is undocumented but
// required. [src: STS-REST-CLIENTS]
type issueRequest struct {
	TokenType        string
	RequestType      string
	KeyType          string
	AnvenderKontekst *struct{ Cvr string }
	UseKey           string
	AppliesTo        *struct {
		EndpointReference *struct{ Address string }
	}
	OnBehalfOf json.RawMessage
}

// Values of the issue call. The STS's full URIs and their last words are both
// taken.
const (
	tokenTypeURI   = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0" //nolint:gosec // a type name
	requestTypeURI = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue"
	keyTypeURI     = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/PublicKey"
)

// oneOf is uri or what follows its last slash or hash.
func oneOf(value, uri string) bool {
	return value == uri || value == uri[strings.LastIndexAny(uri, "/#")+1:]
}

// check says which field of the call is wrong; certificate is the DER of the
// TLS client certificate.
func (q *issueRequest) check(certificate []byte) string {
	key, err := base64.StdEncoding.DecodeString(q.UseKey)
	switch {
	case !oneOf(q.TokenType, tokenTypeURI):
		return "TokenType is not SAMLV2.0"
	case !oneOf(q.RequestType, requestTypeURI):
		return "RequestType is not Issue"
	case !oneOf(q.KeyType, keyTypeURI):
		return "KeyType is not PublicKey"
	case q.AnvenderKontekst == nil || !digits(q.AnvenderKontekst.Cvr, 8):
		return "AnvenderKontekst.Cvr is not 8 digits"
	case q.UseKey == "":
		return "UseKey is missing"
	case err != nil:
		return "UseKey is not one line of Base64"
	case subtle.ConstantTimeCompare(key, certificate) != 1:
		return "UseKey is not the certificate of the connection"
	case q.AppliesTo == nil || q.AppliesTo.EndpointReference == nil:
		return "AppliesTo.EndpointReference is missing"
	case !knownAudience(q.AppliesTo.EndpointReference.Address):
		return "AppliesTo.EndpointReference.Address is not a service known here"
	case q.OnBehalfOf == nil:
		return "OnBehalfOf is missing"
	case string(q.OnBehalfOf) != "null":
		return "OnBehalfOf is not null"
	}
	return ""
}

// issue is the STS: POST JSON, a SAML assertion back.
func (s *Server) issue(w http.ResponseWriter, r *http.Request) {
	if !mediaType(r, "application/json") {
		s.stsError(w, r, http.StatusUnsupportedMediaType, "Content-Type is not application/json")
		return
	}
	var q issueRequest
	if err := strictJSON(http.MaxBytesReader(w, r.Body, 64<<10), &q); err != nil {
		s.stsError(w, r, http.StatusBadRequest, "the body is not the JSON of an issue request: "+err.Error())
		return
	}
	cert := r.TLS.PeerCertificates[0]
	if wrong := q.check(cert.Raw); wrong != "" {
		s.stsError(w, r, http.StatusBadRequest, wrong)
		return
	}
	now := s.cfg.Now().UTC()
	g := grant{
		audience: q.AppliesTo.EndpointReference.Address, cvr: q.AnvenderKontekst.Cvr, holder: thumbprint(cert),
		expires: now.Add(time.Duration(s.Faults().AssertionLifetime)),
	}
	xml, err := s.newAssertion(q.UseKey, g, now)
	if err != nil {
		s.stsError(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	assertion := base64.StdEncoding.EncodeToString([]byte(xml))
	if !s.tokens.issue(assertion, g) {
		s.stsError(w, r, http.StatusServiceUnavailable, "too many assertions are in use")
		return
	}
	const lifetime = "01/02/2006 15:04:05" // as the real STS writes it
	writeJSON(w, http.StatusOK, map[string]any{
		"TokenType":              tokenTypeURI,
		"RequestedSecurityToken": map[string]string{"Assertion": assertion},
		"Lifetime":               map[string]string{"Created": now.Format(lifetime), "Expires": g.expires.Format(lifetime)},
		"KeyType":                keyTypeURI,
	})
}

// newAssertion makes a signed assertion for the certificate in key (base64 DER).
func (s *Server) newAssertion(key string, g grant, now time.Time) (string, error) {
	id := s.newUUID()
	return s.authority.signAssertion("_"+id, samlAssertion(id, key, g, now))
}

// samlAssertion is a SAML 2.0 assertion with holder-of-key confirmation, in
// canonical form and not signed yet.
func samlAssertion(id, key string, g grant, now time.Time) string {
	const form = "2006-01-02T15:04:05.000Z"
	from, to := now.Format(form), g.expires.Format(form)
	return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_` + id +
		`" IssueInstant="` + from + `" Version="2.0">` +
		`<saml:Issuer>https://sts.sim.invalid/</saml:Issuer>` +
		`<saml:Subject><saml:NameID>C=DK,O=` + g.cvr + `,CN=simulator</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key">` +
		`<saml:SubjectConfirmationData><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` +
		`<ds:X509Data><ds:X509Certificate>` + key +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + from + `" NotOnOrAfter="` + to + `"><saml:AudienceRestriction><saml:Audience>` + g.audience +
		`</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AttributeStatement><saml:Attribute Name="dk:gov:saml:attribute:CvrNumberIdentifier"><saml:AttributeValue>` + g.cvr +
		`</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>`
}

// token is AccessTokenService_1: the form field saml-token, an access token
// back.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !mediaType(r, "application/x-www-form-urlencoded") {
		s.stsError(w, r, http.StatusUnsupportedMediaType, "Content-Type is not application/x-www-form-urlencoded")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.stsError(w, r, http.StatusBadRequest, "the body is not a form")
		return
	}
	if len(r.PostForm["saml-token"]) != 1 {
		s.stsError(w, r, http.StatusBadRequest, "the form does not have one saml-token")
		return
	}
	holder := thumbprint(r.TLS.PeerCertificates[0])
	g, wrong := s.tokens.check(r.PostForm.Get("saml-token"), holder)
	if wrong != "" {
		s.stsError(w, r, http.StatusUnauthorized, "saml-token: "+wrong)
		return
	}
	life := time.Duration(s.Faults().TokenLifetime)
	g.expires = s.cfg.Now().Add(life)
	access := s.newUUID() + s.newUUID()
	if !s.tokens.issue(accessKey(access), g) {
		s.stsError(w, r, http.StatusServiceUnavailable, "too many access tokens are in use")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Holder-of-key", "expires_in": int64(life / time.Second),
	})
}

// accessKey keeps access tokens and assertions apart in the one store.
func accessKey(token string) string { return "access " + token }

// authorize checks the Authorization header for a service and returns the
// token and what it grants, or in words why not.
func (s *Server) authorize(r *http.Request, audience string) (token string, g grant, wrong string) {
	header := r.Header.Get("Authorization")
	const scheme = "Holder-of-key "
	if header == "" {
		return "", g, "there is no Authorization header"
	}
	if len(header) <= len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", g, "Authorization is not Holder-of-key and a token"
	}
	token = header[len(scheme):]
	g, wrong = s.tokens.check(accessKey(token), thumbprint(r.TLS.PeerCertificates[0]))
	if wrong == "" && g.audience != audience {
		wrong = "the token is for another service"
	}
	return token, g, wrong
}

// stsError answers an error of the token chain. The real services' error
// bodies are not published.
func (s *Server) stsError(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.cfg.Logger.Warn("token call refused", "path", r.URL.Path, "status", status, "reason", reason)
	writeJSON(w, status, map[string]string{"error": CodeRefused, "error_description": reason})
}

func mediaType(r *http.Request, want string) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == want
}

// strictJSON reads one JSON value without unknown fields.
func strictJSON(r io.Reader, into any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // own types; a client that left cannot be told
}
