package memo_test

import (
	"crypto/sha256"
	"io"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// copenhagen is a fixed zone one hour before UTC, so that tests need no zone database.
var copenhagen = time.FixedZone("CET", 3600)

func at(day, hour, minute int) time.Time {
	return time.Date(2026, time.December, day, hour, minute, 0, 0, copenhagen)
}

func file(name, text string) memo.File {
	content := []byte(text)
	return memo.File{
		EncodingFormat: "application/pdf", Filename: name, Language: "da", Content: xmlstream.Bytes(content),
		Size: int64(len(content)), SHA256: sha256.Sum256(content),
	}
}

// minimum is the smallest Digital Post message.
func minimum(v memo.Version) *memo.Message {
	return &memo.Message{
		Version: v,
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost,
			MessageUUID: "5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11",
			Label:       "Indkaldelse til jobsamtale",
			Sender:      memo.Sender{SenderID: "55133018", IDType: memo.CVR, Label: "Testby Kommune"},
			Recipient:   memo.Recipient{RecipientID: "2512489996", IDType: memo.CPR},
		},
		Body: &memo.MessageBody{
			CreatedDateTime: at(1, 9, 0),
			MainDocument:    memo.MainDocument{Files: []memo.File{file("Indkaldelse.pdf", "Kære borger")}},
		},
	}
}

// letter is what the gateway usually sends: two actions, a contact point, KLE and a case.
func letter(v memo.Version) *memo.Message {
	m := minimum(v)
	h := &m.Header
	h.MessageID = "msg_01"
	h.Notification = "Ny indkaldelse fra Jobcenter"
	h.Reply = true
	h.ReplyByDateTime = at(10, 12, 0)
	h.PostType = "MYNDIGHEDSPOST"
	h.Sender.AttentionData = &memo.AttentionData{GeneratingSystem: &memo.GeneratingSystem{GeneratingSystemID: "brevdue"}}
	h.Sender.ContactPoint = &memo.ContactPoint{
		ContactGroup: "22.33.44.55", ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", Label: "Jobcenter",
	}
	h.Recipient.Label = "Nancy Ann Berggren"
	h.ContentData = &memo.ContentData{
		CPRdata: &memo.CPRdata{CprNumber: "2512489996", Name: "Nancy Ann Berggren"},
		CaseID:  &memo.CaseID{CaseID: "sag-2026-0417", CaseSystem: "Jobcentersystemet"},
		KLEdata: &memo.KLEdata{SubjectKey: "15.20.00", Version: "Maj 2018", Label: "Aktiv beskæftigelsesindsats"},
	}
	m.Body.MainDocument.Label = "Indkaldelse"
	m.Body.MainDocument.Actions = []memo.Action{aftale(), link(memo.ActionTilmelding)}
	m.Body.AdditionalDocuments = []memo.AdditionalDocument{{Label: "Bilag", Files: []memo.File{file("Bilag.pdf", "Bilag")}}}
	return m
}

func aftale() memo.Action {
	return memo.Action{
		Label:      "Jobsamtale",
		ActionCode: memo.ActionAftale,
		Reservation: &memo.Reservation{
			Description:     "Medbring CV & ansøgninger",
			ReservationUUID: "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21",
			Abstract:        "Jobsamtale",
			Location:        "Værkmestergade 5",
			StartDateTime:   at(1, 10, 0),
			EndDateTime:     at(1, 10, 45),
			OrganizerMail:   "jobcenter@testby.example",
			OrganizerName:   "Jobcenter",
		},
	}
}

func link(code memo.ActionCode) memo.Action {
	return memo.Action{
		Label:       "Gå til " + string(code),
		ActionCode:  code,
		EndDateTime: at(10, 23, 59),
		EntryPoint:  &memo.EntryPoint{URL: "https://testby.example/handling?trin=1&sag=2"},
	}
}

// actions is a letter with all eight actions on two documents.
func actions(v memo.Version) *memo.Message {
	m := minimum(v)
	m.Body.MainDocument.Actions = []memo.Action{
		aftale(), link(memo.ActionBekraeft), link(memo.ActionBetaling), link(memo.ActionForberedelse),
	}
	m.Body.AdditionalDocuments = []memo.AdditionalDocument{{
		Files: []memo.File{file("Bilag.pdf", "Bilag")},
		Actions: []memo.Action{
			link(memo.ActionInformation), link(memo.ActionSelvbetjening), link(memo.ActionTilmelding), link(memo.ActionUnderskriv),
		},
	}}
	return m
}

