package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brevdue/brevdue/gateway"
)

// Phase is where a session stood.
type Phase string

// The phases, in the order in which a session goes through them.
const (
	PhaseConnect  Phase = "connect" // TCP, and TLS from the first byte
	PhaseGreeting Phase = "greeting"
	PhaseHello    Phase = "hello"
	PhaseStartTLS Phase = "starttls"
	PhaseAuth     Phase = "auth"
	PhaseReuse    Phase = "reuse" // is the session that waited in the pool still there?
	PhaseMail     Phase = "mail"
	PhaseRcpt     Phase = "rcpt"
	PhaseData     Phase = "data"
	PhaseContent  Phase = "content" // the letter is on its way, its final dot is not
	PhaseFinal    Phase = "final"   // the final dot may have left
)

// Error is what went wrong with a letter. Its text holds no word of the server's, which may name the recipient.
type Error struct {
	Phase    Phase
	Code     int    // the reply code, 0 without a reply
	Enhanced string // the enhanced status code, "" when there is none
	Text     string // the server's words: for the producer and the journal, never for a log
	raw      []byte // the whole reply, for the journal
	cause    error
}

// Error names the phase and the codes.
func (e *Error) Error() string {
	switch {
	case e.Code != 0:
		return strings.TrimSpace(fmt.Sprintf("smtp: %s: reply %d %s", e.Phase, e.Code, e.Enhanced))
	default:
		return fmt.Sprintf("smtp: %s: %s", e.Phase, publicCause(e.cause))
	}
}

// Unwrap keeps errors.Is working for what is known to be free of the server's words.
func (e *Error) Unwrap() error {
	if e.Code != 0 {
		return nil
	}
	return e.cause
}

// publicCause says what broke a connection, in words that are our own.
func publicCause(err error) string {
	var op *net.OpError
	var document *documentError
	switch {
	case errors.As(err, &document):
		return "a document cannot be read"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case isTLS(err):
		return "TLS failed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.As(err, &op):
		return "the connection failed (" + op.Op + ")"
	case errors.Is(err, ErrServer), errors.Is(err, errNoStartTLS), errors.Is(err, errNoAuth), errors.Is(err, errTooMuch):
		return err.Error()
	default:
		return "the server does not keep to the protocol"
	}
}

func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &verify) || errors.As(err, &alert) || errors.As(err, &record) ||
		errors.As(err, &unknown) || errors.As(err, &host)
}

// newError reads the reply out of err, if it is one.
func newError(phase Phase, err error) *Error {
	e := &Error{Phase: phase, cause: err}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		e.Code, e.raw = reply.Code, rawReply(reply.Code, reply.Msg)
		e.Enhanced, e.Text = splitReply(reply.Code, reply.Msg)
	}
	return e
}

// accepted is the code of a yes to a whole letter. [src: RFC-5321 4.3.2]
const accepted = 250

// rawReply is a reply as it came: its lines, each with the code. [src: RFC-5321 4.2.1]
func rawReply(code int, text string) []byte {
	var b []byte
	for more := true; more; {
		var line string
		line, text, more = strings.Cut(text, "\n")
		between := byte(' ')
		if more {
			between = '-'
		}
		b = append(strconv.AppendInt(b, int64(code), 10), between)
		b = append(append(b, line...), "\r\n"...)
	}
	return b
}

// maxText bounds what is kept of a server's words, in bytes.
const maxText = 1024

// splitReply parts a reply's text into its enhanced status code and the words. The code is taken when its class is the
// reply's: a reply of 451 with 5.1.1 contradicts itself, and then the three digits count. [src: RFC-2034 4]
func splitReply(code int, text string) (enhanced, words string) {
	lines := strings.Split(text, "\n")
	if first, _, _ := strings.Cut(lines[0], " "); isEnhanced(first) && int(first[0]-'0') == code/100 {
		enhanced = first
	}
	for n, line := range lines {
		if first, rest, _ := strings.Cut(line, " "); isEnhanced(first) {
			line = rest
		}
		lines[n] = strings.TrimSpace(line)
	}
	words = strings.ToValidUTF8(strings.Join(lines, " "), "\uFFFD")
	for len(words) > maxText {
		words = words[:maxText]
		for !utf8.ValidString(words) {
			words = words[:len(words)-1]
		}
	}
	return enhanced, words
}

