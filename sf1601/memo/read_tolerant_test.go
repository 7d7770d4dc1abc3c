package memo_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// changed is a rendered message with texts replaced, each of which must be there.
func changed(t *testing.T, m *memo.Message, oldNew ...string) []byte {
	t.Helper()
	document := string(render(t, m))
	for pair := range slices.Chunk(oldNew, 2) {
		if !strings.Contains(document, pair[0]) {
			t.Fatalf("%s is not in the message", pair[0])
		}
		document = strings.ReplaceAll(document, pair[0], pair[1])
	}
	return []byte(document)
}

// Every leniency that the package documentation promises. The message read must be the one that would have been written
// properly, after want has changed it.
func TestReaderTolerates(t *testing.T) {
	t.Parallel()
	same := func(*memo.Message) {}
	for _, tt := range []struct {
		name   string
		make   func(memo.Version) *memo.Message
		oldNew []string
		want   func(m *memo.Message)
	}{
		{"any prefix", minimum, []string{"memo:", "m:", "xmlns:memo", "xmlns:m"}, same},
		{"default namespace", minimum, []string{"memo:", "", "xmlns:", "xmlns", "xmlnsmemo", "xmlns"}, same},
		{"declarations on an ancestor", full, []string{
			" xmlns:grd=" + `"` + memo.NamespaceGrd + `"`, "", "<memo:Message ", `<memo:Message xmlns:grd="` + memo.NamespaceGrd + `" `,
		}, same},
		{"unused declarations", minimum, []string{"<memo:Message ", `<memo:Message xmlns:rid="https://www.nets.eu/løsninger" xmlns:x="http://www.w3.org/2001/XMLSchema#" `}, same},
		{"byte order mark", minimum, []string{"<?xml", "\xEF\xBB\xBF<?xml"}, same},
		{"encoding utf8", minimum, []string{`encoding="UTF-8"`, `encoding='utf8'`}, same},
		{"encoding utf-8", minimum, []string{`encoding="UTF-8"`, `encoding="utf-8"`}, same},
		{"no declaration", minimum, []string{xmlstream.Declaration, ""}, same},
		{"comments", minimum, []string{"<memo:", "<!-- her --><memo:", "da</memo:language>", "d<!-- her -->a</memo:language>"}, same},
		{"white space between elements", full, []string{"><memo:", ">\r\n\t <memo:"}, same},
		{"CDATA", minimum, []string{"Indkaldelse til", "<![CDATA[Indkaldelse]]> til"}, same},
		{"version 1.10", minimum, []string{`memoVersion="1.1"`, `memoVersion="1.10"`}, same},
		{"missing mandatory and legalNotification", minimum, []string{
			"<memo:mandatory>false</memo:mandatory>", "", "<memo:legalNotification>false</memo:legalNotification>", "",
		}, same},
		{"empty booleans", minimum, []string{
			"<memo:mandatory>false</memo:mandatory>", "<memo:mandatory/>",
			"<memo:legalNotification>false<", "<memo:legalNotification> <",
		}, same},
		{"1 and 0", full, []string{">true<", ">1<"}, same},
		{"0", minimum, []string{">false<", ">0<"}, same},
		{"upper-case UUIDs", minimum, []string{"5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11", "5B2E9F54-5C0E-4D27-9D5A-0D9C5A0C1F11"}, func(m *memo.Message) {
			m.Header.MessageUUID = "5B2E9F54-5C0E-4D27-9D5A-0D9C5A0C1F11"
		}},
		{"UUIDs of another version", minimum, []string{"5b2e9f54-5c0e-4d27", "5b2e9f54-5c0e-1d27"}, func(m *memo.Message) {
			m.Header.MessageUUID = "5b2e9f54-5c0e-1d27-9d5a-0d9c5a0c1f11"
		}},
		{"unknown actionCode", letter, []string{">TILMELDING<", ">Noget nyt<"}, func(m *memo.Message) {
			m.Body.MainDocument.Actions[1].ActionCode = "Noget nyt"
		}},
		{"unknown postType", letter, []string{"MYNDIGHEDSPOST", "ANDET"}, func(m *memo.Message) { m.Header.PostType = "ANDET" }},
		{"casing of idType", minimum, []string{">CVR<", ">cvr<"}, func(m *memo.Message) { m.Header.Sender.IDType = "cvr" }},
		{"MyndighedsID", minimum, []string{">CVR<", ">MyndighedsID<"}, func(m *memo.Message) { m.Header.Sender.IDType = "MyndighedsID" }},
		{"fractional seconds", minimum, []string{"T08:00:00Z", "T08:00:00.123456789012Z"}, func(m *memo.Message) {
			m.Body.CreatedDateTime = time.Date(2026, 12, 1, 8, 0, 0, 123456789, time.UTC)
		}},
		{"an offset instead of Z", minimum, []string{"T08:00:00Z", "T09:00:00+01:00"}, same},
		{"midnight as 24:00", minimum, []string{"2026-12-01T08:00:00Z", "2026-11-30T24:00:00Z"}, func(m *memo.Message) {
			m.Body.CreatedDateTime = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		}},
		{"createdDateTime ahead", minimum, []string{"2026-12-01T08:00:00Z", "2099-12-01T08:00:00Z"}, func(m *memo.Message) {
			m.Body.CreatedDateTime = time.Date(2099, 12, 1, 8, 0, 0, 0, time.UTC)
		}},
		{"a zone on the date", full, []string{">2026-12-03<", ">2026-12-03+01:00<"}, same},
		{"an end before its start", letter, []string{"T09:45:00Z", "T01:45:00Z"}, func(m *memo.Message) {
			m.Body.MainDocument.Actions[0].Reservation.EndDateTime = at(1, 2, 45)
		}},
		{"empty optional elements", minimum, []string{
			"<memo:messageUUID>", "<memo:messageID/><memo:notification></memo:notification><memo:replyByDateTime/><memo:doNotDeliverUntilDate/><memo:reply/><memo:messageUUID>",
		}, same},
		{"an empty optional class", minimum, []string{"<memo:Recipient>", "<memo:ContentData/><memo:Recipient>"}, func(m *memo.Message) {
			m.Header.ContentData = &memo.ContentData{}
		}},
		{"both forms of address", full, []string{}, same},
		{"plain text PropertyNumber", full, []string{"<grd:propertyNumber>", "", "</grd:propertyNumber>", ""}, same},
		{"plain text GlobalLocationNumber", full, []string{
			"<gln:globalLocationNumber>", "\n ", "</gln:globalLocationNumber><gln:location>Testby</gln:location>", " ",
		}, func(m *memo.Message) { m.Header.Sender.AttentionData.GlobalLocationNumber.Location = "" }},
		{"leading zeros", full, []string{">5798000123456<", "> 0000000123456 <"}, func(m *memo.Message) {
			m.Header.Sender.AttentionData.GlobalLocationNumber.GlobalLocationNumber = "0000000123456"
		}},
		{"line breaks in base64", minimum, []string{"S8OmcmUgYm9yZ2Vy", "\n\tS8Om\r\ncmUgY m9yZ2V&#13;\ny\n"}, same},
		{"an http link", letter, []string{"https://testby", "http://testby"}, func(m *memo.Message) {
			m.Body.MainDocument.Actions[1].EntryPoint.URL = "http://testby.example/handling?trin=1&sag=2"
		}},
		{"a dirty file name", minimum, []string{"Indkaldelse.pdf", "a/b:c.pdf"}, func(m *memo.Message) {
			m.Body.MainDocument.Files[0].Filename = "a/b:c.pdf"
		}},
		{"elements in another order", minimum, []string{
			"<memo:filename>Indkaldelse.pdf</memo:filename>", "", "</memo:content>", "</memo:content><memo:filename>Indkaldelse.pdf</memo:filename>",
		}, same},
		{"missing mandatory elements", minimum, []string{"<memo:label>Testby Kommune</memo:label>", ""}, func(m *memo.Message) {
			m.Header.Sender.Label = ""
		}},
		{"unknown elements", minimum, []string{
			"<memo:MainDocument>", `<memo:Nyt><memo:label>x</memo:label></memo:Nyt><x:MainDocument xmlns:x="urn:x">y</x:MainDocument><memo:MainDocument>`,
		}, same},
		{"unknown attributes", minimum, []string{"<memo:Sender>", `<memo:Sender id="x">`}, same},
		{"schemaLocation", minimum, []string{
			"<memo:Message ", `<memo:Message xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" `,
		}, same},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			document := changed(t, tt.make(memo.V1_1), tt.oldNew...)
			want := tt.make(memo.V1_1)
			tt.want(want)
			if got := read(t, document); !equal(t, got, want) {
				t.Errorf("got\n%s\nwant\n%s", render(t, got), render(t, want))
			}
		})
	}
}

