package smtp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

// Code is what a permanent reply to a letter means.
type Code struct {
	Pattern string        // an enhanced status code ("5.1.1", "5.7.*") or a reply code ("550")
	Phases  []Phase       // nil: any from MAIL on
	Class   gateway.Class // Next: another channel may reach the recipient
	Hint    string
	Source  string
}

var (
	atRcpt   = []Phase{PhaseRcpt}
	atLetter = []Phase{PhaseRcpt, PhaseData, PhaseContent, PhaseFinal}
)

// Codes returns the table of permanent replies; the first entry that fits counts. What is not listed is failed. A reply
// of class 4 is always tried again and is not in the table.
func Codes() []Code {
	const (
		address   = "The address does not take mail."
		mailbox   = "The mailbox does not take this mail."
		policy    = "A policy refuses the letter. When every letter gets this, the server does not know this machine."
		login     = "The mail server wants a login, or another one. Check user and password_file."
		domain    = "The recipient's domain does not take mail."
		ourselves = "The mail server does not take our own address. Check the sender profile's from."
		identity  = "The letter fails a check of where it comes from. Check SPF, DKIM, DMARC and reverse DNS of the sender's domain."
		size      = "The letter is too large for the mail server. Lower the limit for attachments."
	)
	return []Code{
		{"5.1.7", nil, gateway.Fail, ourselves, "RFC-3463 3.2"},
		{"5.1.8", nil, gateway.Fail, ourselves, "RFC-3463 3.2"},
		{"5.1.9", nil, gateway.Fail, "The mail server cannot forward the letter in its own protocol.", "IANA-SMTP-ENHANCED"},
		{"5.1.10", nil, gateway.Next, domain, "RFC-7505 4.2"},
		{"5.1.*", nil, gateway.Next, address, "RFC-3463 3.2"},
		{"5.2.*", nil, gateway.Next, mailbox, "RFC-3463 3.3"},
		{"5.3.4", nil, gateway.Fail, size, "RFC-3463 3.4"},
		{"5.4.1", atRcpt, gateway.Next, address, "RFC-3463 3.5"},
		{"5.4.4", atRcpt, gateway.Next, domain, "RFC-3463 3.5"},
		{"5.6.7", nil, gateway.Next, "The way to the recipient has no place for an address beyond ASCII.", "RFC-6531 3.2"},
		{"5.7.8", nil, gateway.Retry, login, "RFC-4954 6"},
		{"5.7.9", nil, gateway.Retry, login, "RFC-4954 6"},
		{"5.7.10", nil, gateway.Retry, "The mail server wants TLS.", "IANA-SMTP-ENHANCED"},
		{"5.7.11", nil, gateway.Retry, "The mail server wants TLS.", "RFC-4954 6"},
		{"5.7.13", nil, gateway.Retry, login, "RFC-5248 2.4"},
		{"5.7.14", nil, gateway.Retry, login, "RFC-5248 2.4"},
		{"530", nil, gateway.Retry, login, "RFC-4954 6"},
		{"534", nil, gateway.Retry, login, "RFC-4954 6"},
		{"535", nil, gateway.Retry, login, "RFC-4954 6"},
		{"538", nil, gateway.Retry, login, "RFC-4954 6"},
		{"5.7.20", nil, gateway.Fail, identity, "RFC-7372 3.1"},
		{"5.7.21", nil, gateway.Fail, identity, "RFC-7372 3.1"},
		{"5.7.22", nil, gateway.Fail, identity, "RFC-7372 3.1"},
		{"5.7.23", nil, gateway.Fail, identity, "RFC-7372 3.2"},
		{"5.7.24", nil, gateway.Fail, identity, "RFC-7372 3.2"},
		{"5.7.25", nil, gateway.Fail, identity, "RFC-7372 3.3"},
		{"5.7.26", nil, gateway.Fail, identity, "RFC-7372 3.4"},
		{"5.7.27", nil, gateway.Fail, identity, "RFC-7505 4.2"},
		{"5.7.*", atLetter, gateway.Next, policy, "RFC-3463 3.8"},
		{"550", atRcpt, gateway.Next, address, "RFC-5321 4.2.3"},
		{"551", atRcpt, gateway.Next, address, "RFC-5321 4.2.3"},
		{"552", atRcpt, gateway.Next, mailbox, "RFC-5321 4.2.3"},
		{"553", atRcpt, gateway.Next, address, "RFC-5321 4.2.3"},
		{"556", atRcpt, gateway.Next, domain, "RFC-7504 5"},
		{"552", nil, gateway.Fail, size, "RFC-5321 4.2.3"},
	}
}

// lookUp finds what a permanent reply means. An enhanced code counts before the three digits, except where these are
// about the login; a reply with an enhanced code that is not listed is failed, whatever its three digits.
func lookUp(e *Error) Code {
	digits, enhanced := strconv.Itoa(e.Code), e.Enhanced
	if strings.HasSuffix(enhanced, ".0.0") { // "other undefined status" says no more than the digits [src: RFC-3463 3.1]
		enhanced = ""
	}
	for _, c := range Codes() {
		if len(c.Phases) > 0 && !slices.Contains(c.Phases, e.Phase) {
			continue
		}
		plain := !strings.Contains(c.Pattern, ".")
		prefix, wild := strings.CutSuffix(c.Pattern, "*")
		switch {
		case plain && c.Pattern == digits && (enhanced == "" || strings.HasPrefix(digits, "53")):
			return c
		case !plain && (c.Pattern == enhanced || (wild && strings.HasPrefix(enhanced, prefix))):
			return c
		}
	}
	return Code{Pattern: digits, Class: gateway.Fail, Hint: "The mail server refuses the letter."}
}
