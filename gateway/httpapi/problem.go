package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Problem is an error as it travels: RFC 9457 problem details with a stable code. It is also the error that [Client]
// returns.
type Problem struct {
	Type   string    `json:"type"`  // "urn:brevdue:problem:" + Code
	Title  string    `json:"title"` // the same sentence for the same code
	Status int       `json:"status"`
	Detail string    `json:"detail,omitzero"`
	Code   string    `json:"code"`
	Errors []Finding `json:"errors,omitempty"`

	RetryAfter time.Duration `json:"-"` // of a 429 or 503; travels as a header
	RequestID  string        `json:"-"` // X-Request-Id of the answer, to find the log line with
	Err        error         `json:"-"` // the private cause; never travels
}

// Finding is one thing wrong with a request. Pointer is a JSON pointer (RFC 6901) into the body; for a query parameter
// it is "/" and the parameter's name.
type Finding struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// Error is fit for a log: the code and the detail, which hold no value of the request.
func (p *Problem) Error() string {
	var s strings.Builder
	s.WriteString(strconv.Itoa(p.Status) + " " + p.Code + ": " + p.Title)
	if p.Detail != "" {
		s.WriteString(" " + p.Detail)
	}
	for _, f := range p.Errors {
		s.WriteString("\n  " + f.Pointer + " (" + f.Code + "): " + f.Detail)
	}
	return s.String()
}

// Unwrap gives the private cause.
func (p *Problem) Unwrap() error { return p.Err }

const typePrefix = "urn:brevdue:problem:"

// The codes of problems. The codes of their findings are those of gateway.Problem and the ones in decode.go and draft.go.
const (
	codeAcceptable     = "not_acceptable"
	codeBodyAborted    = "body.incomplete"
	codeBodyTooLarge   = "body.too_large"
	codeBodyTooSlow    = "body.too_slow"
	codeCancelTooLate  = "cancel.too_late"
	codeDecision       = "decision.invalid"
	codeDocTooLarge    = "document.too_large"
	codeExpired        = "message.expired"
	codeForbidden      = "scope.missing"
	codeInternal       = "internal"
	codeInvalid        = "intent.invalid"
	codeDocInvalid     = "document.invalid"
	codeDuplicate      = "json.duplicate_name"
	codeJSON           = "json.syntax"
	codeJSONType       = "json.type"
	codeLookup         = "registration.invalid"
	codeMediaType      = "media_type.unsupported"
	codeMethod         = "method.not_allowed"
	codeNoCallback     = "callback.none"
	codeNoRegistry     = "registration.none"
	codeNotFound       = "not_found"
	codeNotHeld        = "message.not_held"
	codePostState      = "post.state"
	codePostWithheld   = "post.withheld"
	codeUnanswerable   = "post.unanswerable"
	codeRange          = "range.invalid"
	codeRate           = "rate.exceeded"
	codeTooMany        = "json.too_many"
	codeQuery          = "query.invalid"
	codeMatched        = "receipt.matched"
	codeNoReader       = "receipt.no_reader"
	codeStillBad       = "receipt.unreadable"
	codeReference      = "reference.conflict"
	codeTokenInvalid   = "token.invalid"
	codeTokenMissing   = "token.missing"
	codeUnavailable    = "unavailable"
	codeUnknownField   = "json.unknown_field"
	defaultRetryAfter  = 2 * time.Second
	maxPointerInAnswer = 256 // bytes of a pointer that the caller's own member names may fill
)

// kinds is the closed list of problems: code, status and title belong together.
func kinds(code string) (status int, title string) {
	switch code {
	case codeAcceptable:
		return http.StatusNotAcceptable, "The answer is of a media type that the request does not accept."
	case codeBodyAborted:
		return http.StatusBadRequest, "The body ended before it was complete."
	case codeBodyTooLarge:
		return http.StatusRequestEntityTooLarge, "The body is too large."
	case codeBodyTooSlow:
		return http.StatusRequestTimeout, "The body came too slowly."
	case codeCancelTooLate:
		return http.StatusConflict, "It is too late to cancel."
	case codeDecision:
		return http.StatusUnprocessableEntity, "The decision is not valid; nothing was changed."
	case codeDocTooLarge:
		return http.StatusRequestEntityTooLarge, "The document is too large."
	case codeExpired:
		return http.StatusConflict, "The last time to send the message has gone by."
	case codeForbidden:
		return http.StatusForbidden, "The token lacks the scope."
	case codeInvalid:
		return http.StatusUnprocessableEntity, "The intent is not valid; nothing of it was stored."
	case codeDocInvalid:
		return http.StatusUnprocessableEntity, "The document is not valid; nothing of it was stored."
	case codeDuplicate, codeJSON, codeJSONType, codeTooMany, codeUnknownField:
		return http.StatusBadRequest, "The body is not the JSON that is expected here."
	case codeLookup:
		return http.StatusUnprocessableEntity, "The look-up is not valid; nobody was asked."
	case codeNoCallback:
		return http.StatusNotFound, "No callback is configured for this producer."
	case codeNoRegistry:
		return http.StatusNotImplemented, "This gateway has no registry to ask."
	case codeMediaType:
		return http.StatusUnsupportedMediaType, "The body's media type is not taken here."
	case codeMethod:
		return http.StatusMethodNotAllowed, "The method is not allowed here."
	case codeMatched:
		return http.StatusConflict, "The status is not in quarantine."
	case codeNoReader:
		return http.StatusNotImplemented, "This gateway has no reader of statuses."
	case codeStillBad:
		return http.StatusUnprocessableEntity, "The body still cannot be read."
	case codeNotHeld:
		return http.StatusConflict, "The message does not wait for a decision."
	case codeNotFound:
		return http.StatusNotFound, "There is nothing here."
	case codePostState:
		return http.StatusConflict, "The post is in a state that the decision is not about."
	case codePostWithheld:
		return http.StatusConflict, "The post is withheld; an operator decides."
	case codeUnanswerable:
		return http.StatusConflict, "The post has no sender that can be answered."
	case codeRate:
		return http.StatusTooManyRequests, "The producer has made more requests than its rate allows."
	case codeRange:
		return http.StatusRequestedRangeNotSatisfiable, "The range is outside the file."
	case codeQuery:
		return http.StatusBadRequest, "The query is not valid."
	case codeReference:
		return http.StatusConflict, "The reference was used before with another body."
	case codeTokenInvalid, codeTokenMissing:
		return http.StatusUnauthorized, "A valid token is needed."
	case codeUnavailable:
		return http.StatusServiceUnavailable, "The gateway cannot do this now; try again."
	default:
		return http.StatusInternalServerError, "Something went wrong here."
	}
}