// isEnhanced reports whether s is class "." subject "." detail. [src: RFC-3463 2]
func isEnhanced(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || (parts[0] != "2" && parts[0] != "4" && parts[0] != "5") {
		return false
	}
	for _, p := range parts[1:] {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 999 || len(p) > 3 {
			return false
		}
	}
	return true
}

// classify is the one place where an error becomes an outcome. greylist is how long to wait before a recipient's server
// that said "not now" is asked again.
func classify(e *Error, greylist time.Duration) gateway.Outcome {
	o := gateway.Outcome{Class: gateway.Retry, Code: "smtp." + string(e.Phase), Text: e.Text, Answer: e.raw, Err: e}
	switch {
	case e.Code != 0:
		classifyReply(&o, e, greylist)
	case e.Phase == PhaseFinal:
		o.Class, o.Code = gateway.Unknown, "smtp.final.unanswered"
		o.Hint = "The server had the whole letter and did not answer. Its log tells whether it took it: look for the Message-ID."
	default:
		classifyBreak(&o, e)
	}
	return o
}

// classifyReply looks the reply up. Before MAIL it is about us and our server, whatever the code: it is tried again
// until somebody has put it right.
func classifyReply(o *gateway.Outcome, e *Error, greylist time.Duration) {
	o.Code = strings.TrimSpace(strconv.Itoa(e.Code) + " " + e.Enhanced)
	switch e.Phase {
	case PhaseConnect, PhaseGreeting, PhaseHello, PhaseReuse:
		o.Hint = "The mail server refuses the connection. Does it know this machine?"
		return
	case PhaseStartTLS:
		o.Hint = "The mail server refuses STARTTLS. Has its certificate expired, or is another port meant?"
		return
	case PhaseAuth:
		o.Hint = "The mail server refuses the login. Check user and password_file."
		return
	case PhaseMail, PhaseRcpt, PhaseData, PhaseContent, PhaseFinal:
	}
	switch {
	case e.Code == 421:
		o.Hint = "The mail server closes the connection: it is busy, or stopping."
	case e.Code >= 400 && e.Code < 500:
		if e.Phase == PhaseRcpt || e.Phase == PhaseData || e.Phase == PhaseFinal {
			o.RetryAfter = greylist
		}
	case e.Code >= 500 && e.Code < 600:
		c := lookUp(e)
		o.Class, o.Hint = c.Class, c.Hint
	default:
		// A reply that SMTP does not know in this place: after the final dot nobody knows what it means.
		if e.Phase == PhaseFinal {
			o.Class = gateway.Unknown
		}
	}
}

// classifyBreak is for a connection that failed before the final dot left: nothing was taken.
func classifyBreak(o *gateway.Outcome, e *Error) {
	var document *documentError
	var name *net.DNSError
	switch {
	case errors.As(e.cause, &document):
		o.Code, o.Hint = "document.unreadable", "The document store does not give the document. Is it reachable?"
	case errors.Is(e.cause, context.Canceled):
		o.Code = "smtp.cancelled"
	case errors.Is(e.cause, ErrServer):
		o.Code, o.Hint = "smtp.settings", e.cause.Error()
	case errors.Is(e.cause, errNoStartTLS):
		o.Code = "smtp.starttls.missing"
		o.Hint = "The server does not offer STARTTLS. Is it smtps://, or starttls=none beside it on one machine?"
	case errors.Is(e.cause, errNoAuth):
		o.Code, o.Hint = "smtp.auth.missing", "The server offers no login that both sides know."
	case isTLS(e.cause):
		o.Code, o.Hint = o.Code+".tls", "TLS failed: does the certificate name the host, is it valid, and is its authority known (ca_file)?"
	case errors.As(e.cause, &name):
		o.Code, o.Hint = o.Code+".dns", "The name of the mail server cannot be found."
	case errors.Is(e.cause, os.ErrDeadlineExceeded), errors.Is(e.cause, context.DeadlineExceeded):
		o.Code, o.Hint = o.Code+".timeout", "The mail server did not answer in time."
	default:
		o.Code, o.Hint = o.Code+".connection", "The connection to the mail server failed. Is it running, and may this machine reach it?"
	}
}
