package memo

import (
	"time"

	"github.com/beevik/etree"
)

// ForwardData is the class ForwardData: the message is a forwarded one. [src: MEMO-1.1-XSD ForwardData]
type ForwardData struct {
	MessageUUID                string // of the forwarded message
	OriginalMessageDateTime    time.Time
	OriginalSender             string // name
	OriginalContentResponsible string // optional
	OriginalRepresentative     string // optional, 1.2 only
	ContactPointID             string // optional
	Comment                    string // optional, at most 512 characters
}

func (x ForwardData) element() *etree.Element {
	e := class("memo:ForwardData")
	leaf(e, "messageUUID", x.MessageUUID)
	dateTime(e, "originalMessageDateTime", x.OriginalMessageDateTime)
	leaf(e, "originalSender", x.OriginalSender)
	optional(e, "originalContentResponsible", x.OriginalContentResponsible)
	optional(e, "originalRepresentative", x.OriginalRepresentative)
	optional(e, "contactPointID", x.ContactPointID)
	optional(e, "comment", x.Comment)
	return e
}

func readForwardData(r *reader, x *ForwardData) bool {
	return r.text("messageUUID", &x.MessageUUID) ||
		r.dateTime("originalMessageDateTime", &x.OriginalMessageDateTime) ||
		r.text("originalSender", &x.OriginalSender) ||
		r.text("originalContentResponsible", &x.OriginalContentResponsible) ||
		r.text("originalRepresentative", &x.OriginalRepresentative) ||
		r.text("contactPointID", &x.ContactPointID) ||
		r.text("comment", &x.Comment)
}

// ReplyData is the class ReplyData: one message of the thread that this message answers. Here messageID stands before
// messageUUID, the reverse of MessageHeader. [src: MEMO-1.1-XSD ReplyData]
type ReplyData struct {
	MessageID           string // optional
	MessageUUID         string
	ReplyUUID           string // optional: the message that one answered
	SenderID            string // optional
	RecipientID         string // optional
	CaseID              string // optional; plain text, not the class CaseID
	ContactPointID      string // optional
	GeneratingSystemID  string // optional
	Comment             string // optional, at most 512 characters
	AdditionalReplyData []AdditionalReplyData
}

func (x ReplyData) element() *etree.Element {
	e := class("memo:ReplyData")
	optional(e, "messageID", x.MessageID)
	leaf(e, "messageUUID", x.MessageUUID)
	optional(e, "replyUUID", x.ReplyUUID)
	optional(e, "senderID", x.SenderID)
	optional(e, "recipientID", x.RecipientID)
	optional(e, "caseID", x.CaseID)
	optional(e, "contactPointID", x.ContactPointID)
	optional(e, "generatingSystemID", x.GeneratingSystemID)
	optional(e, "comment", x.Comment)
	addAll(e, x.AdditionalReplyData)
	return e
}

func readReplyData(r *reader, x *ReplyData) bool {
	return r.text("messageID", &x.MessageID) ||
		r.text("messageUUID", &x.MessageUUID) ||
		r.text("replyUUID", &x.ReplyUUID) ||
		r.text("senderID", &x.SenderID) ||
		r.text("recipientID", &x.RecipientID) ||
		r.text("caseID", &x.CaseID) ||
		r.text("contactPointID", &x.ContactPointID) ||
		r.text("generatingSystemID", &x.GeneratingSystemID) ||
		r.text("comment", &x.Comment) ||
		many(r, "AdditionalReplyData", &x.AdditionalReplyData, readAdditionalReplyData)
}

// AdditionalReplyData is the class AdditionalReplyData: a free pair that comes back with an answer, at most four.
// [src: MEMO-1.1-XSD AdditionalReplyData]
type AdditionalReplyData struct {
	Label string
	Value string
}

func (x AdditionalReplyData) element() *etree.Element {
	e := class("memo:AdditionalReplyData")
	leaf(e, "label", x.Label)
	leaf(e, "value", x.Value)
	return e
}

func readAdditionalReplyData(r *reader, x *AdditionalReplyData) bool {
	return r.text("label", &x.Label) ||
		r.text("value", &x.Value)
}
