package sts

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Paths of the two services.
const (
	issuePath = "/runtime/api/rest/wstrust/v1/issue"
	tokenPath = "/service/AccessTokenService_1/token"
)

// Values of the request (OASIS SAML Token Profile 1.1, WS-Trust 1.3).
const (
	tokenTypeSAML2   = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0" //nolint:gosec // a name, not a credential
	requestIssue     = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue"
	keyTypePublicKey = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/PublicKey"
)

// issueRequest is the body of the REST issue. The fields, their spelling and
// the null OnBehalfOf are what public clients of the service send; UseKey is
// undocumented but required.
type issueRequest struct {
	TokenType        string           `json:"TokenType"`
	RequestType      string           `json:"RequestType"`
	KeyType          string           `json:"KeyType"`
	AnvenderKontekst anvenderKontekst `json:"AnvenderKontekst"`
	UseKey           string           `json:"UseKey"` // base64 DER in one line, no PEM armour
	AppliesTo        appliesTo        `json:"AppliesTo"`
	OnBehalfOf       *string          `json:"OnBehalfOf"` // always null: we act for ourselves
}

type anvenderKontekst struct {
	Cvr string `json:"Cvr"`
}

type appliesTo struct {
	EndpointReference endpointReference `json:"EndpointReference"`
}

type endpointReference struct {
	Address string `json:"Address"`
}

// issueAnswer is what is read of the answer. encoding/json matches the names
// without regard to case.
type issueAnswer struct {
	RequestedSecurityToken struct {
		Assertion string `json:"Assertion"`
	} `json:"RequestedSecurityToken"`
	Lifetime json.RawMessage `json:"Lifetime"`
}

// defaultSAMLLife is taken when neither the answer nor the assertion says how
// long the token lives. The STS's own default is 8 hours; a shorter guess only
// costs a call.
const defaultSAMLLife = time.Hour

// issue asks the STS for a SAML token.
func (s *Source) issue(ctx context.Context, a Audience) (SAML, error) {
	if s.cfg.Mode == SOAP {
		return s.issueSOAP(ctx, a)
	}
	return s.issueREST(ctx, a)
}

// issueREST asks in JSON.
func (s *Source) issueREST(ctx context.Context, a Audience) (SAML, error) {
	body, err := json.Marshal(issueRequest{
		TokenType: tokenTypeSAML2, RequestType: requestIssue, KeyType: keyTypePublicKey,
		AnvenderKontekst: anvenderKontekst{a.CVR},
		UseKey:           base64.StdEncoding.EncodeToString(s.cfg.CertificateDER),
		AppliesTo:        appliesTo{endpointReference{a.EntityID}},
	})
	if err != nil {
		return SAML{}, &Error{Op: OpIssue, Err: err}
	}
	sent := s.cfg.Now()
	answer, err := s.post(ctx, OpIssue, s.cfg.STS+issuePath, "application/json", body)
	if err != nil {
		return SAML{}, err
	}
	lifetime, assertion, err := readIssued(answer)
	if err != nil {
		return SAML{}, err
	}
	return s.accept(a, assertion, lifetime, sent)
}

// accept makes a SAML token of the assertion received in answer to a request
// made at sent. With TrustedSTS it is verified first, and what the token says
// of itself is read from what was verified.
func (s *Source) accept(a Audience, assertion []byte, lifetime json.RawMessage, sent time.Time) (SAML, error) {
	saml := SAML{Assertion: base64.StdEncoding.EncodeToString(assertion)}
	if len(s.cfg.TrustedSTS) > 0 {
		v, err := VerifyAssertion(assertion, Trust{
			STS: s.cfg.TrustedSTS, Audience: a.EntityID, Holder: s.cfg.CertificateDER, Now: s.cfg.Now(),
		})
		if err != nil {
			return SAML{}, distrust(err)
		}
		saml.Subject, saml.Issuer, saml.Verified = v.Subject, v.Issuer, true
	} else {
		saml.Subject, saml.Issuer = names(assertion)
	}
	saml.renew, saml.Expires = period(sent, samlLife(sent, lifetime, assertion), samlMargin)
	return saml, nil
}

// readIssued reads the answer of the REST issue: its Lifetime as it stands, and
// the assertion's XML.
func readIssued(answer []byte) (json.RawMessage, []byte, error) {
	var got issueAnswer
	if err := json.Unmarshal(answer, &got); err != nil {
		return nil, nil, &Error{Op: OpIssue, HTTPStatus: http.StatusOK, Err: errors.New("the answer is not the JSON of an issued token")}
	}
	xml, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(got.RequestedSecurityToken.Assertion), ""))
	if err != nil || len(xml) == 0 {
		return nil, nil, &Error{Op: OpIssue, HTTPStatus: http.StatusOK, Err: errors.New("the answer holds no base64 assertion")}
	}
	return got.Lifetime, xml, nil
}

