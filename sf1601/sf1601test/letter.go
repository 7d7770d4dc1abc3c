package sf1601test

import (
	"bytes"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// keep notes what the simulator needs of a leaf. text is only borrowed.
func (l *letterReader) keep(class, name string, text []byte) {
	switch class {
	case "MessageHeader":
		l.keepHeader(name, text)
	case "Sender", "Recipient":
		switch name {
		case "idType":
			l.idType = string(text)
		case "senderID", "recipientID":
			l.partyID = string(text)
		}
	case "File":
		switch name {
		case "filename":
			l.doc.Filename = clip(text)
		case "encodingFormat":
			l.doc.Format = clip(text)
		case "content":
			l.doc.Size, _ = decodedSize(text)
		}
	case "Action":
		if name == "actionCode" {
			l.code = clip(text)
		}
	}
}

// clip copies a text of the letter at most as long as MeMo allows.
func clip(text []byte) string {
	if len(text) > 1024 {
		text = text[:1024]
	}
	return strings.ToValidUTF8(string(text), "")
}

func (l *letterReader) keepHeader(name string, text []byte) {
	switch name {
	case "messageType":
		l.req.MessageType = clip(text)
	case "messageUUID":
		l.req.MessageUUID = clip(text)
	case "messageID":
		l.req.MessageID = clip(text)
	case "notification":
		l.notify = len(bytes.TrimSpace(text)) > 0
	case "label":
		if len(bytes.TrimSpace(text)) == 0 {
			l.find(CodeMemoInvalid, "element 'label' is empty", l.scan.at)
		}
	}
}

// opened prepares for a class.
func (l *letterReader) opened(class string) {
	switch class {
	case "Sender", "Recipient":
		l.idType, l.partyID = "", ""
	case "MessageBody":
		l.body = true
	case "MainDocument", "AdditionalDocument", "TechnicalDocument":
		l.kind = class
	case "File":
		l.doc = Document{Kind: l.kind}
	case "Action":
		l.code, l.reserve, l.entry = "", false, false
	case "Reservation":
		l.reserve = true
	case "EntryPoint":
		l.entry = true
	}
}

// end closes the innermost class and checks what spans its children.
func (l *letterReader) end() {
	f := l.top()
	l.missing(f, len(f.class.children))
	switch f.class.name {
	case "Sender":
		l.party(f.at)
	case "Recipient":
		l.party(f.at)
		l.req.recipient, l.req.Recipient = clip([]byte(l.partyID)), mask(l.partyID)
	case "File":
		l.req.Documents = append(l.req.Documents, l.doc)
	case "Action":
		l.action(f.at)
	}
	l.frames = l.frames[:len(l.frames)-1]
}

// party checks the identity of a Sender or Recipient.
// Digital Post takes 8 or 10 digits; idType MyndighedsID was dropped with MeMo
// 1.1. [src: NGDP-OPENAPI Sender; MEMO-GUIDE]
func (l *letterReader) party(at int) {
	ok := l.idType == "CPR" && digits(l.partyID, 10) || l.idType == "CVR" && digits(l.partyID, 8)
	if !ok {
		l.find(CodeMemoInvalid, "the id in '"+l.top().class.name+"' is not a CPR of 10 or a CVR of 8 digits as its idType says", at)
	}
}

// action checks an Action as a whole. The schema lets Reservation and
// EntryPoint both be absent; a letter whose action leads nowhere is a mistake.
func (l *letterReader) action(at int) {
	l.req.Actions = append(l.req.Actions, l.code)
	switch {
	case l.reserve && l.entry:
		l.find(CodeMemoInvalid, "'Action' has both Reservation and EntryPoint", at)
	case !l.reserve && !l.entry:
		l.find(CodeMemoInvalid, "'Action' has neither Reservation nor EntryPoint", at)
	case l.code == "AFTALE" && !l.reserve:
		l.find(CodeMemoInvalid, "'Action' AFTALE has no Reservation", at)
	}
}

// afterMessage checks what spans the letter.
func (l *letterReader) afterMessage() {
	if l.req.MessageType == "NEMSMS" {
		if !l.notify {
			l.find(CodeEmptyNotification, "a NEMSMS has no notification", l.scan.pos)
		}
		if l.body {
			l.find(CodeMemoInvalid, "a NEMSMS has a MessageBody", l.scan.pos)
		}
	} else if !l.body {
		l.find(CodeMemoInvalid, "element 'MessageBody' is missing in 'Message'", l.scan.pos)
	}
}
