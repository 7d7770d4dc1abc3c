package memo

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Version is a version of MeMo, as written in memoVersion.
type Version string

// The versions this package writes.
const (
	V1_1 Version = "1.1"
	V1_2 Version = "1.2"
)

// schemaVersion is what 1.1 writes in memoSchVersion.
const schemaVersion = "1.1.0"

// Message is the root class: memo:Message. Body is nil in a NEMSMS and mandatory otherwise. [src: MEMO-1.1-XSD Message]
type Message struct {
	Version Version
	Header  MessageHeader
	Body    *MessageBody
}

// MessageType is the messageType of a MessageHeader. [src: MEMO-1.1-XSD memoMessageType]
type MessageType string

// The two message types.
const (
	DigitalPost MessageType = "DIGITALPOST"
	NemSMS      MessageType = "NEMSMS"
)

// MessageHeader is the class MessageHeader: everything about a message but its documents.
// [src: MEMO-1.1-XSD MessageHeader]
type MessageHeader struct {
	MessageType            MessageType
	MessageUUID            string    // version 4; the identity of the message in all of Digital Post
	MessageID              string    // optional: the sender's own id
	MessageCode            string    // optional
	Label                  string    // the subject
	Notification           string    // optional, at most 150 characters; the text itself in a NEMSMS
	AdditionalNotification string    // optional
	Reply                  bool      // may be answered; default false
	ReplyByDateTime        time.Time // optional
	DoNotDeliverUntilDate  Date      // optional
	Mandatory              bool
	LegalNotification      bool
	PostType               string // optional, "MYNDIGHEDSPOST" or "VIRKSOMHEDSPOST" in what is seen; free text in the XSD
	Sender                 Sender
	Recipient              Recipient
	ContentData            *ContentData
	ForwardData            *ForwardData
	ReplyData              []ReplyData // one per message of the thread
}

// ErrVersion tells that a message cannot be written in its version: the version is none this package knows, or the
// message holds a class that the version does not have.
var ErrVersion = errors.New("not possible in this version of MeMo")

// Element builds the memo:Message element and returns the file contents its placeholders refer to: placeholder
// first+i stands for contents[i], so that the element can be put into a larger document that has contents of its own.
//
// It writes what the message says without judging it, except that it fails with ErrVersion where the version has no
// place for something and fails for a File without Content. Call Validate before sending.
func (m *Message) Element(first int) (*etree.Element, []xmlstream.Content, error) {
	t := &tree{first: first}
	if err := m.writeTo(t); err != nil {
		return nil, nil, err
	}
	return t.root, t.contents, nil
}

// Build writes the message into an element that is being built, or as the root. It fails as Element does; b must not be
// used any more then.
func (m *Message) Build(b *xmlstream.Builder) error { return m.writeTo(b) }

// Document is the message as a document of its own, ready to be streamed. It fails as Element does.
func (m *Message) Document() (*xmlstream.Document, error) {
	var b xmlstream.Builder
	if err := m.writeTo(&b); err != nil {
		return nil, err
	}
	d, err := b.Document()
	if err != nil {
		return nil, fmt.Errorf("memo: %w", err)
	}
	return d, nil
}

// Encode is Document for what is sent: it refuses, before the first byte, what Digital Post would reject. The error is
// *Invalid with every finding of Validate, and then with RuleSize when the document, whose length is known exactly
// without reading a file, is longer than MaxSize.
func (m *Message) Encode() (*xmlstream.Document, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	d, err := m.Document()
	if err != nil {
		return nil, err
	}
	if d.Size() > MaxSize {
		return nil, &Invalid{Findings: []Finding{{
			Rule:   RuleSize,
			Detail: fmt.Sprintf("The message has %d bytes with its files as base64; at most %d are allowed.", d.Size(), int64(MaxSize)),
		}}}
	}
	return d, nil
}

func (m *Message) writeTo(out output) error {
	if err := m.versionError(); err != nil {
		return fmt.Errorf("memo: %w", err)
	}
	w := writer{version: m.Version, out: out}
	attrs := []xmlstream.Attr{{Name: "memoVersion", Value: string(m.Version)}}
	if m.Version == V1_1 {
		attrs = append(attrs, xmlstream.Attr{Name: "memoSchVersion", Value: schemaVersion})
	}
	w.open("memo:Message", attrs...)
	m.Header.write(&w)
	writeOne(&w, m.Body)
	w.close()
	if w.missing > 0 {
		return fmt.Errorf("memo: %d files have no content", w.missing)
	}
	return nil
}