// tokenAnswer is the answer of AccessTokenService_1.
type tokenAnswer struct {
	AccessToken string      `json:"access_token"`
	TokenType   string      `json:"token_type"`
	ExpiresIn   json.Number `json:"expires_in"` // seconds, as number or text
}

// exchange gets an access token for a SAML token.
func (s *Source) exchange(ctx context.Context, saml SAML) (Access, error) {
	form := url.Values{"saml-token": {saml.Assertion}}.Encode()
	sent := s.cfg.Now()
	answer, err := s.post(ctx, OpToken, s.cfg.Base+tokenPath, "application/x-www-form-urlencoded", []byte(form))
	if err != nil {
		return Access{}, err
	}
	access, err := readAccess(answer, sent)
	access.Subject, access.Issuer, access.Verified = saml.Subject, saml.Issuer, saml.Verified
	return access, err
}

// readAccess reads the answer of the token service to a request made at sent.
func readAccess(answer []byte, sent time.Time) (Access, error) {
	var got tokenAnswer
	if err := json.Unmarshal(answer, &got); err != nil || !headerSafe(got.AccessToken) || !headerSafe(got.TokenType+"x") {
		return Access{}, &Error{Op: OpToken, HTTPStatus: http.StatusOK, Err: errors.New("the answer is not the JSON of an access token")}
	}
	if got.TokenType == "" {
		got.TokenType = "Holder-of-key"
	}
	// Without a usable expires_in the token is used once and not kept.
	seconds, _ := got.ExpiresIn.Int64()
	life := time.Duration(min(max(seconds, 0), 86400)) * time.Second
	renew, expires := period(sent, life, accessMargin)
	return Access{Token: got.AccessToken, Type: got.TokenType, Expires: expires, renew: renew}, nil
}

// headerSafe says whether s is one or more visible ASCII characters.
func headerSafe(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// maxAnswer bounds an answer; real ones are about 10 KB.
const maxAnswer = 1 << 20

// response is an answer of any status, read to its end.
type response struct {
	status int
	header http.Header
	body   []byte
}

// post makes one bounded call that is answered in JSON. Whatever is not a 200
// becomes an *Error.
func (s *Source) post(ctx context.Context, op, address, contentType string, body []byte) ([]byte, error) {
	res, err := s.call(ctx, op, address, map[string]string{"Content-Type": contentType, "Accept": "application/json"}, body)
	if err != nil {
		return nil, err
	}
	if res.status != http.StatusOK {
		return nil, refusal(op, res, s.cfg.Now())
	}
	return res.body, nil
}

// call makes one bounded POST and reads the answer whole.
func (s *Source) call(ctx context.Context, op, address string, header map[string]string, body []byte) (*response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.Timeout, fmt.Errorf("no answer within %s", s.cfg.Timeout))
	defer cancel()
	res, err := s.http.R().SetContext(ctx).SetDoNotParseResponse(true).SetHeaders(header).
		SetBody(bytes.NewReader(body)).Post(address)
	if err != nil {
		return nil, &Error{Op: op, Err: cause(ctx, err)}
	}
	defer func() { _ = res.RawBody().Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.RawBody(), maxAnswer+1))
	switch status := res.StatusCode(); {
	case err != nil:
		return nil, &Error{Op: op, HTTPStatus: status, Err: fmt.Errorf("the answer was cut: %w", cause(ctx, err))}
	case len(answer) > maxAnswer:
		return nil, &Error{Op: op, HTTPStatus: status, Err: fmt.Errorf("the answer exceeds %d bytes", maxAnswer)}
	default:
		return &response{status, res.Header(), answer}, nil
	}
}

func refusal(op string, res *response, now time.Time) *Error {
	e := &Error{
		Op: op, HTTPStatus: res.status,
		RetryAfter: RetryAfter(res.header.Get("Retry-After"), now), Err: errors.New("no token was issued"),
	}
	if !passing(res.status) {
		e.Denied = true
		e.Hint = refusalHint(op, res.status)
	}
	return e
}

// passing says whether a status is of a trouble that passes by itself.
func passing(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= http.StatusInternalServerError
}

// maxRetryAfter is the longest wait a server is believed to mean.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads a Retry-After header (RFC 9110, section 10.2.3): seconds or
// an HTTP date. It gives 0 for none, nonsense or the past, and at most a day.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	var d time.Duration
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		d = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// cause strips the URL from an HTTP error and prefers why ctx ended.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
