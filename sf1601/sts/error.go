package sts

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The operations an Error names.
const (
	OpIssue = "sts.issue" // SAML token
	OpToken = "token"     // access token
)

// Error is what Source gives when there is no token. Its text holds no token
// and nothing of the far end's body.
type Error struct {
	Op         string        // OpIssue or OpToken
	Denied     bool          // the far end refuses us; trying again soon is of no use
	HTTPStatus int           // 0 when no answer came
	RetryAfter time.Duration // what the server asked for, 0 when it did not
	Hint       string        // what an operator can do, "" when nothing is known
	Err        error         // cause
}

// Error gives the technical text.
func (e *Error) Error() string {
	if e.HTTPStatus != 0 {
		return fmt.Sprintf("%s: HTTP %d: %v", e.Op, e.HTTPStatus, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Op, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// hints of the refusals an operator can act on.
func refusalHint(op string, status int) string {
	switch {
	case op == OpIssue && status == 400:
		return "Check the authority's CVR and that a service agreement of the Anvendersystem covers the service " +
			"(Fælleskommunalt Administrationsmodul)."
	case op == OpIssue:
		return "The STS refuses the system certificate: is it uploaded on the Anvendersystem, of this environment, and approved?"
	case status == 401 || status == 400:
		return "The SAML token was refused: is the same certificate used for the token and the connection, and is the clock right?"
	default:
		return "Access was refused: is the service agreement approved by the authority?"
	}
}

// distrust is the error of an assertion that was not believed: an operator must
// look, so asking again soon is of no use.
func distrust(err error) *Error {
	e := &Error{Op: OpIssue, Denied: true, HTTPStatus: http.StatusOK, Err: err}
	switch {
	case errors.Is(err, ErrUntrusted):
		e.Hint = "The STS's signature does not verify with the certificates in sts_certificate_file: has the STS a new certificate?"
	case errors.Is(err, ErrConditions):
		e.Hint = "The STS issued a token that does not hold here: is the clock right, and is the certificate the one of the agreement?"
	default:
		e.Hint = "The STS issued a token that cannot be verified; nothing was sent with it."
	}
	return e
}