func nemSMS(v memo.Version) *memo.Message {
	m := minimum(v)
	m.Header.MessageType = memo.NemSMS
	m.Header.Label = "NemSMS"
	m.Header.Notification = "Husk din samtale i Jobcentret i morgen kl. 10."
	m.Body = nil
	return m
}

// full has every class and property that its version knows.
func full(v memo.Version) *memo.Message {
	m := &memo.Message{Version: v, Header: fullHeader(), Body: fullBody()}
	if v == memo.V1_2 {
		m.Header.Sender.Representative = &memo.Representative{RepresentativeID: "12345678", IDType: memo.CVR, Label: "Udbetaling Danmark"}
		m.Header.ForwardData.OriginalRepresentative = "Udbetaling Danmark"
	}
	return m
}

func fullHeader() memo.MessageHeader {
	return memo.MessageHeader{
		MessageType:            memo.DigitalPost,
		MessageUUID:            "8C2EA15D-61FB-4BA9-9366-42F8B194C114",
		MessageID:              "msg_01",
		MessageCode:            "kode",
		Label:                  "Pladsanvisning",
		Notification:           "Du har fået post",
		AdditionalNotification: "Du har fået post fra Testby Kommune",
		Reply:                  true,
		ReplyByDateTime:        at(20, 12, 0),
		DoNotDeliverUntilDate:  memo.Date{Year: 2026, Month: time.December, Day: 3},
		Mandatory:              true,
		LegalNotification:      true,
		PostType:               "MYNDIGHEDSPOST",
		Sender: memo.Sender{
			SenderID: "55133018", IDType: memo.CVR, IDTypeLabel: "CVR-nummer", Label: "Testby Kommune",
			AttentionData: fullAttentionData(),
			ContactPoint: &memo.ContactPoint{
				ContactGroup: "22.33.44.55", ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", Label: "Jobcenter",
				ContactInfo: []memo.ContactInfo{{Label: "Telefon", Value: "12345678"}, {Label: "Åbent", Value: "9-14"}},
			},
		},
		Recipient: memo.Recipient{
			RecipientID: "2512489996", IDType: memo.CPR, IDTypeLabel: "CPR-nummer", Label: "Nancy Ann Berggren",
			AttentionData: &memo.AttentionData{
				UnstructuredAddress: &memo.UnstructuredAddress{Unstructured: "Rådhuspladsen 2, 8000 Aarhus C"},
			},
			ContactPoint: &memo.ContactPoint{ContactPointID: "post"},
		},
		ContentData: fullContentData(),
		ForwardData: &memo.ForwardData{
			MessageUUID:                "0d5f7e5e-5f1f-4b61-8f0f-0c37a6c3f0a1",
			OriginalMessageDateTime:    at(1, 8, 30),
			OriginalSender:             "Testby Kommune",
			OriginalContentResponsible: "Jobcenter",
			ContactPointID:             "241d39f6-998e-4929-b198-ccacbbf4b330",
			Comment:                    "Til jer",
		},
		ReplyData: []memo.ReplyData{{
			MessageID:           "sag-1",
			MessageUUID:         "2a9a1b6c-9d25-4a2f-b1f1-93c1e6f7d0b2",
			ReplyUUID:           "3b9a1b6c-9d25-4a2f-a1f1-93c1e6f7d0b3",
			SenderID:            "2512489996",
			RecipientID:         "55133018",
			CaseID:              "sag-2026-0417",
			ContactPointID:      "241d39f6-998e-4929-b198-ccacbbf4b330",
			GeneratingSystemID:  "brevdue",
			Comment:             "Svar",
			AdditionalReplyData: []memo.AdditionalReplyData{{Label: "nøgle", Value: "værdi"}},
		}, {MessageUUID: "4c9a1b6c-9d25-4a2f-91f1-93c1e6f7d0b4"}},
	}
}

