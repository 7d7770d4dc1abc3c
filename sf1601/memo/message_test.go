package memo_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

var update = flag.Bool("update", false, "write the golden files anew")

var versions = []memo.Version{memo.V1_1, memo.V1_2}

var samples = []struct {
	name string
	make func(memo.Version) *memo.Message
}{
	{"minimum", minimum}, {"letter", letter}, {"actions", actions}, {"nemsms", nemSMS}, {"full", full},
}

// forEachSample runs a test for every sample in every version.
func forEachSample(t *testing.T, test func(t *testing.T, name string, m *memo.Message)) {
	t.Helper()
	for _, v := range versions {
		for _, s := range samples {
			name := s.name + "-" + string(v)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, name, s.make(v))
			})
		}
	}
}

// The golden files are indented for the reader; what is written has no white space between elements.
func TestGolden(t *testing.T) {
	t.Parallel()
	forEachSample(t, func(t *testing.T, name string, m *memo.Message) {
		t.Helper()
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(render(t, m)); err != nil {
			t.Fatal(err)
		}
		doc.IndentTabs()
		doc.WriteSettings = etree.WriteSettings{CanonicalEndTags: true, CanonicalText: true, CanonicalAttrVal: true}
		got, err := doc.WriteToBytes()
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".xml")
		if *update {
			if err := os.WriteFile(golden, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; written now:\n%s", golden, got)
		}
	})
}

func TestOutputIsValidByTheSchema(t *testing.T) {
	t.Parallel()
	forEachSample(t, func(t *testing.T, _ string, m *memo.Message) {
		t.Helper()
		if m.Version == memo.V1_1 {
			memotest.ValidateXSD(t, render(t, m))
		} else {
			memotest.ValidateXSD12(t, render(t, m))
		}
	})
}

// The schema check above is worth something only if full really has everything.
func TestFullSampleFillsEveryField(t *testing.T) {
	t.Parallel()
	filled := map[string]bool{}
	fields := func(m *memo.Message) { collectFields(reflect.ValueOf(m), filled) }
	fields(full(memo.V1_2))
	for name, done := range filled {
		if !done {
			t.Errorf("%s is never filled", name)
		}
	}
	if len(filled) < 120 {
		t.Errorf("only %d fields seen", len(filled))
	}
}

// collectFields notes for each field of a memo struct whether any instance fills it.
func collectFields(v reflect.Value, filled map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			collectFields(v.Elem(), filled)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collectFields(v.Index(i), filled)
		}
	case reflect.Struct:
		if !strings.HasSuffix(v.Type().PkgPath(), "/memo") {
			return
		}
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			filled[name] = filled[name] || !v.Field(i).IsZero()
			collectFields(v.Field(i), filled)
		}
	default:
	}
}

// Every filled property must come out: the texts of full are looked for in the output.
func TestNoTextIsLost(t *testing.T) {
	t.Parallel()
	out := string(render(t, full(memo.V1_2)))
	var lost []string
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), name)
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), name)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name)
				}
			}
		case reflect.String:
			text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(v.String())
			if text != "" && !strings.HasSuffix(name, ".IDTypeLabel") && !strings.Contains(out, ">"+text+"<") && name != "Message.Version" {
				lost = append(lost, name)
			}
		default:
		}
	}
	walk(reflect.ValueOf(full(memo.V1_2)), "Message")
	if len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
}

