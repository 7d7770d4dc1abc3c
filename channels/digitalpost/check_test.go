package digitalpost_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
)

func TestCheckPointsAtTheField(t *testing.T) {
	t.Parallel()
	c := digitalpost.New(digitalpost.Config{})
	for name, tc := range map[string]struct {
		spoil         func(l *gateway.Letter)
		pointer, code string
		detail        string // part of it, "" for any
	}{
		"colon in filename": {func(l *gateway.Letter) { l.Intent.Content.Documents[1].Filename = "a:b.pdf" },
			"/content/documents/1/filename", "filename.forbidden", `holds :. Forbidden are: < > : " / \ | ? * CR LF U+00A0`},
		"no-break space in filename": {func(l *gateway.Letter) { l.Intent.Content.Documents[0].Filename = "a\u00a0b.pdf" },
			"/content/documents/0/filename", "filename.forbidden", "holds U+00A0."},
		"no document and no text": {func(l *gateway.Letter) { l.Intent.Content.Documents = nil },
			"/content/documents", "required", ""},
		"twelve documents": {func(l *gateway.Letter) {
			l.Intent.Content.Documents = slices.Repeat(l.Intent.Content.Documents, 6)
		}, "/content/documents", "documents.too_many", ""},
		"too large together": {func(l *gateway.Letter) { l.Intent.Content.Documents[0].Size = 75_000_000 },
			"/content/documents", "letter.too_large", ""},
		"no content type to be had": {func(l *gateway.Letter) { l.Intent.Content.Documents[1].Filename = "bilag" },
			"/content/documents/1/contentType", "required", ""},
		"no recipient": {func(l *gateway.Letter) { l.Intent.Recipient.ID = gateway.Identifier{} },
			"/recipient", "recipient.identifier", ""},
		"notification too long": {func(l *gateway.Letter) { l.Intent.Content.Notification = strings.Repeat("å", 151) },
			"/content/notification", "memo.length", ""},
		"recipient name too long": {func(l *gateway.Letter) { l.Intent.Recipient.Name = gateway.Private(strings.Repeat("n", 257)) },
			"/recipient/name", "memo.length", ""},
		"case id too long": {func(l *gateway.Letter) { l.Intent.Content.CaseID = strings.Repeat("9", 257) },
			"/content/case", "memo.length", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letter(t, "2512489996")
			tc.spoil(&l)
			ps := c.Check(t.Context(), l)
			if !slices.ContainsFunc(ps, func(p gateway.Problem) bool {
				return p.Pointer == tc.pointer && p.Code == tc.code && strings.Contains(p.Detail, tc.detail)
			}) {
				t.Fatalf("want %s %s, got %+v", tc.pointer, tc.code, ps)
			}
			if len(ps) != 1 {
				t.Errorf("one mistake, told %d times: %+v", len(ps), ps)
			}
		})
	}
}

func TestCheckTakesAGoodLetter(t *testing.T) {
	t.Parallel()
	c := digitalpost.New(digitalpost.Config{})
	if ps := c.Check(t.Context(), letter(t, "2512489996")); len(ps) > 0 {
		t.Fatalf("%+v", ps)
	}
	text := letter(t, "2512489996")
	text.Intent.Content.Documents, text.Intent.Content.Text = nil, "Kære borger"
	if ps := c.Check(t.Context(), text); len(ps) > 0 {
		t.Fatalf("text only: %+v", ps)
	}
}

// recording keeps the request instead of sending it.
type recording struct{ kombi sf1601.Kombi }

func (r *recording) KombiPostAfsend(_ context.Context, k sf1601.Kombi) (*sf1601.Accepted, error) {
	r.kombi = k
	return &sf1601.Accepted{TransmissionID: "t"}, nil
}

