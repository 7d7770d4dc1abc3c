package memo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
)

func findings(t *testing.T, m *memo.Message) []memo.Finding {
	t.Helper()
	err := m.Validate()
	if err == nil {
		return nil
	}
	var invalid *memo.Invalid
	if !errors.As(err, &invalid) || len(invalid.Findings) == 0 {
		t.Fatalf("Validate says %v", err)
	}
	return invalid.Findings
}

func TestSamplesAreValid(t *testing.T) {
	t.Parallel()
	for _, v := range versions {
		for _, s := range samples {
			var want []string
			if s.name == "full" { // both forms of address are in it to prove the order
				want = []string{"MessageHeader/ContentData/UnstructuredAddress address.one"}
			}
			var got []string
			for _, f := range findings(t, s.make(v)) {
				got = append(got, f.Path+" "+string(f.Rule))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s-%s: %q, want %q", s.name, v, got, want)
			}
		}
	}
}

// x is n characters of two bytes each, to tell characters from bytes.
func x(n int) string { return strings.Repeat("ø", n) }

func TestValidateFinds(t *testing.T) {
	t.Parallel()
	type message = memo.Message
	header := func(change func(h *memo.MessageHeader)) func(*message) {
		return func(m *message) { change(&m.Header) }
	}
	mainFile := func(change func(f *memo.File)) func(*message) {
		return func(m *message) { change(&m.Body.MainDocument.Files[0]) }
	}
	reservation := func(change func(r *memo.Reservation)) func(*message) {
		return func(m *message) { change(m.Body.MainDocument.Actions[0].Reservation) }
	}
	entryPoint := func(url string) func(*message) {
		return func(m *message) { m.Body.MainDocument.Actions[1].EntryPoint.URL = url }
	}
	const (
		head   = "MessageHeader/"
		body   = "MessageBody/"
		main   = body + "MainDocument/"
		action = main + "Action[2]"
		booked = main + "Action[1]/Reservation/"
	)
	for _, tt := range []struct {
		name   string
		change func(*message) // of letter in 1.1
		path   string
		rule   memo.Rule
	}{
		{"version", func(m *message) { m.Version = "1.0" }, "memoVersion", memo.RuleVersion},
		{"type", header(func(h *memo.MessageHeader) { h.MessageType = "PHYSICAL_LETTER" }), head + "messageType", memo.RuleCode},
		{"no body", func(m *message) { m.Body = nil }, "MessageBody", memo.RuleRequired},
		{"UUID of version 1", header(func(h *memo.MessageHeader) { h.MessageUUID = "5b2e9f54-5c0e-1d27-9d5a-0d9c5a0c1f11" }), head + "messageUUID", memo.RuleUUID},
		{"UUID of another variant", header(func(h *memo.MessageHeader) { h.MessageUUID = "5b2e9f54-5c0e-4d27-cd5a-0d9c5a0c1f11" }), head + "messageUUID", memo.RuleUUID},
		{"UUID with line break", header(func(h *memo.MessageHeader) { h.MessageUUID += "\n" }), head + "messageUUID", memo.RuleUUID},
		{"no UUID", header(func(h *memo.MessageHeader) { h.MessageUUID = "" }), head + "messageUUID", memo.RuleUUID},
		{"messageID", header(func(h *memo.MessageHeader) { h.MessageID = x(257) }), head + "messageID", memo.RuleLength},
		{"messageCode", header(func(h *memo.MessageHeader) { h.MessageCode = x(257) }), head + "messageCode", memo.RuleLength},
		{"blank label", header(func(h *memo.MessageHeader) { h.Label = " \t" }), head + "label", memo.RuleRequired},
		{"long label", header(func(h *memo.MessageHeader) { h.Label = x(257) }), head + "label", memo.RuleLength},
		{"control character", header(func(h *memo.MessageHeader) { h.Label = "a\x02" }), head + "label", memo.RuleCharacter},
		{"Latin-1", header(func(h *memo.MessageHeader) { h.Label = "\xe6" }), head + "label", memo.RuleCharacter},
		{"U+FFFE", header(func(h *memo.MessageHeader) { h.Label = "\uFFFE" }), head + "label", memo.RuleCharacter},
		{"notification", header(func(h *memo.MessageHeader) { h.Notification = x(151) }), head + "notification", memo.RuleLength},
		{"additionalNotification", header(func(h *memo.MessageHeader) { h.AdditionalNotification = x(257) }), head + "additionalNotification", memo.RuleLength},
		{"year of five digits", header(func(h *memo.MessageHeader) { h.ReplyByDateTime = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), head + "replyByDateTime", memo.RuleDate},
		{"30 February", header(func(h *memo.MessageHeader) { h.DoNotDeliverUntilDate = memo.Date{Year: 2026, Month: 2, Day: 30} }), head + "doNotDeliverUntilDate", memo.RuleDate},
		{"postType", header(func(h *memo.MessageHeader) { h.PostType = x(257) }), head + "postType", memo.RuleLength},
		{"CVR of 10 digits", header(func(h *memo.MessageHeader) { h.Sender.SenderID = "1234567890" }), head + "Sender/senderID", memo.RuleNumber},
		{"MyndighedsID", header(func(h *memo.MessageHeader) { h.Sender.IDType = "MyndighedsID" }), head + "Sender/idType", memo.RuleCode},
		{"no sender label", header(func(h *memo.MessageHeader) { h.Sender.Label = "" }), head + "Sender/label", memo.RuleRequired},
		{"CPR with separator", header(func(h *memo.MessageHeader) { h.Recipient.RecipientID = "251248-999" }), head + "Recipient/recipientID", memo.RuleNumber},
		{"CPR of 9 digits", header(func(h *memo.MessageHeader) { h.Recipient.RecipientID = "251248999" }), head + "Recipient/recipientID", memo.RuleNumber},
		{"CPR in other digits", header(func(h *memo.MessageHeader) { h.Recipient.RecipientID = "٠٠٠٠٠" }), head + "Recipient/recipientID", memo.RuleNumber},
		{"lower-case cpr", header(func(h *memo.MessageHeader) { h.Recipient.IDType = "cpr" }), head + "Recipient/idType", memo.RuleCode},
		{"recipient label", header(func(h *memo.MessageHeader) { h.Recipient.Label = x(257) }), head + "Recipient/label", memo.RuleLength},
		{"Representative in 1.1", header(func(h *memo.MessageHeader) {
			h.Sender.Representative = &memo.Representative{RepresentativeID: "12345678", IDType: memo.CVR, Label: "x"}
		}), head + "Sender/Representative", memo.RuleVersion},
		{"originalRepresentative in 1.1", header(func(h *memo.MessageHeader) {
			h.ForwardData = full(memo.V1_1).Header.ForwardData
			h.ForwardData.OriginalRepresentative = "x"
		}), head + "ForwardData/originalRepresentative", memo.RuleVersion},
		{"forwarded without time", header(func(h *memo.MessageHeader) {
			h.ForwardData = full(memo.V1_1).Header.ForwardData
			h.ForwardData.OriginalMessageDateTime = time.Time{}
		}), head + "ForwardData/originalMessageDateTime", memo.RuleRequired},
		{"comment", header(func(h *memo.MessageHeader) {
			h.ForwardData = full(memo.V1_1).Header.ForwardData
			h.ForwardData.Comment = x(513)
		}), head + "ForwardData/comment", memo.RuleLength},
		{"replyUUID", header(func(h *memo.MessageHeader) {
			h.ReplyData = full(memo.V1_1).Header.ReplyData
			h.ReplyData[1].ReplyUUID = "x"
		}), head + "ReplyData[2]/replyUUID", memo.RuleUUID},
		{"five AdditionalReplyData", header(func(h *memo.MessageHeader) {
			h.ReplyData = full(memo.V1_1).Header.ReplyData
			h.ReplyData[0].AdditionalReplyData = slices.Repeat(h.ReplyData[0].AdditionalReplyData, 5)
		}), head + "ReplyData[1]/AdditionalReplyData", memo.RuleCount},
		{"three ContactInfo", header(func(h *memo.MessageHeader) {
			h.Sender.ContactPoint.ContactInfo = slices.Repeat([]memo.ContactInfo{{Label: "a", Value: "b"}}, 3)
		}), head + "Sender/ContactPoint/ContactInfo", memo.RuleCount},
		{"no contactPointID", header(func(h *memo.MessageHeader) { h.Sender.ContactPoint.ContactPointID = "" }), head + "Sender/ContactPoint/contactPointID", memo.RuleRequired},
		{"both addresses", header(func(h *memo.MessageHeader) {
			h.Sender.AttentionData.Address = &memo.Address{}
			h.Sender.AttentionData.UnstructuredAddress = &memo.UnstructuredAddress{Unstructured: "x"}
		}), head + "Sender/AttentionData/UnstructuredAddress", memo.RuleOneAddress},
		{"P-number of 11 digits", header(func(h *memo.MessageHeader) {
			h.Sender.AttentionData.ProductionUnit = &memo.ProductionUnit{ProductionUnitNumber: "12345678901"}
		}), head + "Sender/AttentionData/ProductionUnit/productionUnitNumber", memo.RuleNumber},
		{"GLN with letters", header(func(h *memo.MessageHeader) {
			h.Sender.AttentionData.GlobalLocationNumber = &memo.GlobalLocationNumber{GlobalLocationNumber: "57A"}
		}), head + "Sender/AttentionData/GlobalLocationNumber/globalLocationNumber", memo.RuleNumber},
		{"eleven AdditionalContentData", header(func(h *memo.MessageHeader) {
			h.ContentData.AdditionalContentData = slices.Repeat(fullContentData().AdditionalContentData, 11)
		}), head + "ContentData/AdditionalContentData", memo.RuleCount},
		{"licence plate of 8", header(func(h *memo.MessageHeader) {
			h.ContentData.MotorVehicle = &memo.MotorVehicle{LicenseNumber: "AB123456"}
		}), head + "ContentData/MotorVehicle/licenseNumber", memo.RuleLength},
		{"no licence plate", header(func(h *memo.MessageHeader) { h.ContentData.MotorVehicle = &memo.MotorVehicle{} }),
			head + "ContentData/MotorVehicle/licenseNumber", memo.RuleRequired},
		{"CPRdata", header(func(h *memo.MessageHeader) { h.ContentData.CPRdata.CprNumber = "1" }), head + "ContentData/CPRdata/cprNumber", memo.RuleNumber},
		{"no case system", header(func(h *memo.MessageHeader) { h.ContentData.CaseID.CaseSystem = "" }), head + "ContentData/CaseID/caseSystem", memo.RuleRequired},
		{"no KLE version", header(func(h *memo.MessageHeader) { h.ContentData.KLEdata.Version = "" }), head + "ContentData/KLEdata/version", memo.RuleRequired},

		{"no createdDateTime", func(m *message) { m.Body.CreatedDateTime = time.Time{} }, body + "createdDateTime", memo.RuleRequired},
		{"no file", func(m *message) { m.Body.MainDocument.Files = nil }, main + "File", memo.RuleRequired},
		{"no additional file", func(m *message) { m.Body.AdditionalDocuments[0].Files = nil }, body + "AdditionalDocument[1]/File", memo.RuleRequired},
		{"no technical file", func(m *message) { m.Body.TechnicalDocuments = []memo.TechnicalDocument{{}} }, body + "TechnicalDocument[1]/File", memo.RuleRequired},
		{"eleven additional documents", func(m *message) {
			m.Body.AdditionalDocuments = slices.Repeat(m.Body.AdditionalDocuments, 11)
		}, body + "AdditionalDocument", memo.RuleCount},
		{"document label", func(m *message) { m.Body.MainDocument.Label = x(257) }, main + "label", memo.RuleLength},
		{"filename with colon", mainFile(func(f *memo.File) { f.Filename = "a:b.pdf" }), main + "File[1]/filename", memo.RuleFilename},
		{"filename with U+00A0", mainFile(func(f *memo.File) { f.Filename = "a\u00a0b.pdf" }), main + "File[1]/filename", memo.RuleFilename},
		{"no filename", mainFile(func(f *memo.File) { f.Filename = "" }), main + "File[1]/filename", memo.RuleRequired},
		{"long filename", mainFile(func(f *memo.File) { f.Filename = x(257) }), main + "File[1]/filename", memo.RuleLength},
		{"no encodingFormat", mainFile(func(f *memo.File) { f.EncodingFormat = "" }), main + "File[1]/encodingFormat", memo.RuleRequired},
		{"da-DK", mainFile(func(f *memo.File) { f.Language = "da-DK" }), main + "File[1]/language", memo.RuleLanguage},
		{"language of digits", mainFile(func(f *memo.File) { f.Language = "d4" }), main + "File[1]/language", memo.RuleLanguage},
		{"no content", mainFile(func(f *memo.File) { f.Content = nil }), main + "File[1]/content", memo.RuleRequired},
		{"second file", func(m *message) {
			m.Body.AdditionalDocuments[0].Files = append(m.Body.AdditionalDocuments[0].Files, file("a?.pdf", ""))
		}, body + "AdditionalDocument[1]/File[2]/filename", memo.RuleFilename},
		{"technical filename", func(m *message) {
			m.Body.TechnicalDocuments = []memo.TechnicalDocument{{Files: []memo.File{file("a|b", "")}}}
		}, body + "TechnicalDocument[1]/File[1]/filename", memo.RuleFilename},

		{"action label", func(m *message) { m.Body.MainDocument.Actions[1].Label = "" }, action + "/label", memo.RuleRequired},
		{"action code", func(m *message) { m.Body.MainDocument.Actions[1].ActionCode = "aftale" }, action + "/actionCode", memo.RuleCode},
		{"action without target", func(m *message) { m.Body.MainDocument.Actions[1].EntryPoint = nil }, action, memo.RuleActionTarget},
		{"AFTALE without reservation", func(m *message) { m.Body.MainDocument.Actions[0].Reservation = nil }, main + "Action[1]", memo.RuleActionTarget},
		{"AFTALE with entry point", func(m *message) {
			a := &m.Body.MainDocument.Actions[0]
			a.Reservation, a.EntryPoint = nil, m.Body.MainDocument.Actions[1].EntryPoint
		}, main + "Action[1]", memo.RuleActionTarget},
		{"TILMELDING with reservation", func(m *message) {
			a := &m.Body.MainDocument.Actions[1]
			a.EntryPoint, a.Reservation = nil, m.Body.MainDocument.Actions[0].Reservation
		}, action, memo.RuleActionTarget},
		{"both targets", func(m *message) {
			m.Body.MainDocument.Actions[1].Reservation = m.Body.MainDocument.Actions[0].Reservation
		}, action, memo.RuleActionTarget},
		{"action ends first", func(m *message) { m.Body.MainDocument.Actions[1].StartDateTime = at(11, 0, 0) }, action + "/endDateTime", memo.RuleTimeOrder},
		{"no url", entryPoint(" "), action + "/EntryPoint/url", memo.RuleRequired},
		{"http", entryPoint("http://testby.example/"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"HTTPS in capitals", entryPoint("HTTPS://testby.example/"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"relative", entryPoint("/tilmeld"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"no host", entryPoint("https:///tilmeld"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"only a port", entryPoint("https://:443/"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"userinfo", entryPoint("https://a:b@testby.example/"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"space", entryPoint("https://testby.example/a b"), action + "/EntryPoint/url", memo.RuleHTTPS},
		{"257 characters", entryPoint("https://testby.example/" + strings.Repeat("a", 257-23)), action + "/EntryPoint/url", memo.RuleLength},
		{"no description", reservation(func(r *memo.Reservation) { r.Description = "" }), booked + "description", memo.RuleRequired},
		{"reservation UUID", reservation(func(r *memo.Reservation) { r.ReservationUUID = "" }), booked + "reservationUUID", memo.RuleUUID},
		{"no abstract", reservation(func(r *memo.Reservation) { r.Abstract = "" }), booked + "abstract", memo.RuleRequired},
		{"no location", reservation(func(r *memo.Reservation) { r.Location = "" }), booked + "location", memo.RuleRequired},
		{"no start", reservation(func(r *memo.Reservation) { r.StartDateTime = time.Time{} }), booked + "startDateTime", memo.RuleRequired},
		{"no end", reservation(func(r *memo.Reservation) { r.EndDateTime = time.Time{} }), booked + "endDateTime", memo.RuleRequired},
		{"reservation ends first", reservation(func(r *memo.Reservation) { r.EndDateTime = at(1, 9, 59) }), booked + "endDateTime", memo.RuleTimeOrder},
		{"organizerMail", reservation(func(r *memo.Reservation) { r.OrganizerMail = x(257) }), booked + "organizerMail", memo.RuleLength},
		{"organizerName", reservation(func(r *memo.Reservation) { r.OrganizerName = x(257) }), booked + "organizerName", memo.RuleLength},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := letter(memo.V1_1)
			tt.change(m)
			got := findings(t, m)
			if len(got) != 1 || got[0].Path != tt.path || got[0].Rule != tt.rule || !strings.HasSuffix(got[0].Detail, ".") {
				t.Errorf("found %+v, want %s (%s) alone", got, tt.path, tt.rule)
			}
		})
	}
}

func TestValidateAcceptsTheLimits(t *testing.T) {
	t.Parallel()
	m := letter(memo.V1_1)
	m.Header.Label = x(256)
	m.Header.Notification = x(150)
	m.Header.DoNotDeliverUntilDate = memo.Date{Year: 2028, Month: 2, Day: 29}
	m.Header.ForwardData = full(memo.V1_1).Header.ForwardData
	m.Header.ForwardData.Comment = x(512)
	m.Header.ContentData.AdditionalContentData = slices.Repeat(fullContentData().AdditionalContentData, 10)
	m.Body.AdditionalDocuments = slices.Repeat(m.Body.AdditionalDocuments, 10)
	m.Body.MainDocument.Actions[1].EntryPoint.URL = "https://testby.example/" + strings.Repeat("a", 256-23)
	m.Body.MainDocument.Actions[0].Reservation.EndDateTime = m.Body.MainDocument.Actions[0].Reservation.StartDateTime
	if got := findings(t, m); got != nil {
		t.Errorf("found %+v", got)
	}
}

func TestValidateNemSMS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*memo.Message)
		path   string
		rule   memo.Rule
	}{
		{"blank text", func(m *memo.Message) { m.Header.Notification = " " }, "MessageHeader/notification", memo.RuleRequired},
		{"151 characters", func(m *memo.Message) { m.Header.Notification = x(151) }, "MessageHeader/notification", memo.RuleLength},
		{"body", func(m *memo.Message) { m.Body = minimum(memo.V1_1).Body }, "MessageBody", memo.RuleForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := nemSMS(memo.V1_1)
			tt.change(m)
			got := findings(t, m)
			if len(got) != 1 || got[0].Path != tt.path || got[0].Rule != tt.rule {
				t.Errorf("found %+v, want %s (%s) alone", got, tt.path, tt.rule)
			}
		})
	}
	m := nemSMS(memo.V1_1)
	m.Header.Notification = x(150)
	if got := findings(t, m); got != nil {
		t.Errorf("150 characters: found %+v", got)
	}
}

// The zero message has a finding for everything that must be there.
func TestValidateListsAllFindings(t *testing.T) {
	t.Parallel()
	m := &memo.Message{Body: &memo.MessageBody{}}
	var got []string
	for _, f := range findings(t, m) {
		got = append(got, f.Path)
	}
	want := []string{
		"memoVersion", "MessageHeader/messageType", "MessageHeader/messageUUID", "MessageHeader/label",
		"MessageHeader/Sender/senderID", "MessageHeader/Sender/idType", "MessageHeader/Sender/label",
		"MessageHeader/Recipient/recipientID", "MessageHeader/Recipient/idType",
		"MessageBody/createdDateTime", "MessageBody/MainDocument/File",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%q\nwant\n%q", got, want)
	}
}

func TestInvalidNeverRepeatsValues(t *testing.T) {
	t.Parallel()
	m := letter(memo.V1_1)
	const secret = "251248-9996"
	m.Header.Recipient.RecipientID = secret
	m.Header.Label = secret + "\x00"
	m.Body.MainDocument.Files[0].Filename = secret + ":"
	m.Body.MainDocument.Actions[1].EntryPoint.URL = "http://" + secret
	err := m.Validate()
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error is %v", err)
	}
	if want := "MessageHeader/Recipient/recipientID (number)"; !strings.Contains(err.Error(), want) {
		t.Errorf("error %v lacks %s", err, want)
	}
	for _, f := range findings(t, m) {
		if strings.Contains(f.Path+f.Detail, secret) {
			t.Errorf("finding repeats a value: %+v", f)
		}
	}
}

