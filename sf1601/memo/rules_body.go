package memo

func (x MessageBody) check(c *checker) {
	c.requiredTime("createdDateTime", x.CreatedDateTime)
	c.class("MainDocument", x.MainDocument)
	checkAll(c, "AdditionalDocument", x.AdditionalDocuments, maxAdditionalDocuments)
	checkAll(c, "TechnicalDocument", x.TechnicalDocuments, unbounded)
}

func (x MainDocument) check(c *checker) {
	c.text("mainDocumentID", x.MainDocumentID, maxText)
	c.text("label", x.Label, maxText)
	c.files(x.Files)
	checkAll(c, "Action", x.Actions, unbounded)
}

func (x AdditionalDocument) check(c *checker) {
	c.text("additionalDocumentID", x.AdditionalDocumentID, maxText)
	c.text("label", x.Label, maxText)
	c.files(x.Files)
	checkAll(c, "Action", x.Actions, unbounded)
}

func (x TechnicalDocument) check(c *checker) {
	c.text("technicalDocumentID", x.TechnicalDocumentID, maxText)
	c.text("label", x.Label, maxText)
	c.files(x.Files)
}

func (c *checker) files(list []File) {
	if len(list) == 0 {
		c.add("File", RuleRequired, "A document must have at least one file.")
	}
	checkAll(c, "File", list, unbounded)
}

func (x File) check(c *checker) {
	c.required("encodingFormat", x.EncodingFormat)
	c.required("filename", x.Filename)
	if len(ForbiddenFilenameRunes(x.Filename)) > 0 {
		c.add("filename", RuleFilename, "The file name holds a character that Digital Post does not take.")
	}
	if !twoLetters(x.Language) {
		c.add("language", RuleLanguage, "The language must be two letters.")
	}
	if x.Content == nil {
		c.add("content", RuleRequired, "The file must have a content.")
	}
}

func twoLetters(s string) bool {
	if len(s) != 2 {
		return false
	}
	letter := func(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
	return letter(s[0]) && letter(s[1])
}

func (x Action) check(c *checker) {
	c.required("label", x.Label)
	if !x.ActionCode.known() {
		c.add("actionCode", RuleCode, "The code must be one of the eight action codes.")
	}
	c.time("startDateTime", x.StartDateTime)
	c.time("endDateTime", x.EndDateTime)
	c.order(x.StartDateTime, x.EndDateTime)
	x.checkTarget(c)
	checkOptional(c, "Reservation", x.Reservation)
	checkOptional(c, "EntryPoint", x.EntryPoint)
}

// checkTarget: AFTALE takes a Reservation and every other code an EntryPoint, as public SF1601 clients do; the XSD only
// forbids both together. [src: SP-CLIENTS os2forms; MEMO-1.1-XSD Action]
func (x Action) checkTarget(c *checker) {
	switch {
	case x.Reservation != nil && x.EntryPoint != nil:
		c.add("", RuleActionTarget, "An action has a Reservation or an EntryPoint, never both.")
	case x.ActionCode == ActionAftale && x.Reservation == nil:
		c.add("", RuleActionTarget, "An AFTALE must have a Reservation.")
	case x.ActionCode != ActionAftale && x.ActionCode.known() && x.EntryPoint == nil:
		c.add("", RuleActionTarget, "Every action but AFTALE must have an EntryPoint.")
	}
}

func (x Reservation) check(c *checker) {
	c.required("description", x.Description)
	c.uuid("reservationUUID", x.ReservationUUID)
	c.required("abstract", x.Abstract)
	c.required("location", x.Location)
	c.requiredTime("startDateTime", x.StartDateTime)
	c.requiredTime("endDateTime", x.EndDateTime)
	c.order(x.StartDateTime, x.EndDateTime)
	c.text("organizerMail", x.OrganizerMail, maxText)
	c.text("organizerName", x.OrganizerName, maxText)
}

func (x EntryPoint) check(c *checker) {
	c.https("url", x.URL)
}
