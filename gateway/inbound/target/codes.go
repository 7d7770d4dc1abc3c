package target

import (
	"strconv"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// Code is one word that a target may end an attempt with.
type Code struct {
	Word    string // "http.NNN" and "smtp.NNN" stand for the status or reply code
	Verdict inbound.Verdict
	Text    string // what the journal keeps and a person reads
}

// The words. Those of HTTP statuses and SMTP replies are made by httpCode and smtpCode.
const (
	codeStored       = "folder.stored"
	codeThere        = "folder.there"
	codeFolderOther  = "folder.other"
	codeFolderName   = "folder.name"
	codeFolderBusy   = "folder.busy"
	codeFull         = "folder.full"
	codeMissing      = "folder.missing"
	codeDenied       = "folder.denied"
	codeFolderIO     = "folder.io"
	codeHTTPTaken    = "http.taken"
	codeHTTPRedirect = "http.redirect"
	codeHTTPTimeout  = "http.timeout"
	codeHTTPName     = "http.name"
	codeHTTPTLS      = "http.tls"
	codeHTTPConnect  = "http.connect"
	codeHTTPAnswer   = "http.answer"
	codeMailTaken    = "mail.taken"
	codeMailLinks    = "mail.taken_links"
	codeMailLarge    = "mail.too_large"
	codeMailServer   = "mail.unavailable"
	codeAMQPTaken    = "amqp.confirmed"
	codeAMQPLarge    = "amqp.too_large"
	codeAMQPRoute    = "amqp.unroutable"
	codeAMQPMissing  = "amqp.missing"
	codeAMQPDenied   = "amqp.denied"
	codeAMQPNack     = "amqp.nack"
	codeAMQPBlocked  = "amqp.blocked"
	codeAMQPTimeout  = "amqp.timeout"
	codeAMQPTLS      = "amqp.tls"
	codeAMQPConnect  = "amqp.connect"
	codeAMQPClosed   = "amqp.closed"
	codeLinks        = "links.missing"
	codeMemo         = "memo.unreadable"
	codeStore        = "store"
	codeStopped      = "stopped"
)

// Codes lists every word, those of one target together.
func Codes() []Code {
	const taken, refused, later = inbound.Taken, inbound.Refused, inbound.Later
	return []Code{
		{codeStored, taken, "The folder of the message is written."},
		{codeThere, taken, "The folder of the message was there already, with the same bytes."},
		{codeFolderOther, refused, "A folder of that messageUUID is there with another message in it."},
		{codeFolderName, refused, "The messageUUID is no UUID, so that no folder can be named by it."},
		{codeFolderBusy, later, "A folder of that messageUUID is there without its memo.xml: somebody is at work in it."},
		{codeFull, later, "There is no room left on the disk of the folder."},
		{codeMissing, later, "The folder is not there."},
		{codeDenied, later, "The gateway may not write into the folder."},
		{codeFolderIO, later, "The folder could not be written."},
		{codeHTTPTaken, taken, "The system took it."},
		{"http.NNN", refused, "410, 413, 415, 422, 451: the system will not take this message."},
		{"http.NNN", later, "Every other status that is not 2xx or 3xx."},
		{codeHTTPRedirect, later, "The system answers with another address; the gateway does not follow it."},
		{codeHTTPTimeout, later, "The system did not answer in time."},
		{codeHTTPName, later, "The name of the system has no address."},
		{codeHTTPTLS, later, "The connection could not be protected: a certificate is not accepted."},
		{codeHTTPConnect, later, "The system cannot be reached, or the connection broke."},
		{codeHTTPAnswer, later, "What the system answered is no HTTP."},
		{codeMailTaken, taken, "The mail server took it."},
		{codeMailLinks, taken, "The mail server took it, with links to the documents, which are too large for a mail."},
		{codeMailLarge, refused, "The documents are too large for a mail, and there is no place to link to."},
		{"smtp.NNN", refused, "The mail server will not take this mail (5xx)."},
		{"smtp.NNN", later, "The mail server does not take this mail now (4xx), or wants another login (530, 534, 535, 538)."},
		{codeMailServer, later, "The mail server cannot be reached, takes no mail, or did not say whether it took this one."},
		{codeAMQPTaken, taken, "The broker has it."},
		{codeAMQPLarge, refused, "The message is larger than the broker takes."},
		{codeAMQPRoute, later, "The broker has no queue for it."},
		{codeAMQPMissing, later, "The broker does not know the exchange or the virtual host."},
		{codeAMQPDenied, later, "The broker does not accept the login, or forbids to publish."},
		{codeAMQPNack, later, "The broker did not take responsibility for it, as when a queue is full."},
		{codeAMQPBlocked, later, "The broker takes nothing at present, as when its disk is full."},
		{codeAMQPTimeout, later, "The broker did not confirm in time."},
		{codeAMQPTLS, later, "The connection could not be protected: a certificate is not accepted."},
		{codeAMQPConnect, later, "The broker cannot be reached, or the connection broke."},
		{codeAMQPClosed, later, "The broker ended the conversation."},
		{codeLinks, later, "The target wants links to the documents, and there is no place to link to."},
		{codeMemo, later, "The message cannot be read any more."},
		{codeStore, later, "The document store does not give out what it was given."},
		{codeStopped, later, "The attempt was ended from inside."},
	}
}

// outcome is the one of a word in the table; cause is private and holds nothing of a post or a far end.
func outcome(word string, cause error) inbound.Outcome {
	for _, c := range Codes() {
		if c.Word == word {
			return inbound.Outcome{Verdict: c.Verdict, Code: word, Text: c.Text, Err: cause}
		}
	}
	return inbound.Outcome{Verdict: inbound.Later, Code: word, Err: cause}
}

// numbered is an outcome by a status or reply code.
func numbered(family string, code int, verdict inbound.Verdict, text string, cause error) inbound.Outcome {
	return inbound.Outcome{Verdict: verdict, Code: family + "." + strconv.Itoa(code), Text: text, Err: cause}
}
