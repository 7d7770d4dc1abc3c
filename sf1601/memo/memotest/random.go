package memotest

import (
	"crypto/sha256"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Random returns a message of version v that Validate accepts, made of what r says: any optional class may be there or
// not, texts hold what XML must escape, lengths go up to their limits. The same r gives the same message. Times are whole
// seconds in UTC, and the files say their Size and SHA256, so that a message that was written and read again is equal.
func Random(r *rand.Rand, v memo.Version) *memo.Message {
	g := generator{r, v}
	m := &memo.Message{Version: v, Header: g.header()}
	if m.Header.MessageType == memo.DigitalPost {
		m.Body = g.body()
	}
	return m
}

// generator makes classes.
type generator struct {
	*rand.Rand
	version memo.Version
}

// maybe tells whether something optional is there.
func (g generator) maybe() bool { return g.IntN(2) == 0 }

// maybeClass makes an optional class.
func maybeClass[C any](g generator, generate func() C) *C {
	if !g.maybe() {
		return nil
	}
	c := generate()
	return &c
}

// upTo makes between least and most classes, nil when none.
func upTo[C any](g generator, least, most int, generate func() C) []C {
	var list []C
	for range least + g.IntN(most-least+1) {
		list = append(list, generate())
	}
	return list
}

// pick takes one of a list.
func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

// text makes a text of one to most characters that does not start or end with white space.
func (g generator) text(most int) string {
	alphabet := []rune("abcdefghijklmnopqrstuvwxyzæøåABCDEÆØÅ0123456789.,:;&<>\"'()[]%-/€é\u6f22😀\u00a0 \t\n\r")
	if g.IntN(8) > 0 {
		most = min(most, 20)
	}
	runes := make([]rune, 1+g.IntN(most))
	for i := range runes {
		runes[i] = pick(g, alphabet...)
	}
	runes[0] = pick(g, 'A', 'ø', '&')
	runes[len(runes)-1] = pick(g, 'z', 'Å', '>')
	return string(runes)
}

// short makes a mandatory text, optional one that may be absent.
func (g generator) short() string { return g.text(256) }

func (g generator) optional() string {
	if g.maybe() {
		return ""
	}
	return g.short()
}

func (g generator) digits(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(strconv.Itoa(g.IntN(10)))
	}
	return b.String()
}

func (g generator) uuid() string {
	const hexadecimal = "0123456789abcdef"
	pattern := []byte("xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx")
	for i, c := range pattern {
		switch c {
		case 'x':
			pattern[i] = hexadecimal[g.IntN(16)]
		case 'y':
			pattern[i] = "89ab"[g.IntN(4)]
		}
	}
	if g.maybe() {
		return strings.ToUpper(string(pattern))
	}
	return string(pattern)
}

func (g generator) optionalUUID() string {
	if g.maybe() {
		return ""
	}
	return g.uuid()
}

// time is any second of the years 1970 to 9999.
func (g generator) time() time.Time {
	return time.Unix(g.Int64N(253402300800), 0).UTC()
}

func (g generator) optionalTime() time.Time {
	if g.maybe() {
		return time.Time{}
	}
	return g.time()
}

func (g generator) span() (start, end time.Time) {
	start, end = g.time(), g.time()
	if end.Before(start) {
		return end, start
	}
	return start, end
}

func (g generator) header() memo.MessageHeader {
	h := memo.MessageHeader{
		MessageType: pick(g, memo.DigitalPost, memo.DigitalPost, memo.DigitalPost, memo.NemSMS),
		MessageUUID: g.uuid(), MessageID: g.optional(), MessageCode: g.optional(), Label: g.short(),
		AdditionalNotification: g.optional(), Reply: g.maybe(), ReplyByDateTime: g.optionalTime(),
		Mandatory: g.maybe(), LegalNotification: g.maybe(), PostType: g.optional(),
		Sender: g.sender(), Recipient: g.recipient(),
		ContentData: maybeClass(g, g.contentData), ForwardData: maybeClass(g, g.forwardData),
		ReplyData: upTo(g, 0, 3, g.replyData),
	}
	if h.MessageType == memo.NemSMS || g.maybe() {
		h.Notification = g.text(150)
	}
	if g.maybe() {
		h.DoNotDeliverUntilDate = memo.DateOf(g.time())
	}
	return h
}

// party makes a number and its type.
func (g generator) party() (string, memo.IDType) {
	if g.maybe() {
		return g.digits(10), memo.CPR
	}
	return g.digits(8), memo.CVR
}

// typeLabel is only written in 1.1.
func (g generator) typeLabel() string {
	if g.version != memo.V1_1 {
		return ""
	}
	return g.optional()
}

