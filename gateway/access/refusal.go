package access

import "errors"

// Refusal says why somebody was not let in. It is for the log: a caller who is told why learns what to try next.
type Refusal struct {
	Reason Reason
	Err    error // the cause, without any part of what was presented; may be nil
}

// Reason is a fixed word.
type Reason string

// The reasons.
const (
	NoToken        Reason = "token.missing"
	UnknownToken   Reason = "token.unknown"
	ExpiredToken   Reason = "token.expired"
	OversizedToken Reason = "token.oversized"

	MalformedJWT     Reason = "jwt.malformed"
	WrongAlgorithm   Reason = "jwt.algorithm"
	UnknownIssuer    Reason = "jwt.issuer"
	UnknownKey       Reason = "jwt.key"
	WrongSignature   Reason = "jwt.signature"
	WrongAudience    Reason = "jwt.audience"
	WrongType        Reason = "jwt.type"
	ExpiredJWT       Reason = "jwt.expired"
	EarlyJWT         Reason = "jwt.early"
	UnknownJWTClient Reason = "jwt.client"

	WrongPassword Reason = "password.wrong"
	TooManyTries  Reason = "password.tries"

	NoSession      Reason = "session.missing"
	BrokenSession  Reason = "session.broken"
	ExpiredSession Reason = "session.expired"
	IdleSession    Reason = "session.idle"
	EndedSession   Reason = "session.ended"

	WrongForm    Reason = "form.wrong"
	ReplayedForm Reason = "form.replayed"

	WrongState Reason = "login.state"
	Denied     Reason = "login.denied"
	WrongNonce Reason = "login.nonce"
	NoRole     Reason = "login.role"
)

// Error is fit for a log.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return "access refused: " + string(r.Reason)
	}
	return "access refused: " + string(r.Reason) + ": " + r.Err.Error()
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(reason Reason) error { return &Refusal{Reason: reason} }

// ReasonOf is the reason of a refusal, "" when err is none.
func ReasonOf(err error) Reason {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason
	}
	return ""
}

// ErrUnavailable is what cannot be decided now, because an identity provider or the store that processes share does not
// answer. The caller may be right; it should try again.
var ErrUnavailable = errors.New("access cannot be decided now")