func TestOfficialExamplesAreReproduced(t *testing.T) {
	t.Parallel()
	official := func(v memo.Version, created time.Time) *memo.Message {
		return &memo.Message{
			Version: v,
			Header: memo.MessageHeader{
				MessageType: memo.DigitalPost, MessageUUID: "8C2EA15D-61FB-4BA9-9366-42F8B194C114", Label: "Pladsanvisning",
				Sender:    memo.Sender{SenderID: "12345678", IDType: memo.CVR, Label: "Kommunen"},
				Recipient: memo.Recipient{RecipientID: "2211771212", IDType: memo.CPR},
			},
			Body: &memo.MessageBody{
				CreatedDateTime: created,
				MainDocument:    memo.MainDocument{Files: []memo.File{file("Pladsanvisning.pdf", "This is a test")}},
			},
		}
	}
	text := func(name, content string) memo.File {
		f := file(name, content)
		f.EncodingFormat = "text/plain"
		return f
	}
	attachment := &memo.Message{
		Version: memo.V1_2,
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost, MessageUUID: "78212f5c-6d79-4012-8ed1-e2420243bd17", Label: "Label Text",
			Sender:    memo.Sender{SenderID: "Sender ID", IDType: memo.CVR, Label: "Sender Label"},
			Recipient: memo.Recipient{RecipientID: "Recipient ID", IDType: memo.CPR},
		},
		Body: &memo.MessageBody{
			CreatedDateTime: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
			MainDocument:    memo.MainDocument{Files: []memo.File{text("File1.txt", "File content 1"), text("File2.txt", "File content 2")}},
		},
	}
	sms := &memo.Message{
		Version: memo.V1_1,
		Header: memo.MessageHeader{
			MessageType: memo.NemSMS, MessageUUID: "fcdcf318-59b6-427c-9879-4f0af833d593", Label: "Label Text", Notification: "Message Text",
			Sender:    memo.Sender{SenderID: "Sender ID", IDType: memo.CVR, Label: "Sender Label"},
			Recipient: memo.Recipient{RecipientID: "Recipient ID", IDType: memo.CPR, Label: "Recipient Label"},
		},
	}
	for name, m := range map[string]*memo.Message{
		"minimum-1.1.xml":    official(memo.V1_1, time.Date(2018, 5, 3, 12, 0, 0, 0, time.UTC)),
		"minimum-1.2.xml":    official(memo.V1_2, time.Date(2024, 5, 3, 12, 0, 0, 0, time.UTC)),
		"attachment-1.2.xml": attachment,
		"nemsms-1.1.xml":     sms,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := outline(t, memotest.Example(t, name))
			if got := outline(t, render(t, m)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// outline is a document as namespaces, names, attributes and texts, without declarations and white space.
func outline(t *testing.T, xml []byte) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(xml); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(e *etree.Element, depth int)
	walk = func(e *etree.Element, depth int) {
		fmt.Fprintf(&b, "%*s{%s}%s", depth, "", e.NamespaceURI(), e.Tag)
		var attrs []string
		for _, a := range e.Attr {
			if a.Space != "xmlns" {
				attrs = append(attrs, fmt.Sprintf(" %s=%q", a.FullKey(), a.Value))
			}
		}
		slices.Sort(attrs)
		fmt.Fprintf(&b, "%s %q\n", strings.Join(attrs, ""), strings.TrimSpace(e.Text()))
		for _, child := range e.ChildElements() {
			walk(child, depth+1)
		}
	}
	walk(doc.Root(), 0)
	return b.String()
}

// Three public clients write local time and call it Z. Every dateTime of the model is tried here, with a time that is
// on another day in UTC and has a fraction.
func TestTimesAreRealUTCWithoutFractions(t *testing.T) {
	t.Parallel()
	local := time.Date(2026, time.December, 1, 0, 30, 15, 987654321, copenhagen)
	const utc = "2026-11-30T23:30:15Z"

	m := full(memo.V1_1)
	m.Header.ReplyByDateTime = local
	m.Header.ForwardData.OriginalMessageDateTime = local
	m.Body.CreatedDateTime = local
	main := m.Body.MainDocument.Actions
	main[0].StartDateTime, main[0].EndDateTime = local, local
	main[0].Reservation.StartDateTime, main[0].Reservation.EndDateTime = local, local
	main[1].StartDateTime, main[1].EndDateTime = local, local
	m.Body.AdditionalDocuments[0].Actions[0].EndDateTime = local

	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(render(t, m)); err != nil {
		t.Fatal(err)
	}
	times := 0
	for _, e := range doc.FindElements("//*") {
		if !strings.HasSuffix(e.Tag, "DateTime") {
			continue
		}
		times++
		if e.Text() != utc {
			t.Errorf("%s is %s, want %s", e.GetPath(), e.Text(), utc)
		}
	}
	if times != 10 {
		t.Errorf("%d times written, want 10", times)
	}
}

func TestVersionAttributes(t *testing.T) {
	t.Parallel()
	for v, want := range map[memo.Version]string{
		memo.V1_1: `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoSchVersion="1.1.0" memoVersion="1.1"><memo:MessageHeader>`,
		memo.V1_2: `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"><memo:MessageHeader>`,
	} {
		if got := string(render(t, minimum(v))); !strings.HasPrefix(got, xmlstream.Declaration+want) {
			t.Errorf("%s starts with %.200s", v, got)
		}
	}
}

func TestWhatBelongsToOneVersion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"memo:mandatory>false", "memo:legalNotification>false", "memo:idTypeLabel>"} {
		m11, m12 := minimum(memo.V1_1), minimum(memo.V1_2)
		for _, m := range []*memo.Message{m11, m12} {
			m.Header.Sender.IDTypeLabel, m.Header.Recipient.IDTypeLabel = "label", "label"
		}
		if !strings.Contains(string(render(t, m11)), name) {
			t.Errorf("1.1 lacks %s", name)
		}
		if strings.Contains(string(render(t, m12)), name) {
			t.Errorf("1.2 has %s", name)
		}
	}
}

func TestElementRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(m *memo.Message)
		is     error
	}{
		{"no version", func(m *memo.Message) { m.Version = "" }, memo.ErrVersion},
		{"version 1.0", func(m *memo.Message) { m.Version = "1.0" }, memo.ErrVersion},
		{"Representative", func(m *memo.Message) { m.Header.Sender.Representative = &memo.Representative{} }, memo.ErrVersion},
		{"originalRepresentative", func(m *memo.Message) { m.Header.ForwardData.OriginalRepresentative = "x" }, memo.ErrVersion},
		{"file without content", func(m *memo.Message) { m.Body.MainDocument.Files[0].Content = nil }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := full(memo.V1_1)
			tt.change(m)
			_, _, err := m.Element(0)
			if err == nil || (tt.is != nil && !errors.Is(err, tt.is)) {
				t.Errorf("Element says %v", err)
			}
			if _, err := m.Document(); err == nil {
				t.Error("Document says nothing")
			}
		})
	}
}

func TestElementNumbersItsContentsFromFirst(t *testing.T) {
	t.Parallel()
	e, contents, err := letter(memo.V1_1).Element(3)
	if err != nil {
		t.Fatal(err)
	}
	if len(contents) != 2 {
		t.Fatalf("%d contents", len(contents))
	}
	root := etree.NewElement("kombi_request")
	for i := range 3 {
		root.AddChild(xmlstream.Placeholder(i))
	}
	root.AddChild(e)
	own := xmlstream.Bytes([]byte("own"))
	d, err := xmlstream.New(root, append([]xmlstream.Content{own, own, own}, contents...))
	if err != nil {
		t.Fatal(err)
	}
	r := d.Open(t.Context())
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<kombi_request>b3dub3dub3du<memo:Message xmlns:memo=", "<memo:content>S8OmcmUgYm9yZ2Vy</memo:content>", "<memo:content>QmlsYWc=</memo:content>"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("lacks %s", want)
		}
	}
}

func TestBuildPutsTheMessageIntoARequest(t *testing.T) {
	t.Parallel()
	var b xmlstream.Builder
	b.Open("", "kombi_request", "")
	b.Open("", "KombiValgKode", "")
	b.Text("Digital Post")
	b.Close()
	if err := letter(memo.V1_1).Build(&b); err != nil {
		t.Fatal(err)
	}
	b.Close()
	d, err := b.Document()
	if err != nil {
		t.Fatal(err)
	}
	message, _ := bytes.CutPrefix(render(t, letter(memo.V1_1)), []byte(xmlstream.Declaration))
	want := xmlstream.Declaration + "<kombi_request><KombiValgKode>Digital Post</KombiValgKode>" + string(message) + "</kombi_request>"
	if got := string(stream(t, d)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	bad := letter(memo.V1_1)
	bad.Body.MainDocument.Files[0].Content = nil
	if err := bad.Build(new(xmlstream.Builder)); err == nil {
		t.Error("a file without content is built")
	}
}

func TestInvalidCharactersAreAnErrorWithoutTheText(t *testing.T) {
	t.Parallel()
	m := letter(memo.V1_1)
	m.Header.Label = "hemmelig\x00"
	_, err := m.Document()
	if !errors.Is(err, xmlstream.ErrCharacter) || strings.Contains(err.Error(), "hemmelig") || !strings.Contains(err.Error(), "/Message/MessageHeader/label") {
		t.Errorf("Document says %v", err)
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, time.March, 1, 0, 15, 0, 0, copenhagen)
	if got := memo.DateOf(midnight).String(); got != "2026-03-01" {
		t.Errorf("DateOf keeps the day of the location: got %s", got)
	}
	if got := (memo.Date{Year: 7, Month: 1, Day: 2}).String(); got != "0007-01-02" {
		t.Errorf("got %s", got)
	}
}