func (g generator) sender() memo.Sender {
	s := memo.Sender{
		IDTypeLabel: g.typeLabel(), Label: g.short(),
		AttentionData: maybeClass(g, g.attentionData), ContactPoint: maybeClass(g, g.contactPoint),
	}
	s.SenderID, s.IDType = g.party()
	if g.version == memo.V1_2 && g.maybe() {
		s.Representative = &memo.Representative{Label: g.short()}
		s.Representative.RepresentativeID, s.Representative.IDType = g.party()
	}
	return s
}

func (g generator) recipient() memo.Recipient {
	x := memo.Recipient{
		IDTypeLabel: g.typeLabel(), Label: g.optional(),
		AttentionData: maybeClass(g, g.attentionData), ContactPoint: maybeClass(g, g.contactPoint),
	}
	x.RecipientID, x.IDType = g.party()
	return x
}

func (g generator) contactPoint() memo.ContactPoint {
	return memo.ContactPoint{
		ContactGroup: g.optional(), ContactPointID: g.short(), Label: g.optional(),
		ContactInfo: upTo(g, 0, 2, func() memo.ContactInfo { return memo.ContactInfo{Label: g.short(), Value: g.short()} }),
	}
}

func (g generator) attentionData() memo.AttentionData {
	a := memo.AttentionData{
		AttentionPerson: maybeClass(g, func() memo.AttentionPerson {
			return memo.AttentionPerson{PersonID: g.optional(), Label: g.optional()}
		}),
		ProductionUnit: maybeClass(g, g.productionUnit),
		GlobalLocationNumber: maybeClass(g, func() memo.GlobalLocationNumber {
			return memo.GlobalLocationNumber{GlobalLocationNumber: g.digits(1 + g.IntN(13)), Location: g.optional()}
		}),
		EMail: maybeClass(g, func() memo.EMail { return memo.EMail{EmailAddress: g.short(), RelatedAgent: g.optional()} }),
		SEnumber: maybeClass(g, func() memo.SEnumber {
			return memo.SEnumber{SeNumber: g.short(), CompanyName: g.optional()}
		}),
		Telephone: maybeClass(g, func() memo.Telephone {
			return memo.Telephone{TelephoneNumber: g.short(), RelatedAgent: g.optional()}
		}),
		EID: maybeClass(g, func() memo.EID { return memo.EID{EID: g.short(), Label: g.optional()} }),
		ContentResponsible: maybeClass(g, func() memo.ContentResponsible {
			return memo.ContentResponsible{ContentResponsibleID: g.optional(), Label: g.optional()}
		}),
		GeneratingSystem: maybeClass(g, func() memo.GeneratingSystem {
			return memo.GeneratingSystem{GeneratingSystemID: g.short(), Label: g.optional()}
		}),
		SORdata: maybeClass(g, func() memo.SORdata {
			return memo.SORdata{SorIdentifier: g.short(), EntryName: g.optional()}
		}),
	}
	a.Address, a.UnstructuredAddress = g.oneAddress()
	return a
}

func (g generator) productionUnit() memo.ProductionUnit {
	return memo.ProductionUnit{ProductionUnitNumber: g.digits(1 + g.IntN(9)), ProductionUnitName: g.optional()}
}

// oneAddress makes at most one form of address.
func (g generator) oneAddress() (*memo.Address, *memo.UnstructuredAddress) {
	switch g.IntN(3) {
	case 0:
		return &memo.Address{
			ID: g.optional(), AddressLabel: g.optional(), HouseNumber: g.optional(), Door: g.optional(), Floor: g.optional(),
			CO: g.optional(), ZipCode: g.optional(), City: g.optional(), Country: g.optional(),
			AddressPoint: maybeClass(g, func() memo.AddressPoint {
				return memo.AddressPoint{
					GeographicEastingMeasure: g.optional(), GeographicNorthingMeasure: g.optional(), GeographicHeightMeasure: g.optional(),
				}
			}),
		}, nil
	case 1:
		return nil, &memo.UnstructuredAddress{Unstructured: g.short()}
	default:
		return nil, nil
	}
}