func fullAttentionData() *memo.AttentionData {
	return &memo.AttentionData{
		AttentionPerson:      &memo.AttentionPerson{PersonID: "9001", Label: "Sagsbehandler"},
		ProductionUnit:       &memo.ProductionUnit{ProductionUnitNumber: "9876543210", ProductionUnitName: "Jobcenter"},
		GlobalLocationNumber: &memo.GlobalLocationNumber{GlobalLocationNumber: "5798000123456", Location: "Testby"},
		EMail:                &memo.EMail{EmailAddress: "jobcenter@testby.example", RelatedAgent: "Jobcenter"},
		SEnumber:             &memo.SEnumber{SeNumber: "12345678", CompanyName: "Testby Forsyning"},
		Telephone:            &memo.Telephone{TelephoneNumber: "12345678", RelatedAgent: "Jobcenter"},
		EID:                  &memo.EID{EID: "CVR:12345678-RID:1234567890123", Label: "Medarbejder"},
		ContentResponsible:   &memo.ContentResponsible{ContentResponsibleID: "22.33.44.55", Label: "Børn og Unge"},
		GeneratingSystem:     &memo.GeneratingSystem{GeneratingSystemID: "brevdue", Label: "brevdue"},
		SORdata:              &memo.SORdata{SorIdentifier: "468031000016004", EntryName: "Lægehuset"},
		Address: &memo.Address{
			ID: "8c2ea15d-61fb-4ba9-9366-42f8b194c114", AddressLabel: "Rådhuspladsen", HouseNumber: "2A", Door: "th", Floor: "3",
			CO: "c/o Hansen", ZipCode: "8000", City: "Aarhus C", Country: "DK",
			AddressPoint: &memo.AddressPoint{
				GeographicEastingMeasure: "557501.23", GeographicNorthingMeasure: "6336248.89", GeographicHeightMeasure: "0.0",
			},
		},
	}
}

func fullContentData() *memo.ContentData {
	return &memo.ContentData{
		CPRdata:             &memo.CPRdata{CprNumber: "2512489996", Name: "Nancy Ann Berggren"},
		CVRdata:             &memo.CVRdata{CvrNumber: "12345678", CompanyName: "Firmaet A/S"},
		MotorVehicle:        &memo.MotorVehicle{LicenseNumber: "AB12345", ChassisNumber: "WFR18ZZ67W094959"},
		PropertyNumber:      &memo.PropertyNumber{PropertyNumber: "ABC1234"},
		CaseID:              &memo.CaseID{CaseID: "sag-2026-0417", CaseSystem: "Sagssystem 1234"},
		KLEdata:             &memo.KLEdata{SubjectKey: "00.00.00", Version: "Maj 2018", ActivityFacet: "G01", Label: "Kommunens styrelse"},
		FORMdata:            &memo.FORMdata{TaskKey: "00.00.00.00", Version: "2.12", ActivityFacet: "Behandling", Label: "Opgavenavn"},
		ProductionUnit:      &memo.ProductionUnit{ProductionUnitNumber: "0000000001", ProductionUnitName: "Skolen"},
		Education:           &memo.Education{EducationCode: "123ABC", EducationName: "Uddannelse"},
		Address:             &memo.Address{ZipCode: "8000"},
		UnstructuredAddress: &memo.UnstructuredAddress{Unstructured: "Bakketoppen 6, 9000 Aalborg"},
		AdditionalContentData: []memo.AdditionalContentData{
			{ContentDataType: "Liste A", ContentDataName: "navn", ContentDataValue: "værdi"},
		},
	}
}

func fullBody() *memo.MessageBody {
	tilmelding := link(memo.ActionTilmelding)
	tilmelding.StartDateTime = at(1, 0, 0)
	return &memo.MessageBody{
		CreatedDateTime: at(1, 9, 0),
		MainDocument: memo.MainDocument{
			MainDocumentID: "1", Label: "Brev",
			Files:   []memo.File{file("Pladsanvisning.pdf", "pdf"), file("Pladsanvisning.txt", "tekst")},
			Actions: []memo.Action{aftale(), tilmelding},
		},
		AdditionalDocuments: []memo.AdditionalDocument{
			{AdditionalDocumentID: "2", Label: "Bilag", Files: []memo.File{file("Bilag.pdf", "bilag")}, Actions: []memo.Action{link(memo.ActionInformation)}},
			{Files: []memo.File{file("Kort.pdf", "kort")}},
		},
		TechnicalDocuments: []memo.TechnicalDocument{
			{TechnicalDocumentID: "3", Label: "Data", Files: []memo.File{file("data.xml", "<data/>")}},
		},
	}
}

// render streams a message as a document of its own.
func render(t testing.TB, m *memo.Message) []byte {
	t.Helper()
	d, err := m.Document()
	if err != nil {
		t.Fatal(err)
	}
	return stream(t, d)
}

// stream reads a document and checks the size it promised.
func stream(t testing.TB, d *xmlstream.Document) []byte {
	t.Helper()
	r := d.Open(t.Context())
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != d.Size() {
		t.Errorf("Size promised %d bytes, got %d", d.Size(), len(b))
	}
	return b
}
