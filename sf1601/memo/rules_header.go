package memo

import "strings"

func (m *Message) check(c *checker) {
	c.version = m.Version
	if m.Version != V1_1 && m.Version != V1_2 {
		c.add("memoVersion", RuleVersion, "The version must be 1.1 or 1.2.")
	}
	c.class("MessageHeader", m.Header)
	switch m.Header.MessageType {
	case DigitalPost:
		if m.Body == nil {
			c.add("MessageBody", RuleRequired, "A message of type DIGITALPOST must have a body.")
		}
	case NemSMS:
		if m.Body != nil {
			c.add("MessageBody", RuleForbidden, "A message of type NEMSMS has no body.")
		}
	}
	checkOptional(c, "MessageBody", m.Body)
}

func (x MessageHeader) check(c *checker) {
	if x.MessageType != DigitalPost && x.MessageType != NemSMS {
		c.add("messageType", RuleCode, "The type must be DIGITALPOST or NEMSMS.")
	}
	c.uuid("messageUUID", x.MessageUUID)
	c.text("messageID", x.MessageID, maxText)
	c.text("messageCode", x.MessageCode, maxText)
	c.required("label", x.Label)
	if x.MessageType == NemSMS && strings.TrimSpace(x.Notification) == "" {
		c.add("notification", RuleRequired, "The notification is the text of a NEMSMS and must not be empty.")
	}
	c.text("notification", x.Notification, maxNotification)
	c.text("additionalNotification", x.AdditionalNotification, maxText)
	c.time("replyByDateTime", x.ReplyByDateTime)
	if !x.DoNotDeliverUntilDate.IsZero() && !x.DoNotDeliverUntilDate.valid() {
		c.add("doNotDeliverUntilDate", RuleDate, "The date must be a day of the calendar.")
	}
	c.text("postType", x.PostType, maxText)
	c.class("Sender", x.Sender)
	c.class("Recipient", x.Recipient)
	checkOptional(c, "ContentData", x.ContentData)
	checkOptional(c, "ForwardData", x.ForwardData)
	checkAll(c, "ReplyData", x.ReplyData, unbounded)
}

func (x Sender) check(c *checker) {
	c.party("senderID", x.SenderID, x.IDType)
	c.text("idTypeLabel", x.IDTypeLabel, maxText)
	c.required("label", x.Label)
	checkOptional(c, "AttentionData", x.AttentionData)
	checkOptional(c, "ContactPoint", x.ContactPoint)
	if x.Representative != nil && c.version == V1_1 {
		c.add("Representative", RuleVersion, "A Representative needs MeMo 1.2.")
	}
	checkOptional(c, "Representative", x.Representative)
}

func (x Recipient) check(c *checker) {
	c.party("recipientID", x.RecipientID, x.IDType)
	c.text("idTypeLabel", x.IDTypeLabel, maxText)
	c.text("label", x.Label, maxText)
	checkOptional(c, "AttentionData", x.AttentionData)
	checkOptional(c, "ContactPoint", x.ContactPoint)
}

func (x Representative) check(c *checker) {
	c.party("representativeID", x.RepresentativeID, x.IDType)
	c.required("label", x.Label)
}

func (x ContactPoint) check(c *checker) {
	c.text("contactGroup", x.ContactGroup, maxText)
	c.required("contactPointID", x.ContactPointID)
	c.text("label", x.Label, maxText)
	checkAll(c, "ContactInfo", x.ContactInfo, maxContactInfo)
}

func (x ContactInfo) check(c *checker) {
	c.required("label", x.Label)
	c.required("value", x.Value)
}

func (x ForwardData) check(c *checker) {
	c.uuid("messageUUID", x.MessageUUID)
	c.requiredTime("originalMessageDateTime", x.OriginalMessageDateTime)
	c.required("originalSender", x.OriginalSender)
	c.text("originalContentResponsible", x.OriginalContentResponsible, maxText)
	if x.OriginalRepresentative != "" && c.version == V1_1 {
		c.add("originalRepresentative", RuleVersion, "An originalRepresentative needs MeMo 1.2.")
	}
	c.text("originalRepresentative", x.OriginalRepresentative, maxText)
	c.text("contactPointID", x.ContactPointID, maxText)
	c.text("comment", x.Comment, maxComment)
}

func (x ReplyData) check(c *checker) {
	c.text("messageID", x.MessageID, maxText)
	c.uuid("messageUUID", x.MessageUUID)
	if x.ReplyUUID != "" {
		c.uuid("replyUUID", x.ReplyUUID)
	}
	c.text("senderID", x.SenderID, maxText)
	c.text("recipientID", x.RecipientID, maxText)
	c.text("caseID", x.CaseID, maxText)
	c.text("contactPointID", x.ContactPointID, maxText)
	c.text("generatingSystemID", x.GeneratingSystemID, maxText)
	c.text("comment", x.Comment, maxComment)
	checkAll(c, "AdditionalReplyData", x.AdditionalReplyData, maxAdditionalReplyData)
}

func (x AdditionalReplyData) check(c *checker) {
	c.required("label", x.Label)
	c.required("value", x.Value)
}