// TestEveryActionIsValidMeMo writes letters with all eight actions, and text only, and has the official schema judge them.
func TestEveryActionIsValidMeMo(t *testing.T) {
	t.Parallel()
	start := time.Now().Add(time.Hour)
	all := []actions.Action{actions.NewAftale("Jobsamtale", actions.Reservation{
		Description: "Medbring CV", UUID: uuid.NewString(), Abstract: "Jobsamtale", Location: "Værkmestergade 5",
		Start: start, End: start.Add(time.Hour), Organizer: actions.Organizer{Name: "Jobcenter", Mail: "j@testby.example"},
	})}
	for _, code := range actions.Codes()[1:] {
		if code != actions.Aftale {
			all = append(all, actions.Action{Code: code, Label: "Gør noget", URL: "https://testby.example/x?a=1&b=2", End: start})
		}
	}
	if len(all) != 8 {
		t.Fatalf("%d actions", len(all))
	}
	with, text := letter(t, "2512489996"), letter(t, "2512489996")
	with.Intent.Content.Actions = all
	text.Intent.Content.Documents, text.Intent.Content.Text = nil, "Kære borger <&> æøå"
	for _, l := range []gateway.Letter{with, text} {
		if ps := digitalpost.New(digitalpost.Config{}).Check(t.Context(), l); len(ps) > 0 {
			t.Fatalf("%+v", ps)
		}
		r := &recording{}
		if o := digitalpost.New(digitalpost.Config{Afsender: r}).Send(t.Context(), l); o.Class != gateway.Accept {
			t.Fatal(o.Err)
		}
		doc, err := r.kombi.Message.Document()
		if err != nil {
			t.Fatal(err)
		}
		body := doc.Open(t.Context())
		xml, err := io.ReadAll(body)
		if err != nil || body.Close() != nil {
			t.Fatal(err)
		}
		memotest.ValidateXSD(t, xml)
		if len(l.Intent.Content.Documents) > 0 && bytes.Count(xml, []byte("<memo:Action>")) != 8 {
			t.Error("not every action was written")
		}
	}
}

// TestAnAnswerIsValidMeMo writes a thread with everything that it can have, in both versions.
func TestAnAnswerIsValidMeMo(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("å", 256)
	full := gateway.Answered{
		MessageID: long, MessageUUID: uuid.NewString(), ReplyUUID: uuid.NewString(), SenderID: "2512489996", RecipientID: "55133018",
		CaseID: "2026-0417", ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", GeneratingSystemID: long,
		Comment:    gateway.Private(strings.Repeat("<", 512)),
		Additional: slices.Repeat([]gateway.Pair{{Label: "nøgle", Value: "værdi"}}, 4),
	}
	for v, valid := range map[memo.Version]func(testing.TB, ...[]byte){
		memo.V1_1: memotest.ValidateXSD, memo.V1_2: memotest.ValidateXSD12,
	} {
		r := &recording{}
		c := digitalpost.New(digitalpost.Config{Afsender: r, MemoVersion: v})
		l := letter(t, "2512489996")
		l.Intent.Content.Answers = []gateway.Answered{full, {MessageUUID: uuid.NewString()}}
		if ps := c.Check(t.Context(), l); len(ps) > 0 {
			t.Fatalf("%+v", ps)
		}
		c.Send(t.Context(), l)
		doc, err := r.kombi.Message.Document()
		if err != nil {
			t.Fatal(err)
		}
		body := doc.Open(t.Context())
		xml, err := io.ReadAll(body)
		if err != nil || body.Close() != nil {
			t.Fatal(err)
		}
		valid(t, xml)
		if bytes.Count(xml, []byte("<memo:ReplyData>")) != 2 || bytes.Count(xml, []byte("<memo:AdditionalReplyData>")) != 4 {
			t.Errorf("the thread is not whole: %s", xml)
		}
		l.Intent.Content.Answers[1].MessageUUID = "ingen"
		if ps := c.Check(t.Context(), l); len(ps) != 1 || ps[0].Pointer != "" || ps[0].Code != "memo.uuid4" {
			t.Errorf("a thread that cannot be written: %+v", ps)
		}
	}
}

func TestEveryAttemptSendsTheSameBytes(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	var first [32]byte
	for n := range 2 {
		r := &recording{}
		l.Attempt.ID = "att_" + uuid.NewString()
		digitalpost.New(digitalpost.Config{Afsender: r}).Send(t.Context(), l)
		doc, err := r.kombi.Message.Document()
		if err != nil {
			t.Fatal(err)
		}
		sum, err := doc.Digest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && sum != first {
			t.Fatal("the second attempt sends other bytes")
		}
		first = sum
	}
}
