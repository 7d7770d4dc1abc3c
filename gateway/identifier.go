package gateway

import (
	"errors"
	"log/slog"
	"strings"
)

// masked is what any personal value looks like where it is printed, logged or marshalled by accident.
const masked = "•••"

// Private is a piece of personal data: a name, an address line, an e-mail address, a phone number. It masks itself in
// fmt, slog and every text encoding; only [Private.Reveal] gives the value.
type Private string

// Reveal returns the value itself. Call it where the value leaves for the recipient's letter or for the journal, never
// for a log line or an error.
func (p Private) Reveal() string { return string(p) }

// Empty reports whether there is no value.
func (p Private) Empty() bool { return p == "" }

// String returns a mask, or nothing for an empty value.
func (p Private) String() string {
	if p == "" {
		return ""
	}
	return masked
}

// GoString keeps %#v from printing the value.
func (p Private) GoString() string { return "gateway.Private(" + p.String() + ")" }

// LogValue keeps slog from printing the value.
func (p Private) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText keeps JSON and the like from carrying the value.
func (p Private) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Scheme says what kind of number an [Identifier] is.
type Scheme string

// The schemes of Digital Post ("idType" in MeMo).
const (
	CPR Scheme = "CPR" // a person: ten digits
	CVR Scheme = "CVR" // a company or an authority: eight digits
)

// ErrIdentifier is the family of errors of [ParseCPR] and [ParseCVR]. Their texts never hold the number.
var ErrIdentifier = errors.New("not a valid identifier")

type identifierError string

func (e identifierError) Error() string { return string(e) }
func (identifierError) Unwrap() error   { return ErrIdentifier }

// Identifier is a CPR or CVR number. It masks itself wherever it is printed; the zero value is "none".
type Identifier struct {
	scheme Scheme
	digits string
}

// ParseCPR reads a CPR number: ten digits, with or without the dash after the sixth. It does not test the modulus,
// because numbers issued since 2007 need not satisfy it.
func ParseCPR(s string) (Identifier, error) {
	digits := s
	if len(s) == 11 && s[6] == '-' {
		digits = s[:6] + s[7:]
	}
	if !isDigits(digits, 10) {
		return Identifier{}, identifierError("a CPR number is ten digits")
	}
	return Identifier{scheme: CPR, digits: digits}, nil
}

// ParseCVR reads a CVR number: eight digits.
func ParseCVR(s string) (Identifier, error) {
	if !isDigits(s, 8) {
		return Identifier{}, identifierError("a CVR number is eight digits")
	}
	return Identifier{scheme: CVR, digits: s}, nil
}

// ParseIdentifier reads a number of the given scheme.
func ParseIdentifier(scheme Scheme, s string) (Identifier, error) {
	switch scheme {
	case CPR:
		return ParseCPR(s)
	case CVR:
		return ParseCVR(s)
	default:
		return Identifier{}, identifierError("an identifier is a CPR or a CVR number")
	}
}

func isDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

// Scheme returns CPR, CVR, or "" for none.
func (i Identifier) Scheme() Scheme { return i.scheme }

// Reveal returns the digits. The care that [Private.Reveal] asks for applies.
func (i Identifier) Reveal() string { return i.digits }

// IsZero reports whether there is no identifier.
func (i Identifier) IsZero() bool { return i.digits == "" }

// String masks: a CPR number keeps its birth date's place but no digit, a CVR number is public and stays.
func (i Identifier) String() string {
	switch i.scheme {
	case CPR:
		return "CPR ••••••-••••"
	case CVR:
		return "CVR " + i.digits
	default:
		return ""
	}
}

// GoString keeps %#v from printing the number.
func (i Identifier) GoString() string { return "gateway.Identifier(" + i.String() + ")" }

// LogValue keeps slog from printing the number.
func (i Identifier) LogValue() slog.Value { return slog.StringValue(i.String()) }

// MarshalText keeps JSON and the like from carrying the number.
func (i Identifier) MarshalText() ([]byte, error) { return []byte(i.String()), nil }
