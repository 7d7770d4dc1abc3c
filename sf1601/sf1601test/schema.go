package sf1601test

import (
	"strings"
	"sync"
)

// Namespaces of MeMo.
// [src: MEMO-1.1-XSD; MEMO-1.2-EXAMPLES]
const (
	nsMemo = "https://DigitalPost.dk/MeMo-1"
	nsGrd  = "https://data.gov.dk/model/core/"
	nsGln  = "https://www.gs1.dk/gs1-standarder/identifikation/gln-global-location-number/"
	nsSor  = "https://services.nsi.dk/en/Services/SOR"
	nsDmv  = "https://motorregister.skat.dk/"
	nsKle  = "http://kle-online.dk/"
	nsForm = "http://www.form-online.dk/"
	nsUdd  = "https://www.dst.dk/da/TilSalg/Forskningsservice/Dokumentation/hoejkvalitetsvariable/elevregister-2/udd#"
	nsXSI  = "http://www.w3.org/2001/XMLSchema-instance"
)

// memoClasses is MeMo as order and cardinality, one class a line: its children
// in order, each `name` + cardinality + `=type`, or a class of the table when
// it has no type. A child is in the namespace of its class unless prefixed.
//
// Cardinality: none 1 · ? 0..1 · * 0..n · + 1..n · {n} 0..n at most ·
// ! 1 in MeMo 1.1, 0..1 in 1.2 · ^ not in 1.1, 0..1 in 1.2 · _ 0..1 in 1.1,
// not in 1.2.
// An indented line goes on with the one above.
//
// AdditionalDocument is unbounded in the schema; ten is the limit of Digital
// Post's API.
// [src: MEMO-1.1-XSD; MEMO-1.2-NEWS; MEMO-1.2-EXAMPLES; NGDP-OPENAPI Document]
const memoClasses = `
Message: MessageHeader MessageBody?
MessageHeader: messageType=TYPE messageUUID=UUID messageID?=T256 messageCode?=T256 label=T256 notification?=N150
  additionalNotification?=T256 reply?=BOOL replyByDateTime?=DTZ doNotDeliverUntilDate?=LATER mandatory!=BOOL
  legalNotification!=BOOL postType?=T256 Sender Recipient ContentData? ForwardData? ReplyData*
Sender: senderID=T256 idType=T256 idTypeLabel_=T256 label=T256 AttentionData? ContactPoint? Representative^
Recipient: recipientID=T256 idType=T256 idTypeLabel_=T256 label?=T256 AttentionData? ContactPoint?
Representative: representativeID=T256 idType=IDTYPE label=T256
AttentionData: AttentionPerson? grd:ProductionUnit? gln:GlobalLocationNumber? EMail? grd:SEnumber? Telephone? grd:EID?
  ContentResponsible? GeneratingSystem? sor:SORdata? grd:Address? grd:UnstructuredAddress?
AttentionPerson: personID?=T256 label?=T256
EMail: emailAddress=T256 relatedAgent?=T256
Telephone: telephoneNumber=T256 relatedAgent?=T256
ContentResponsible: contentResponsibleID?=T256 label?=T256
GeneratingSystem: generatingSystemID=T256 label?=T256
ContactPoint: contactGroup?=T256 contactPointID=POINT label?=T256 ContactInfo{2}
ContactInfo: label=T256 value=T256
ContentData: grd:CPRdata? grd:CVRdata? dmv:MotorVehicle? grd:PropertyNumber? CaseID? kle:KLEdata? form:FORMdata?
  grd:ProductionUnit? udd:Education? grd:Address? grd:UnstructuredAddress? AdditionalContentData{10}
CaseID: caseID=T256 caseSystem=T256
AdditionalContentData: contentDataType?=T256 contentDataName=T256 contentDataValue=T256
ForwardData: messageUUID=UUID originalMessageDateTime=DTZ originalSender=T256 originalContentResponsible?=T256
  originalRepresentative^=T256 contactPointID?=T256 comment?=C512
ReplyData: messageID?=T256 messageUUID=UUID replyUUID?=UUID senderID?=T256 recipientID?=T256 caseID?=T256
  contactPointID?=T256 generatingSystemID?=T256 comment?=C512 AdditionalReplyData{4}
AdditionalReplyData: label=T256 value=T256
MessageBody: createdDateTime=DTZ MainDocument AdditionalDocument{10} TechnicalDocument*
MainDocument: mainDocumentID?=T256 label?=T256 File+ Action*
AdditionalDocument: additionalDocumentID?=T256 label?=T256 File+ Action*
TechnicalDocument: technicalDocumentID?=T256 label?=T256 File+
File: encodingFormat=T256 filename=FILE language=LANG content=B64
Action: label=T256 actionCode=CODE startDateTime?=DTZ endDateTime?=DTZ Reservation? EntryPoint?
Reservation: description=T256 reservationUUID=UUID abstract=T256 location=T256 startDateTime=DTZ endDateTime=DTZ
  organizerMail?=T256 organizerName?=T256
EntryPoint: url=URL
grd:ProductionUnit: productionUnitNumber=P10 productionUnitName?=T256
grd:SEnumber: seNumber=T256 companyName?=T256
grd:EID: eID=T256 label?=T256
grd:Address: id?=T256 addressLabel?=T256 houseNumber?=T256 door?=T256 floor?=T256 co?=T256 zipCode?=T256 city?=T256
  country?=T256 AddressPoint?
grd:AddressPoint: geographicEastingMeasure?=T256 geographicNorthingMeasure?=T256 geographicHeightMeasure?=T256
grd:UnstructuredAddress: unstructured=T256
grd:CPRdata: cprNumber=T256 name?=T256
grd:CVRdata: cvrNumber=T256 companyName?=T256
grd:PropertyNumber: propertyNumber=T256
gln:GlobalLocationNumber: globalLocationNumber=GLN13 location?=T256
sor:SORdata: sorIdentifier=T256 entryName?=T256
dmv:MotorVehicle: licenseNumber=LP7 chassisNumber?=T256
kle:KLEdata: subjectKey=T256 version=T256 activityFacet?=T256 label=T256
form:FORMdata: taskKey=T256 version=T256 activityFacet?=T256 label=T256
udd:Education: educationCode=T256 educationName?=T256
`