// versionError tells whether the message fits its version.
func (m *Message) versionError() error {
	switch {
	case m.Version != V1_1 && m.Version != V1_2:
		return fmt.Errorf("unknown version: %w", ErrVersion)
	case m.Version == V1_1 && m.Header.Sender.Representative != nil:
		return fmt.Errorf("MessageHeader/Sender/Representative: %w", ErrVersion)
	case m.Version == V1_1 && m.Header.ForwardData != nil && m.Header.ForwardData.OriginalRepresentative != "":
		return fmt.Errorf("MessageHeader/ForwardData/originalRepresentative: %w", ErrVersion)
	}
	return nil
}

func (x MessageHeader) write(w *writer) {
	w.open("memo:MessageHeader")
	w.leaf("messageType", string(x.MessageType))
	w.leaf("messageUUID", x.MessageUUID)
	w.optional("messageID", x.MessageID)
	w.optional("messageCode", x.MessageCode)
	w.leaf("label", x.Label)
	w.optional("notification", x.Notification)
	w.optional("additionalNotification", x.AdditionalNotification)
	if x.Reply {
		w.boolean("reply", true)
	}
	w.optionalTime("replyByDateTime", x.ReplyByDateTime)
	if !x.DoNotDeliverUntilDate.IsZero() {
		w.leaf("doNotDeliverUntilDate", x.DoNotDeliverUntilDate.String())
	}
	if x.Mandatory || w.version == V1_1 {
		w.boolean("mandatory", x.Mandatory)
	}
	if x.LegalNotification || w.version == V1_1 {
		w.boolean("legalNotification", x.LegalNotification)
	}
	w.optional("postType", x.PostType)
	x.Sender.write(w)
	x.Recipient.write(w)
	writeOne(w, x.ContentData)
	writeOne(w, x.ForwardData)
	writeAll(w, x.ReplyData)
	w.close()
}

func readMessageHeader(r *reader, x *MessageHeader) bool {
	return r.text("messageType", (*string)(&x.MessageType)) ||
		r.text("messageUUID", &x.MessageUUID) ||
		r.text("messageID", &x.MessageID) ||
		r.text("messageCode", &x.MessageCode) ||
		r.text("label", &x.Label) ||
		r.text("notification", &x.Notification) ||
		r.text("additionalNotification", &x.AdditionalNotification) ||
		r.boolean("reply", &x.Reply) ||
		r.dateTime("replyByDateTime", &x.ReplyByDateTime) ||
		r.date("doNotDeliverUntilDate", &x.DoNotDeliverUntilDate) ||
		r.boolean("mandatory", &x.Mandatory) ||
		r.boolean("legalNotification", &x.LegalNotification) ||
		r.text("postType", &x.PostType) ||
		value(r, "Sender", &x.Sender, readSender) ||
		value(r, "Recipient", &x.Recipient, readRecipient) ||
		one(r, "ContentData", &x.ContentData, readContentData) ||
		one(r, "ForwardData", &x.ForwardData, readForwardData) ||
		many(r, "ReplyData", &x.ReplyData, readReplyData)
}

// message reads the root class: its version stands in its attributes.
func (r *reader) message(x **Message) bool {
	if !r.is("Message") {
		return false
	}
	if r.first() {
		*x = new(Message)
		(*x).Version = r.version()
		readClass(r, "Message", 0, *x, readMessage)
	}
	return true
}

// version reads the attributes of Message. memoVersion is a decimal, so that 1.10 is 1.1. [src: MEMO-1.1-XSD Message]
func (r *reader) version() Version {
	version := Version("")
	for _, a := range r.s.Attrs {
		switch {
		case a.Space == "" && string(a.Local) == "memoVersion":
			version = parseVersion(string(trimSpace(a.Value)))
		case a.Space == "" && string(a.Local) == "memoSchVersion":
		default:
			r.noticeAttribute(a)
		}
	}
	if version == "" {
		r.fault(ReasonVersion, r.s.Offset)
	}
	return version
}

// parseVersion returns "" for a version this package does not know.
func parseVersion(s string) Version {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "+"), ".")
	v := Version(strings.TrimLeft(whole, "0") + "." + strings.TrimRight(fraction, "0"))
	if v == V1_1 || v == V1_2 {
		return v
	}
	return ""
}

func readMessage(r *reader, x *Message) bool {
	return value(r, "MessageHeader", &x.Header, readMessageHeader) ||
		one(r, "MessageBody", &x.Body, readMessageBody)
}