func TestForbiddenFilenameRunes(t *testing.T) {
	t.Parallel()
	if got := memo.ForbiddenFilenameRunes("Indkaldelse æøå (1) - €, & 'x'; #%\u200b\u2029.pdf"); got != nil {
		t.Errorf("an allowed name has %q", got)
	}
	var all strings.Builder
	want := []rune("<>:\"/\\|?*\r\n\u00a0\u2028\u205f\u2060\u3000")
	for r := rune(0x2000); r <= 0x200a; r++ {
		want = append(want, r)
	}
	for _, r := range want {
		all.WriteString("a" + string(r) + string(r))
	}
	if got := memo.ForbiddenFilenameRunes(all.String()); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whatever Validate lets through can be written and read back, and nothing panics.
func FuzzValidMessagesCanBeWritten(f *testing.F) {
	f.Add("Indkaldelse", "brev.pdf", "https://testby.example/", "Husk")
	f.Add("\x00", "a:b", "http://x", "\xff")
	f.Fuzz(func(t *testing.T, label, filename, url, notification string) {
		m := letter(memo.V1_1)
		m.Header.Label, m.Header.Notification = label, notification
		m.Body.MainDocument.Files[0].Filename = filename
		m.Body.MainDocument.Actions[1].EntryPoint.URL = url
		invalid := m.Validate()
		d, err := m.Document()
		if invalid == nil && err != nil {
			t.Errorf("valid, but cannot be written: %v", err)
		}
		if err == nil && d.Size() <= 0 {
			t.Error("empty document")
		}
	})
}
