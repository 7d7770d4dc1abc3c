package memo

import "time"

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

func (x ForwardData) write(w *writer) {
	w.open("memo:ForwardData")
	w.leaf("messageUUID", x.MessageUUID)
	w.dateTime("originalMessageDateTime", x.OriginalMessageDateTime)
	w.leaf("originalSender", x.OriginalSender)
	w.optional("originalContentResponsible", x.OriginalContentResponsible)
	w.optional("originalRepresentative", x.OriginalRepresentative)
	w.optional("contactPointID", x.ContactPointID)
	w.optional("comment", x.Comment)
	w.close()
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

func (x ReplyData) write(w *writer) {
	w.open("memo:ReplyData")
	w.optional("messageID", x.MessageID)
	w.leaf("messageUUID", x.MessageUUID)
	w.optional("replyUUID", x.ReplyUUID)
	w.optional("senderID", x.SenderID)
	w.optional("recipientID", x.RecipientID)
	w.optional("caseID", x.CaseID)
	w.optional("contactPointID", x.ContactPointID)
	w.optional("generatingSystemID", x.GeneratingSystemID)
	w.optional("comment", x.Comment)
	writeAll(w, x.AdditionalReplyData)
	w.close()
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

func (x AdditionalReplyData) write(w *writer) {
	w.open("memo:AdditionalReplyData")
	w.leaf("label", x.Label)
	w.leaf("value", x.Value)
	w.close()
}

func readAdditionalReplyData(r *reader, x *AdditionalReplyData) bool {
	return r.text("label", &x.Label) ||
		r.text("value", &x.Value)
}