func (g generator) contentData() memo.ContentData {
	c := memo.ContentData{
		CPRdata: maybeClass(g, func() memo.CPRdata { return memo.CPRdata{CprNumber: g.digits(10), Name: g.optional()} }),
		CVRdata: maybeClass(g, func() memo.CVRdata { return memo.CVRdata{CvrNumber: g.digits(8), CompanyName: g.optional()} }),
		MotorVehicle: maybeClass(g, func() memo.MotorVehicle {
			return memo.MotorVehicle{LicenseNumber: g.text(7), ChassisNumber: g.optional()}
		}),
		PropertyNumber: maybeClass(g, func() memo.PropertyNumber { return memo.PropertyNumber{PropertyNumber: g.short()} }),
		CaseID:         maybeClass(g, func() memo.CaseID { return memo.CaseID{CaseID: g.short(), CaseSystem: g.short()} }),
		KLEdata: maybeClass(g, func() memo.KLEdata {
			return memo.KLEdata{SubjectKey: g.short(), Version: g.short(), ActivityFacet: g.optional(), Label: g.short()}
		}),
		FORMdata: maybeClass(g, func() memo.FORMdata {
			return memo.FORMdata{TaskKey: g.short(), Version: g.short(), ActivityFacet: g.optional(), Label: g.short()}
		}),
		ProductionUnit: maybeClass(g, g.productionUnit),
		Education: maybeClass(g, func() memo.Education {
			return memo.Education{EducationCode: g.short(), EducationName: g.optional()}
		}),
		AdditionalContentData: upTo(g, 0, 10, func() memo.AdditionalContentData {
			return memo.AdditionalContentData{ContentDataType: g.optional(), ContentDataName: g.short(), ContentDataValue: g.short()}
		}),
	}
	c.Address, c.UnstructuredAddress = g.oneAddress()
	return c
}

func (g generator) forwardData() memo.ForwardData {
	f := memo.ForwardData{
		MessageUUID: g.uuid(), OriginalMessageDateTime: g.time(), OriginalSender: g.short(),
		OriginalContentResponsible: g.optional(), ContactPointID: g.optional(), Comment: g.comment(),
	}
	if g.version == memo.V1_2 {
		f.OriginalRepresentative = g.optional()
	}
	return f
}

func (g generator) comment() string {
	if g.maybe() {
		return ""
	}
	return g.text(512)
}

func (g generator) replyData() memo.ReplyData {
	return memo.ReplyData{
		MessageID: g.optional(), MessageUUID: g.uuid(), ReplyUUID: g.optionalUUID(), SenderID: g.optional(),
		RecipientID: g.optional(), CaseID: g.optional(), ContactPointID: g.optional(), GeneratingSystemID: g.optional(),
		Comment: g.comment(),
		AdditionalReplyData: upTo(g, 0, 4, func() memo.AdditionalReplyData {
			return memo.AdditionalReplyData{Label: g.short(), Value: g.short()}
		}),
	}
}

func (g generator) body() *memo.MessageBody {
	return &memo.MessageBody{
		CreatedDateTime: g.time(),
		MainDocument: memo.MainDocument{
			MainDocumentID: g.optional(), Label: g.optional(), Files: upTo(g, 1, 3, g.file), Actions: upTo(g, 0, 3, g.action),
		},
		AdditionalDocuments: upTo(g, 0, 3, func() memo.AdditionalDocument {
			return memo.AdditionalDocument{
				AdditionalDocumentID: g.optional(), Label: g.optional(), Files: upTo(g, 1, 2, g.file), Actions: upTo(g, 0, 2, g.action),
			}
		}),
		TechnicalDocuments: upTo(g, 0, 2, func() memo.TechnicalDocument {
			return memo.TechnicalDocument{TechnicalDocumentID: g.optional(), Label: g.optional(), Files: upTo(g, 1, 2, g.file)}
		}),
	}
}

func (g generator) file() memo.File {
	var content []byte
	for range g.IntN(200) * g.IntN(20) {
		content = append(content, byte(g.IntN(256))) //nolint:gosec // below 256
	}
	filename := []rune(g.short())
	for i, c := range filename {
		if len(memo.ForbiddenFilenameRunes(string(c))) > 0 {
			filename[i] = '-'
		}
	}
	return memo.File{
		EncodingFormat: pick(g, "application/pdf", "text/html", "text/plain", "image/png"),
		Filename:       string(filename), Language: pick(g, "da", "en", "DE"), Content: xmlstream.Bytes(content),
		Size: int64(len(content)), SHA256: sha256.Sum256(content),
	}
}

func (g generator) action() memo.Action {
	a := memo.Action{Label: g.short(), ActionCode: pick(g, memo.ActionAftale, memo.ActionBekraeft, memo.ActionBetaling,
		memo.ActionForberedelse, memo.ActionInformation, memo.ActionSelvbetjening, memo.ActionTilmelding, memo.ActionUnderskriv)}
	if a.StartDateTime, a.EndDateTime = g.span(); g.maybe() {
		a.StartDateTime = time.Time{}
	}
	if g.maybe() {
		a.EndDateTime = time.Time{}
	}
	if a.ActionCode != memo.ActionAftale {
		a.EntryPoint = &memo.EntryPoint{URL: "https://testby.example/" + g.digits(1+g.IntN(200)) + "?a=1&b=%C3%B8#c"}
		return a
	}
	a.Reservation = &memo.Reservation{
		Description: g.short(), ReservationUUID: g.uuid(), Abstract: g.short(), Location: g.short(),
		OrganizerMail: g.optional(), OrganizerName: g.optional(),
	}
	a.Reservation.StartDateTime, a.Reservation.EndDateTime = g.span()
	return a
}