// unbounded is a maximum no letter reaches.
const unbounded = 1 << 30

// class is one line of the table.
type class struct {
	name     string
	children []child
}

// child is one element a class may hold.
type child struct {
	name     string
	uri      string
	min, max [2]int // in MeMo 1.1, in MeMo 1.2
	class    *class // nil for a leaf
	check    check  // nil for a class
}

// memoSchema is the compiled table: the class Message.
var memoSchema = sync.OnceValue(func() *class {
	return compileTable(memoClasses, "Message", checks, map[string]string{
		"": nsMemo, "grd": nsGrd, "gln": nsGln, "sor": nsSor, "dmv": nsDmv, "kle": nsKle, "form": nsForm, "udd": nsUdd,
	})
})

// compileTable reads a table and gives its root class. uris are the namespaces
// by prefix.
func compileTable(text, root string, types map[string]check, uris map[string]string) *class {
	classes := map[string]*class{} // by prefix:name
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(text), "\n  ", " "), "\n")
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ": ")
		_, local, found := strings.Cut(name, ":")
		if !found {
			local = name
		}
		classes[name] = &class{name: local}
	}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, ": ")
		own, _, found := strings.Cut(name, ":")
		if !found {
			own = ""
		}
		for field := range strings.FieldsSeq(rest) {
			classes[name].children = append(classes[name].children, compile(field, own, types, uris, classes))
		}
	}
	return classes[root]
}

// compile reads one field of the table. A typing error in the table panics in
// the first test.
func compile(field, own string, types map[string]check, uris map[string]string, classes map[string]*class) child {
	name, kind, leaf := strings.Cut(field, "=")
	c := child{min: [2]int{1, 1}, max: [2]int{1, 1}}
	if i := strings.IndexAny(name, "?*+!^_{"); i >= 0 {
		switch name[i:] {
		case "?":
			c.min = [2]int{0, 0}
		case "*":
			c.min, c.max = [2]int{0, 0}, [2]int{unbounded, unbounded}
		case "+":
			c.max = [2]int{unbounded, unbounded}
		case "!":
			c.min = [2]int{1, 0}
		case "^":
			c.min, c.max = [2]int{0, 0}, [2]int{0, 1}
		case "_":
			c.min, c.max = [2]int{0, 0}, [2]int{1, 0}
		case "{2}":
			c.min, c.max = [2]int{0, 0}, [2]int{2, 2}
		case "{4}":
			c.min, c.max = [2]int{0, 0}, [2]int{4, 4}
		case "{1-100}":
			c.max = [2]int{100, 100}
		case "{10}":
			c.min, c.max = [2]int{0, 0}, [2]int{10, 10}
		default:
			panic("sf1601test: cardinality of " + field)
		}
		name = name[:i]
	}
	prefix, local, found := strings.Cut(name, ":")
	if !found {
		prefix, local = own, name
	}
	c.name, c.uri = local, uris[prefix]
	switch {
	case leaf:
		c.check = types[kind]
	case prefix == "":
		c.class = classes[local]
	default:
		c.class = classes[prefix+":"+local]
	}
	if c.uri == "" || (c.check == nil) == (c.class == nil) {
		panic("sf1601test: unknown " + field)
	}
	return c
}
