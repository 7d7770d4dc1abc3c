package memo

import (
	"strings"
)

// modelClasses describes MeMo: every class with its members in the order of the schema. It is all that Check and Fix know
// about structure. A member is written as in a DTD, with the prefix of its namespace unless that is memo: "label" stands
// once, "label?" at most once, "File+" once or more, "ReplyData*" any number of times, "ContactInfo{2}" at most twice. A
// member with a capital letter is a class. [src: MEMO-1.1-XSD; MEMO-1.2-NEWS; MEMO-1.2-EXAMPLES]
func modelClasses() map[string]*modelClass { return model.classes }

// model is made once and never changed.
var model = func() (m struct{ classes map[string]*modelClass }) {
	m.classes = map[string]*modelClass{}
	for _, part := range []map[string]*modelClass{letterClasses(), partyClasses(), contentClasses()} {
		for name, c := range part {
			c.name = name
			for n := range c.members {
				c.members[n].ordinal = n
			}
			m.classes[name] = c
		}
	}
	return m
}()

// letterClasses are the envelope, the Message, its header and body, and what stands in the body.
func letterClasses() map[string]*modelClass {
	document := func(id string) *modelClass {
		return of(m(id+"?"), m("label?"), m("File+"), m("Action*"))
	}
	return map[string]*modelClass{
		"Message": {members: []member{m("MessageHeader"), m("MessageBody?")}, rules: (*inspector).messageRules},
		"MessageHeader": {rules: (*inspector).headerRules, members: []member{
			m("messageType", kindMessageType), m("messageUUID", kindUUID), m("messageID?"), m("messageCode?"), m("label"),
			m("notification?", kindNotification), m("additionalNotification?"), m("reply?", kindBoolean),
			m("replyByDateTime?", kindDateTime), m("doNotDeliverUntilDate?", kindDate),
			optionalIn12(m("mandatory", kindBoolean)), optionalIn12(m("legalNotification", kindBoolean)), m("postType?"),
			m("Sender"), m("Recipient"), m("ContentData?"), m("ForwardData?"), m("ReplyData*"),
		}},
		"MessageBody": of(m("createdDateTime", kindDateTime), m("MainDocument"),
			senderAtMost(maxAdditionalDocuments, m("AdditionalDocument*")), m("TechnicalDocument*")),
		"MainDocument":       document("mainDocumentID"),
		"AdditionalDocument": document("additionalDocumentID"),
		"TechnicalDocument":  of(m("technicalDocumentID?"), m("label?"), m("File+")),
		"File": of(m("encodingFormat"), m("filename", kindFilename), m("language", kindLanguage),
			m("content", kindBase64)),
		"Action": {rules: (*inspector).actionRules, members: []member{
			m("label"), m("actionCode"), m("startDateTime?", kindDateTime), m("endDateTime?", kindDateTime),
			m("Reservation?"), m("EntryPoint?"), // one of the two: actionRules
		}},
		"Reservation": {rules: (*inspector).timeOrderRule, members: []member{
			m("description"), m("reservationUUID", kindUUID), m("abstract"), m("location"), m("startDateTime", kindDateTime),
			m("endDateTime", kindDateTime), m("organizerMail?"), m("organizerName?"),
		}},
		"EntryPoint": of(m("url", kindURL)),

		// The envelope of KombiPostAfsend, of which no schema is at hand. [src: SP-CLIENTS]
		":kombi_request": {envelope: true, rules: (*inspector).kombiRules, members: []member{
			m(":KombiValgKode", kindValg), m("Message?"), m(":ForsendelseISamling?", kindForeign),
			m(":Signature?", kindForeign),
		}},
	}
}

// partyClasses are sender, recipient, and what tells more about them.
func partyClasses() map[string]*modelClass {
	return map[string]*modelClass{
		"Sender": {rules: (*inspector).partyRules, members: []member{
			m("senderID"), m("idType"), until11(m("idTypeLabel?")), m("label"), m("AttentionData?"), m("ContactPoint?"),
			since12(m("Representative?")),
		}},
		"Recipient": {rules: (*inspector).partyRules, members: []member{
			m("recipientID"), m("idType"), until11(m("idTypeLabel?")), m("label?"), m("AttentionData?"), m("ContactPoint?"),
		}},
		"Representative": {members: []member{m("representativeID"), m("idType"), m("label")}, rules: (*inspector).partyRules},
		"AttentionData": {rules: (*inspector).addressRules, members: []member{
			m("AttentionPerson?"), m("grd:ProductionUnit?"), m("gln:GlobalLocationNumber?"), m("EMail?"), m("grd:SEnumber?"),
			m("Telephone?"), m("grd:EID?"), m("ContentResponsible?"), m("GeneratingSystem?"), m("sor:SORdata?"),
			m("grd:Address?"), m("grd:UnstructuredAddress?"),
		}},
		"AttentionPerson":          of(m("personID?"), m("label?")),
		"grd:ProductionUnit":       of(m("grd:productionUnitNumber", kindProductionUnit), m("grd:productionUnitName?")),
		"gln:GlobalLocationNumber": of(m("gln:globalLocationNumber", kindGLN), m("gln:location?")),
		"EMail":                    of(m("emailAddress"), m("relatedAgent?")),
		"grd:SEnumber":             of(m("grd:seNumber"), m("grd:companyName?")),
		"Telephone":                of(m("telephoneNumber"), m("relatedAgent?")),
		"grd:EID":                  of(m("grd:eID"), m("grd:label?")),
		"ContentResponsible":       of(m("contentResponsibleID?"), m("label?")),
		"GeneratingSystem":         of(m("generatingSystemID"), m("label?")),
		"sor:SORdata":              of(m("sor:sorIdentifier"), m("sor:entryName?")),
		"grd:Address": of(m("grd:id?"), m("grd:addressLabel?"), m("grd:houseNumber?"), m("grd:door?"), m("grd:floor?"),
			m("grd:co?"), m("grd:zipCode?"), m("grd:city?"), m("grd:country?"), m("grd:AddressPoint?")),
		"grd:AddressPoint": of(m("grd:geographicEastingMeasure?"), m("grd:geographicNorthingMeasure?"),
			m("grd:geographicHeightMeasure?")),
		"grd:UnstructuredAddress": of(m("grd:unstructured")),
		"ContactPoint":            of(m("contactGroup?"), m("contactPointID"), m("label?"), m("ContactInfo{2}")),
		"ContactInfo":             of(m("label"), m("value")),
	}
}