// newProblem makes a problem of the list.
func newProblem(code, detail string, findings ...Finding) *Problem {
	status, title := kinds(code)
	if status == http.StatusInternalServerError {
		code = codeInternal
	}
	return &Problem{Type: typePrefix + code, Title: title, Status: status, Detail: detail, Code: code, Errors: findings}
}

// because adds the private cause.
func (p *Problem) because(err error) *Problem {
	p.Err = err
	return p
}

// temporary is implemented by errors that know that the same call may work later.
type temporary interface {
	error
	Temporary() bool
}

// problemOf is the one place where errors become problems. What it does not know is a 500 without a word about why.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if invalid, ok := errors.AsType[*gateway.Invalid](err); ok {
		return newProblem(codeInvalid, "", findings(invalid.Problems)...).because(err)
	}
	tooLarge, isTooLarge := errors.AsType[*http.MaxBytesError](err)
	netErr, isNet := errors.AsType[net.Error](err)
	temp, isTemp := errors.AsType[temporary](err)
	switch {
	case isTooLarge:
		return newProblem(codeBodyTooLarge, "At most "+strconv.FormatInt(tooLarge.Limit, 10)+
			" bytes are taken here. Hand in documents with POST /v1/documents first.").because(err)
	case errors.Is(err, gateway.ErrNotFound):
		return newProblem(codeNotFound, "").because(err)
	case errors.Is(err, gateway.ErrConflict):
		return newProblem(codeReference, "", Finding{
			Pointer: "/reference", Code: codeReference, Detail: "An earlier intent has this reference and another body.",
		}).because(err)
	case errors.Is(err, gateway.ErrTooLate):
		return newProblem(codeCancelTooLate, "Every message of the intent has left or is leaving.").because(err)
	case errors.Is(err, gateway.ErrNoCallback):
		return newProblem(codeNoCallback, "The feed of events has the same: GET /v1/events.").because(err)
	case errors.Is(err, gateway.ErrNoRegistry):
		return newProblem(codeNoRegistry, "").because(err)
	case errors.Is(err, gateway.ErrNotQuarantined):
		return newProblem(codeMatched, "It belongs to a message already.").because(err)
	case errors.Is(err, gateway.ErrNoReader):
		return newProblem(codeNoReader, "").because(err)
	case errors.Is(err, gateway.ErrUnanswerable):
		return newProblem(codeUnanswerable, "Its sender has no CPR or CVR number, or its messageUUID is none.").because(err)
	case errors.Is(err, gateway.ErrStillUnreadable):
		return newProblem(codeStillBad, "Nothing was changed; the body is kept.").because(err)
	case errors.Is(err, gateway.ErrNotHeld):
		return newProblem(codeNotHeld, "Only a message in state held can be released or closed.").because(err)
	case errors.Is(err, gateway.ErrExpired):
		return newProblem(codeExpired, "Close the message, or post a new intent.").because(err)
	case errors.Is(err, gateway.ErrTooLarge):
		return newProblem(codeDocTooLarge, "A document has at most 99,500,000 bytes.").because(err)
	case errors.Is(err, gateway.ErrUnavailable), errors.Is(err, gateway.ErrStale),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		isNet && netErr != nil, isTemp && temp.Temporary():
		p := newProblem(codeUnavailable, "").because(err)
		p.RetryAfter = defaultRetryAfter
		return p
	default:
		return newProblem(codeInternal, "").because(err)
	}
}

// findings copies what the gateway found.
func findings(problems []gateway.Problem) []Finding {
	out := make([]Finding, len(problems))
	for n, p := range problems {
		out[n] = Finding{Pointer: p.Pointer, Code: p.Code, Detail: p.Detail}
	}
	return out
}
