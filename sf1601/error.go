package sf1601

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Class says what a failed call means for the letter. It is decided once, in
// this package, and read by the channel adapter in one switch.
//
// The policy, from the first byte to the last:
//
//   - Nothing left the machine (dial, TLS, no token to be had, signing or
//     keeping the signature failed), or the body was cut before its last byte
//     left: Temporary. An XML document without its end tag cannot be accepted.
//   - The whole body may have left and no complete answer came (cut, timeout,
//     502, 504, a 500 without SvarReaktion, a 200 that cannot be read): Unknown.
//   - 503, 429, 408: Temporary, with the server's Retry-After.
//   - 401: the access token is renewed once and the call repeated with the same
//     identity; a second 401 is Denied. 403 is Denied, and so are 3xx, 404 and
//     405 without a SvarReaktion: they speak of our address, not of the letter.
//   - Result=false or a Fejl: the code table decides (see Lookup); a code it
//     does not list is Rejected. The worst of several decides.
//   - Any other 4xx: Rejected.
//
// A look-up (PostForespoerg) sends nothing that could be accepted, so what
// would be Unknown there is Temporary.
type Class string

// The classes of a failed call.
const (
	// Temporary: nothing was accepted; the same call may be made again later.
	Temporary Class = "temporary"
	// Rejected: this letter is refused; a person must act.
	Rejected Class = "rejected"
	// NotReachable: this channel cannot reach the recipient; the next may.
	NotReachable Class = "not-reachable"
	// Unknown: the letter may have been accepted although no answer says so.
	Unknown Class = "unknown"
	// Denied: the far end refuses us (token, certificate, service agreement,
	// address), whatever the letter is. Nothing was accepted.
	Denied Class = "denied"
)

// The operations an Error names.
const (
	OpIssue       = "sts.issue"   // SAML token from the STS
	OpToken       = "token"       // access token from AccessTokenService_1
	OpSign        = "sign"        // digest, signature and its keeping
	OpKombi       = "kombi"       // KombiPostAfsend
	OpForespoerg  = "forespoerg"  // PostForespoerg
	OpCertificate = "certificate" // our own system certificate
)

// Codes of our own, where the far end gave none. They never collide with
// FejlId, because a far end's codes arrive with an HTTP status.
const (
	CodeDigestMismatch = "digest.mismatch"    // a file changed between signing and sending
	CodeTooLarge       = "request.too.large"  // the kombi_request exceeds MaxRequestSize
	CodeEarlyAnswer    = "answer.early"       // accepted before the whole body had left
	CodeNoAnswer       = "answer.missing"     // the body left, no answer came
	CodeBadAnswer      = "answer.unreadable"  // an answer came that says neither yes nor no
	CodeInvalid        = "request.invalid"    // refused here, before anything was sent
	CodeExpired        = "certificate.period" // our certificate is not valid now
)

// Sentinels name the family of an error for errors.Is.
var (
	ErrTemporary    = errors.New("temporary")
	ErrRejected     = errors.New("rejected")
	ErrNotReachable = errors.New("not reachable on this channel")
	ErrUnknown      = errors.New("may have been accepted")
	ErrDenied       = errors.New("denied")
)

// Error is what every call of this package returns on failure. Its text holds
// the operation, the class, the code and the technical cause, and no personal
// data; Text may hold some and is therefore never part of Error().
type Error struct {
	Class Class
	Op    string // one of the Op constants

	Code    string // FejlId, or one of our own codes; an open set
	KildeID string // KildeId: FejlId is unique only together with it
	Text    string // FejlTekst or AdvisTekst as received: private, not for logs

	Answer  []byte // as it came, at most MaxKept bytes: private, not for logs; nil when none came
	Subject string // of the SAML token behind the access token; "" before it, or when it is not known

	HTTPStatus    int           // 0 when no answer came
	TransactionID string        // x-TransaktionsId of the call, "" before it
	RetryAfter    time.Duration // what the server asked for, 0 when it did not
	Hint          string        // what an operator can do, "" when nothing is known
	Err           error         // cause, nil when the answer itself is the cause
}

// Error gives the technical text: operation, class, code, HTTP status, cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(string(e.Class))
	if e.Code != "" {
		b.WriteString(": code ")
		b.WriteString(printable(e.Code))
		if e.KildeID != "" {
			b.WriteString(" of source ")
			b.WriteString(printable(e.KildeID))
		}
	}
	if e.HTTPStatus != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.HTTPStatus)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches the sentinel of the error's class.
func (e *Error) Is(target error) bool {
	switch e.Class {
	case Temporary:
		return target == ErrTemporary
	case Rejected:
		return target == ErrRejected
	case NotReachable:
		return target == ErrNotReachable
	case Unknown:
		return target == ErrUnknown
	case Denied:
		return target == ErrDenied
	}
	return false
}

// Public is the fixed sentence of the class, safe to show to anyone.
func (e *Error) Public() string {
	switch e.Class {
	case Temporary:
		return "Serviceplatformen could not be reached or is busy; nothing was accepted."
	case Rejected:
		return "The letter was refused."
	case NotReachable:
		return "The recipient cannot be reached on this channel."
	case Unknown:
		return "The letter may have been accepted; its status is awaited."
	case Denied:
		return "Serviceplatformen refused the sending system."
	}
	return "The call failed."
}

var (
	codeShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$`)
	cprShape  = regexp.MustCompile(`[0-9]{6}-?[0-9]{4}`)
)

// printable keeps a far end's code out of the text when it does not look like
// a code, or could be somebody's CPR number.
func printable(code string) string {
	if !codeShape.MatchString(code) || cprShape.MatchString(code) {
		return "(not printable)"
	}
	return code
}
