package memo

// IDType tells what kind of number identifies a party. The XSD leaves it as free text; a sender may only use these
// two here (docs/divergences.md). [src: MEMO-1.1-XSD Sender, idType; SP-CLIENTS]
type IDType string

// The two kinds.
const (
	CPR IDType = "CPR" // 10 digits
	CVR IDType = "CVR" // 8 digits
)

// Sender is the class Sender: the authority or company that the message is from. [src: MEMO-1.1-XSD Sender]
type Sender struct {
	SenderID       string // digits without separators
	IDType         IDType
	IDTypeLabel    string // optional, 1.1 only: left out in 1.2
	Label          string
	AttentionData  *AttentionData
	ContactPoint   *ContactPoint   // where an answer goes
	Representative *Representative // 1.2 only
}

func (x Sender) write(w *writer) {
	w.open("memo:Sender")
	w.leaf("senderID", x.SenderID)
	w.leaf("idType", string(x.IDType))
	if w.version == V1_1 {
		w.optional("idTypeLabel", x.IDTypeLabel)
	}
	w.leaf("label", x.Label)
	writeOne(w, x.AttentionData)
	writeOne(w, x.ContactPoint)
	writeOne(w, x.Representative)
	w.close()
}

func readSender(r *reader, x *Sender) bool {
	return r.text("senderID", &x.SenderID) ||
		r.text("idType", (*string)(&x.IDType)) ||
		r.text("idTypeLabel", &x.IDTypeLabel) ||
		r.text("label", &x.Label) ||
		one(r, "AttentionData", &x.AttentionData, readAttentionData) ||
		one(r, "ContactPoint", &x.ContactPoint, readContactPoint) ||
		one(r, "Representative", &x.Representative, readRepresentative)
}

// Recipient is the class Recipient: the one citizen, company or authority that the message is to.
// [src: MEMO-1.1-XSD Recipient]
type Recipient struct {
	RecipientID   string // digits without separators
	IDType        IDType
	IDTypeLabel   string // optional, 1.1 only: left out in 1.2
	Label         string // optional, unlike the sender's
	AttentionData *AttentionData
	ContactPoint  *ContactPoint
}

func (x Recipient) write(w *writer) {
	w.open("memo:Recipient")
	w.leaf("recipientID", x.RecipientID)
	w.leaf("idType", string(x.IDType))
	if w.version == V1_1 {
		w.optional("idTypeLabel", x.IDTypeLabel)
	}
	w.optional("label", x.Label)
	writeOne(w, x.AttentionData)
	writeOne(w, x.ContactPoint)
	w.close()
}

func readRecipient(r *reader, x *Recipient) bool {
	return r.text("recipientID", &x.RecipientID) ||
		r.text("idType", (*string)(&x.IDType)) ||
		r.text("idTypeLabel", &x.IDTypeLabel) ||
		r.text("label", &x.Label) ||
		one(r, "AttentionData", &x.AttentionData, readAttentionData) ||
		one(r, "ContactPoint", &x.ContactPoint, readContactPoint)
}

// Representative is the class Representative of MeMo 1.2: who sends on behalf of the sender. No schema for it is
// published: that all three properties are mandatory and at most 256 characters is an assumption (docs/divergences.md).
// [src: MEMO-1.2-EXAMPLES Sender/Representative; SP-CLIENTS]
type Representative struct {
	RepresentativeID string
	IDType           IDType
	Label            string
}

func (x Representative) write(w *writer) {
	w.open("memo:Representative")
	w.leaf("representativeID", x.RepresentativeID)
	w.leaf("idType", string(x.IDType))
	w.leaf("label", x.Label)
	w.close()
}

func readRepresentative(r *reader, x *Representative) bool {
	return r.text("representativeID", &x.RepresentativeID) ||
		r.text("idType", (*string)(&x.IDType)) ||
		r.text("label", &x.Label)
}

// ContactPoint is the class ContactPoint: a place inside an organisation that receives answers.
// [src: MEMO-1.1-XSD ContactPoint]
type ContactPoint struct {
	ContactGroup   string // optional, such as 22.33.44.55
	ContactPointID string // a UUID in practice
	Label          string // optional
	ContactInfo    []ContactInfo
}

func (x ContactPoint) write(w *writer) {
	w.open("memo:ContactPoint")
	w.optional("contactGroup", x.ContactGroup)
	w.leaf("contactPointID", x.ContactPointID)
	w.optional("label", x.Label)
	writeAll(w, x.ContactInfo)
	w.close()
}

func readContactPoint(r *reader, x *ContactPoint) bool {
	return r.text("contactGroup", &x.ContactGroup) ||
		r.text("contactPointID", &x.ContactPointID) ||
		r.text("label", &x.Label) ||
		many(r, "ContactInfo", &x.ContactInfo, readContactInfo)
}

// ContactInfo is the class ContactInfo: a free pair on a contact point, at most two of them.
// [src: MEMO-1.1-XSD ContactInfo]
type ContactInfo struct {
	Label string
	Value string
}

func (x ContactInfo) write(w *writer) {
	w.open("memo:ContactInfo")
	w.leaf("label", x.Label)
	w.leaf("value", x.Value)
	w.close()
}

func readContactInfo(r *reader, x *ContactInfo) bool {
	return r.text("label", &x.Label) ||
		r.text("value", &x.Value)
}