// equal compares two messages by what is written, and their creation to the nanosecond.
func equal(t *testing.T, a, b *memo.Message) bool {
	t.Helper()
	return bytes.Equal(render(t, a), render(t, b)) && (a.Body == nil || a.Body.CreatedDateTime.Equal(b.Body.CreatedDateTime))
}

func TestReaderTolerates12(t *testing.T) {
	t.Parallel()
	for name, oldNew := range map[string][]string{
		"memoSchVersion": {`memoVersion="1.2"`, `memoVersion="1.2" memoSchVersion="1.1.0"`},
		"idTypeLabel":    {"<memo:label>Testby Kommune<", "<memo:idTypeLabel>CVR-nummer</memo:idTypeLabel><memo:label>Testby Kommune<"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(t, changed(t, minimum(memo.V1_2), oldNew...))
			if !equal(t, got, minimum(memo.V1_2)) {
				t.Errorf("got\n%s", render(t, got))
			}
			if name == "idTypeLabel" && got.Header.Sender.IDTypeLabel != "CVR-nummer" {
				t.Error("the label was not read")
			}
		})
	}
}

func TestReaderTakesMoreThanASenderMayGive(t *testing.T) {
	t.Parallel()
	m := minimum(memo.V1_1)
	for range 40 {
		m.Body.AdditionalDocuments = append(m.Body.AdditionalDocuments, memo.AdditionalDocument{Files: []memo.File{
			file("a.pdf", "a"), file("a.txt", "b"),
		}})
	}
	if got := read(t, render(t, m)); !equal(t, got, m) {
		t.Error("documents are lost")
	}
}
