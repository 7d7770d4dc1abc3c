package smtp

import (
	"errors"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

var errAddress = errors.New("not an e-mail address that mail can be sent to")

// The longest parts of an address, in octets. [src: RFC-5321 4.5.3.1.1, 4.5.3.1.2, 4.5.3.1.3]
const (
	maxLocal   = 64
	maxDomain  = 255
	maxAddress = 254
)

// address makes an address fit for the envelope: local part as it is, domain in its ASCII form. utf8 tells whether the
// local part needs SMTPUTF8. Quoted local parts, address literals and domains of one label are refused: no citizen has
// one, and a mistyped address looks like one.
func address(s string) (clean string, utf8Needed bool, err error) {
	parsed, err := netmail.ParseAddress(s)
	if err != nil || parsed.Address != s || parsed.Name != "" {
		return "", false, errAddress // the parser's text would repeat the address
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], s[at+1:]
	if len(local) > maxLocal || !dotAtom(local) {
		return "", false, errAddress
	}
	domain, err = idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil || len(domain) > maxDomain || !strings.Contains(domain, ".") || !hostname(domain) {
		return "", false, errAddress
	}
	clean = local + "@" + domain
	if len(clean) > maxAddress {
		return "", false, errAddress
	}
	return clean, !isASCII(local), nil
}

// dotAtom is a local part that needs no quotes. [src: RFC-5322 3.2.3; RFC-6531 3.3]
func dotAtom(s string) bool {
	if !utf8.ValidString(s) || s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		if r > unicode.MaxASCII {
			return !unicode.IsPrint(r)
		}
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`()<>[]:;@\,"`, r)
	})
}

// hostname demands letters, digits and hyphens, and a last label that is not a number.
func hostname(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