// contentClasses are what the message is about, and the messages before it.
func contentClasses() map[string]*modelClass {
	return map[string]*modelClass{
		"ContentData": {rules: (*inspector).addressRules, members: []member{
			m("grd:CPRdata?"), m("grd:CVRdata?"), m("dmv:MotorVehicle?"), m("grd:PropertyNumber?"), m("CaseID?"),
			m("kle:KLEdata?"), m("form:FORMdata?"), m("grd:ProductionUnit?"), m("udd:Education?"), m("grd:Address?"),
			m("grd:UnstructuredAddress?"), m("AdditionalContentData{10}"),
		}},
		"grd:CPRdata":           of(m("grd:cprNumber", kindCPR), m("grd:name?")),
		"grd:CVRdata":           of(m("grd:cvrNumber", kindCVR), m("grd:companyName?")),
		"dmv:MotorVehicle":      of(m("dmv:licenseNumber", kindLicenseNumber), m("dmv:chassisNumber?")),
		"grd:PropertyNumber":    of(m("grd:propertyNumber")),
		"CaseID":                of(m("caseID"), m("caseSystem")),
		"kle:KLEdata":           of(m("kle:subjectKey"), m("kle:version"), m("kle:activityFacet?"), m("kle:label")),
		"form:FORMdata":         of(m("form:taskKey"), m("form:version"), m("form:activityFacet?"), m("form:label")),
		"udd:Education":         of(m("udd:educationCode"), m("udd:educationName?")),
		"AdditionalContentData": of(m("contentDataType?"), m("contentDataName"), m("contentDataValue")),
		"ForwardData": of(m("messageUUID", kindUUID), m("originalMessageDateTime", kindDateTime), m("originalSender"),
			m("originalContentResponsible?"), since12(m("originalRepresentative?")), m("contactPointID?"),
			m("comment?", kindComment)),
		"ReplyData": of(m("messageID?"), m("messageUUID", kindUUID), m("replyUUID?", kindUUID), m("senderID?"),
			m("recipientID?"), m("caseID?"), m("contactPointID?"), m("generatingSystemID?"), m("comment?", kindComment),
			m("AdditionalReplyData{4}")),
		"AdditionalReplyData": of(m("label"), m("value")),
	}
}

// modelClass is one class.
type modelClass struct {
	name     string
	members  []member
	rules    func(i *inspector, n *node) // what the members ask of each other; nil for nothing
	envelope bool                        // around the Message
}

// member is a property or class of a class.
type member struct {
	name        string // with prefix unless memo; no namespace is an empty prefix with its colon
	prefix      string
	local       string
	kind        kind
	ordinal     int // from 0
	least, most int // most is unbounded (-1) or a number
	sender      int // most that a sender may use, 0 for most
	optional12  bool
	since, till Version // first and last version that have it; empty for all
}

func of(members ...member) *modelClass { return &modelClass{members: members} }

// m reads the description of a member; kind is kindText where none is given.
func m(spec string, kinds ...kind) member {
	x := member{least: 1, most: 1}
	x.name = strings.TrimRight(spec, "?*+{}0123456789")
	switch suffix := spec[len(x.name):]; suffix {
	case "":
	case "?":
		x.least = 0
	case "*":
		x.least, x.most = 0, unbounded
	case "+":
		x.most = unbounded
	default:
		n, _ := digits(strings.Trim(suffix, "{}"))
		x.least, x.most = 0, n
	}
	x.prefix, x.local = "memo", x.name
	if prefix, local, found := strings.Cut(x.name, ":"); found {
		x.prefix, x.local = prefix, local
	}
	switch {
	case len(kinds) > 0:
		x.kind = kinds[0]
	case x.local[0] >= 'A' && x.local[0] <= 'Z':
		x.kind = kindClass
	default:
		x.kind = kindText
	}
	return x
}

func optionalIn12(x member) member        { x.optional12 = true; return x }
func since12(x member) member             { x.since = V1_2; return x }
func until11(x member) member             { x.till = V1_1; return x }
func senderAtMost(n int, x member) member { x.sender = n; return x }

// required tells whether a version asks for the member.
func (x *member) required(v Version) bool { return x.least > 0 && (!x.optional12 || v != V1_2) }

// find returns the member of a local name. No class has two members of one local name.
func (c *modelClass) find(local []byte) *member {
	for n := range c.members {
		if c.members[n].local == string(local) {
			return &c.members[n]
		}
	}
	return nil
}

// uri is the namespace of a member.
func (x *member) uri() string {
	if x.prefix == "" {
		return ""
	}
	return namespace(x.prefix)
}
