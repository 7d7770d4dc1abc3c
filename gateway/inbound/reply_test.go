package inbound_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
)

// post is Digital Post: it takes every letter and keeps its MeMo.
type post struct {
	mu   sync.Mutex
	sent map[string]*memo.Message // by transaction
}

func (p *post) KombiPostAfsend(_ context.Context, k sf1601.Kombi) (*sf1601.Accepted, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[k.Message.Header.MessageID] = k.Message
	return &sf1601.Accepted{TransmissionID: uuid.NewString(), AdvisTekst: "received"}, nil
}

// silence is a queue that the test works off by hand.
type silence struct{}

func (silence) Enqueue(context.Context, gateway.DueMessage) error { return nil }
func (silence) Ensure(context.Context, gateway.DueMessage) error  { return nil }
func (silence) Forgot(context.Context) (bool, error)              { return false, nil }

// office is a world in which the same producer sends letters, gets answers and answers them.
type office struct {
	*world

	gateway *gateway.Gateway
	far     *post
	client  *httpapi.Client
	version memo.Version
}

func newOffice(t *testing.T, v memo.Version) *office {
	t.Helper()
	o := &office{world: newWorld(t), far: &post{sent: map[string]*memo.Message{}}, version: v}
	cvr, err := gateway.ParseCVR(authority)
	if err != nil {
		t.Fatal(err)
	}
	o.gateway, err = gateway.New(gateway.Config{
		Journal: o.journal, Documents: o.documents, Queue: silence{}, Worker: "worker",
		Channels: []gateway.Channel{digitalpost.New(digitalpost.Config{Afsender: o.far, MemoVersion: v})},
		Senders:  map[string]gateway.Sender{"jobcenter": {Name: "jobcenter", CVR: cvr, Label: "Testby Kommune, Jobcenter"}},
		Now:      o.clock.now, NewUUID: uuid.NewString, NewID: func(prefix string) string { return prefix + "_" + ulid.Make().String() },
	})
	if err != nil {
		t.Fatal(err)
	}
	api, err := httpapi.New(httpapi.Config{
		Gateway: o.gateway, Inbound: o.service,
		Producers: []httpapi.Producer{{
			Name: "huskeservice", Tokens: []access.Token{{SHA256: sha256.Sum256([]byte("token"))}},
			Scopes: []httpapi.Scope{httpapi.WriteIntents, httpapi.ReadIntents, httpapi.ReadInbound},
			// What answers no letter goes to the desk, and this producer is the desk.
			Targets: []string{"desk"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	o.client = &httpapi.Client{BaseURL: server.URL, Token: "token", HTTP: server.Client()}
	return o
}

// dispatch sends an intent's only message and returns the MeMo that left, valid by the schema.
func (o *office) dispatch(a *httpapi.IntentAnswer) *memo.Message {
	o.t.Helper()
	if err := o.gateway.Dispatch(o.t.Context(), a.Messages[0].ID); err != nil {
		o.t.Fatal(err)
	}
	o.far.mu.Lock()
	m := o.far.sent[a.Messages[0].ID]
	o.far.mu.Unlock()
	if m == nil {
		o.t.Fatal("nothing left")
	}
	if err := m.Validate(); err != nil {
		o.t.Fatal(err)
	}
	if o.version == memo.V1_1 {
		memotest.ValidateXSD(o.t, bytesOf(o.t, m))
	} else {
		memotest.ValidateXSD12(o.t, bytesOf(o.t, m))
	}
	return m
}

// citizenAnswers is what comes back for a letter: the thread, newest first, as a mailbox writes it.
func (o *office) citizenAnswers(to *memo.Message, change ...func(*memo.Message)) *memo.Message {
	m := letter(func(m *memo.Message) {
		m.Version = o.version
		m.Header.ReplyData = append([]memo.ReplyData{{MessageID: to.Header.MessageID, MessageUUID: to.Header.MessageUUID}}, to.Header.ReplyData...)
	})
	for _, c := range change {
		c(m)
	}
	return m
}

func reply(reference string) *httpapi.InboundReply {
	return &httpapi.InboundReply{Reference: reference, Sender: "jobcenter", Content: httpapi.ContentRequest{Text: "Det er på torsdag."}}
}

func uuids(thread []memo.ReplyData) []string {
	var list []string
	for _, r := range thread {
		list = append(list, strings.ToLower(r.MessageUUID)+" < "+strings.ToLower(r.ReplyUUID))
	}
	return list
}

func TestAnAnswerToAnAnswerToAnAnswer(t *testing.T) {
	t.Parallel()
	for _, v := range []memo.Version{memo.V1_1, memo.V1_2} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, v)
			first, err := o.client.PostIntent(t.Context(), &httpapi.IntentRequest{
				Reference: "sag-1/indkaldelse", Sender: "jobcenter", Routes: [][]string{{"digitalpost"}},
				Recipient: httpapi.RecipientRequest{CPR: "2512489996", Name: "Nancy Ann Berggren"},
				Content: httpapi.ContentRequest{
					Title: "Indkaldelse", Text: "Kom til møde.", Case: httpapi.CaseRequest{ID: "2026-0417", System: "esdh"},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			m1 := o.dispatch(first)

			m2 := o.citizenAnswers(m1, func(m *memo.Message) {
				r := &m.Header.ReplyData[0]
				r.CaseID, r.GeneratingSystemID = "2026-0417", "esdh-7"
				r.AdditionalReplyData = []memo.AdditionalReplyData{{Label: "nøgle", Value: "værdi"}, {Label: "tom", Value: " "}}
				m.Header.Recipient.ContactPoint = &memo.ContactPoint{ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", ContactGroup: "22.33.44.55"}
			})
			p2 := o.accept(m2)
			o.deliver(p2.ID)
			feed, err := o.client.Events(t.Context(), 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if e := feed.Events[len(feed.Events)-1]; e.Code != gateway.CodeReply || e.Inbound != p2.ID || e.CaseID != "2026-0417" || e.Intent != first.ID {
				t.Fatalf("the producer is told %+v", e)
			}

			second, err := o.client.ReplyInbound(t.Context(), p2.ID, reply("sag-1/svar-1"))
			if err != nil {
				t.Fatal(err)
			}
			m3 := o.dispatch(second)
			want := memo.ReplyData{
				MessageID: "MSG-1", MessageUUID: m2.Header.MessageUUID, ReplyUUID: m1.Header.MessageUUID, SenderID: "2512489996",
				RecipientID: authority, CaseID: "2026-0417", ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330",
				GeneratingSystemID: "esdh-7", AdditionalReplyData: []memo.AdditionalReplyData{{Label: "nøgle", Value: "værdi"}},
			}
			if got := m3.Header.ReplyData[0]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the answer says\n%+v, want\n%+v", got, want)
			}
			if got, want := uuids(m3.Header.ReplyData), []string{
				m2.Header.MessageUUID + " < " + m1.Header.MessageUUID, m1.Header.MessageUUID + " < ",
			}; !slices.Equal(got, want) {
				t.Errorf("the thread is %v, want %v", got, want)
			}
			h := &m3.Header
			if h.Label != "Svar: Spørgsmål om min sag" || h.Recipient.RecipientID != "2512489996" || h.Recipient.Label != "Nancy Ann Berggren" ||
				h.ContentData == nil || h.ContentData.CaseID.CaseID != "2026-0417" || h.ContentData.CaseID.CaseSystem != "esdh" {
				t.Errorf("%+v", h)
			}

			p4 := o.accept(o.citizenAnswers(m3))
			if p4.Answers == nil || p4.Answers.IntentID != second.ID || p4.Answers.CaseID != "2026-0417" {
				t.Fatalf("the next answer is to %+v", p4.Answers)
			}
			o.deliver(p4.ID)
			third, err := o.client.ReplyInbound(t.Context(), p4.ID, reply("sag-1/svar-2"))
			if err != nil {
				t.Fatal(err)
			}
			m5 := o.dispatch(third)
			if got, want := uuids(m5.Header.ReplyData), []string{
				p4.MessageUUID + " < " + m3.Header.MessageUUID, m3.Header.MessageUUID + " < ",
				m2.Header.MessageUUID + " < " + m1.Header.MessageUUID, m1.Header.MessageUUID + " < ",
			}; !slices.Equal(got, want) {
				t.Errorf("the thread is %v, want %v", got, want)
			}
			if r := m5.Header.ReplyData[0]; len(r.AdditionalReplyData) != 0 || r.CaseID != "2026-0417" && r.CaseID != "" {
				t.Errorf("%+v", r)
			}

			again, err := o.client.ReplyInbound(t.Context(), p2.ID, reply("sag-1/svar-1"))
			if err != nil || !again.Existing || again.ID != second.ID {
				t.Errorf("posted twice: %+v, %v", again, err)
			}
			_, err = o.client.ReplyInbound(t.Context(), p4.ID, reply("sag-1/svar-1"))
			if problem, ok := errors.AsType[*httpapi.Problem](err); !ok || problem.Status != http.StatusConflict {
				t.Errorf("the same reference for another post: %v", err)
			}
			if _, events := o.view(p2.ID); codes(events) != "received delivered answered" || !strings.Contains(events[2].Text, second.ID) || events[2].By != "huskeservice" {
				t.Errorf("%+v", events)
			}
		})
	}
}

// TestAnAnswerCarriesNothingThatTheSchemaHasNoPlaceFor: what a stranger wrote must not make an answer impossible.
func TestAnAnswerCarriesNothingThatTheSchemaHasNoPlaceFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t, memo.V1_1)
	long := strings.Repeat("å", 257)
	p := o.accept(letter(func(m *memo.Message) {
		m.Header.MessageID, m.Header.Label, m.Header.Sender.Label = long, long, long
		m.Header.Sender.AttentionData = &memo.AttentionData{GeneratingSystem: &memo.GeneratingSystem{GeneratingSystemID: long}}
		m.Header.Recipient.ContactPoint = &memo.ContactPoint{ContactPointID: long}
		m.Header.ContentData = &memo.ContentData{CaseID: &memo.CaseID{CaseID: long, CaseSystem: "x"}}
		for n := range 60 {
			m.Header.ReplyData = append(m.Header.ReplyData, memo.ReplyData{
				MessageID: long, MessageUUID: fmt.Sprintf("b54bcb9a-9a3c-44e7-8f22-3c0a1c35b%03d", n%55), ReplyUUID: "svar", SenderID: long,
				RecipientID: long, CaseID: long, ContactPointID: long, GeneratingSystemID: long, Comment: strings.Repeat("k", 513),
				AdditionalReplyData: slices.Repeat([]memo.AdditionalReplyData{{Label: "a", Value: "b"}, {Label: long, Value: long}}, 9),
			})
		}
		m.Header.ReplyData[0].MessageUUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8" // of version 1
		m.Header.ReplyData[1].MessageUUID = m.Header.MessageUUID
	}))
	answer, err := o.client.ReplyInbound(t.Context(), p.ID, reply("a"))
	if err != nil {
		t.Fatal(err)
	}
	m := o.dispatch(answer)
	if n := len(m.Header.ReplyData); n != 50 {
		t.Errorf("%d messages of the thread", n)
	}
	for _, r := range m.Header.ReplyData[1:] {
		if len(r.AdditionalReplyData) != 4 || r.MessageID+r.ReplyUUID+r.CaseID+r.Comment+r.SenderID != "" {
			t.Fatalf("%+v", r)
		}
	}
	if n := len([]rune(m.Header.Label)); n != gateway.MaxText || !strings.HasPrefix(m.Header.Label, "Svar: ååå") {
		t.Errorf("the title has %d characters: %s", n, m.Header.Label)
	}
}

func TestWhoCannotBeAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t, memo.V1_1)
	became := 0
	for name, change := range map[string]func(*memo.Message){
		"no number":         func(m *memo.Message) { m.Header.Sender.SenderID = "" },
		"nine digits":       func(m *memo.Message) { m.Header.Sender.SenderID = "251248999" },
		"another id type":   func(m *memo.Message) { m.Header.Sender.IDType = "MyndighedsID" },
		"UUID of version 1": func(m *memo.Message) { m.Header.MessageUUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8" },
	} {
		m := letter(change)
		xml := bytesOf(t, m)
		if r, _ := o.send(xml); !r.Positive() {
			t.Logf("%s never becomes a post", name)
			continue
		}
		became++
		posts, err := o.journal.Posts(t.Context(), gateway.PostFilter{MessageUUID: m.Header.MessageUUID, Limit: 1})
		if err != nil || len(posts) != 1 {
			t.Fatal(posts, err)
		}
		_, err = o.client.ReplyInbound(t.Context(), posts[0].ID, reply("r-"+name))
		if problem, ok := errors.AsType[*httpapi.Problem](err); !ok || problem.Code != "post.unanswerable" || problem.Status != http.StatusConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if became < 3 {
		t.Errorf("%d became posts", became)
	}
	lower := o.accept(letter(func(m *memo.Message) { m.Header.Sender.IDType, m.Header.Sender.SenderID = "cvr", "29189846" }))
	answer, err := o.client.ReplyInbound(t.Context(), lower.ID, reply("cvr"))
	if err != nil {
		t.Fatal(err)
	}
	if m := o.dispatch(answer); m.Header.Recipient.IDType != memo.CVR || m.Header.Recipient.RecipientID != "29189846" {
		t.Errorf("%+v", m.Header.Recipient)
	}
}

// TestAnAnswerIsRefusedWithPointers: what is wrong with an answer is told as for any intent.
func TestAnAnswerIsRefusedWithPointers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, memo.V1_1)
	p := o.accept(letter())
	for name, c := range map[string]struct {
		change  func(r *httpapi.InboundReply)
		pointer string
	}{
		"no reference":        {func(r *httpapi.InboundReply) { r.Reference = "" }, "/reference"},
		"no sender":           {func(r *httpapi.InboundReply) { r.Sender = "ukendt" }, "/sender"},
		"nothing to say":      {func(r *httpapi.InboundReply) { r.Content.Text = "" }, "/content/documents"},
		"another recipient":   {func(r *httpapi.InboundReply) { r.Recipient.CPR = "2512489995" }, "/recipient"},
		"unknown channel":     {func(r *httpapi.InboundReply) { r.Routes = [][]string{{"brevdue"}} }, "/routes/0/0"},
		"title too long":      {func(r *httpapi.InboundReply) { r.Content.Title = strings.Repeat("t", 257) }, "/content/title"},
		"half a case":         {func(r *httpapi.InboundReply) { r.Content.Case.ID = "1" }, "/content/case"},
		"time without a zone": {func(r *httpapi.InboundReply) { r.Send.NotBefore = "2026-12-01" }, "/send/notBefore"},
		"filename with a path": {func(r *httpapi.InboundReply) {
			r.Content.Documents = []httpapi.DocumentRequest{{Filename: "a/b.pdf", Content: httpapi.Base64{Bytes: []byte("%PDF")}}}
		}, "/content/documents/0/filename"},
	} {
		in := reply("r")
		c.change(in)
		_, err := o.client.ReplyInbound(t.Context(), p.ID, in)
		problem, ok := errors.AsType[*httpapi.Problem](err)
		if !ok || problem.Status != http.StatusUnprocessableEntity ||
			!slices.ContainsFunc(problem.Errors, func(f httpapi.Finding) bool { return f.Pointer == c.pointer }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, events := o.view(p.ID); codes(events) != "received" {
		t.Errorf("events %s", codes(events))
	}
	var memoXML bytes.Buffer
	if err := o.client.InboundMemo(t.Context(), p.ID, &memoXML); err != nil || int64(memoXML.Len()) != p.Memo.Size {
		t.Errorf("%d bytes, %v", memoXML.Len(), err)
	}
	if err := o.client.InboundDocument(t.Context(), p.ID, 0, io.Discard); err != nil {
		t.Error(err)
	}
}

// TestAnyMessageCanBeAnswered: whatever a MeMo holds, the thread that is made of it is one that MeMo takes.
func TestAnyMessageCanBeAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cvr, err := gateway.ParseCVR(authority)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for n := range 300 {
		v := []memo.Version{memo.V1_1, memo.V1_2}[n%2]
		m := memotest.Random(rand.New(rand.NewPCG(uint64(n), 6)), v)
		sum, size, err := w.documents.Put(t.Context(), bytes.NewReader(bytesOf(t, m)), memo.MaxSize)
		if err != nil {
			t.Fatal(err)
		}
		a, err := w.service.Answering(t.Context(), &gateway.Post{
			ID: "inb_1", MessageUUID: m.Header.MessageUUID, Memo: gateway.StoredFile{SHA256: sum, Size: size},
		})
		if errors.Is(err, gateway.ErrUnanswerable) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		answered++
		l := gateway.Letter{Intent: &gateway.Intent{Recipient: a.Recipient, CreatedAt: w.clock.now(), Content: gateway.Content{
			Title: a.Title, Text: "Svar", Answers: a.Answers, CaseID: a.CaseID, CaseSystem: a.CaseSystem,
		}}, Sender: gateway.Sender{CVR: cvr, Label: "Testby Kommune"}}
		for _, x := range []memo.Version{memo.V1_1, memo.V1_2} {
			if ps := digitalpost.New(digitalpost.Config{MemoVersion: x}).Check(t.Context(), l); len(ps) > 0 {
				t.Fatalf("sample %d in %s: %+v", n, x, ps)
			}
		}
	}
	if answered < 100 {
		t.Errorf("only %d of 300 samples could be answered", answered)
	}
}

// TestAPostIsFoundByItsUUID: the short way answers as the list does.
func TestAPostIsFoundByItsUUID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	u := p.MessageUUID
	for _, f := range []gateway.PostFilter{
		{MessageUUID: u, Limit: 1}, {MessageUUID: u}, {MessageUUID: u, After: p.ID, Limit: 1}, {MessageUUID: u, After: "inb_", Limit: 1},
		{MessageUUID: u, State: gateway.PostQueued, Limit: 1}, {MessageUUID: u, State: gateway.PostHeld, Limit: 1},
		{MessageUUID: u, Target: "desk", Limit: 1}, {MessageUUID: u, Target: "esdh", Limit: 1},
		{MessageUUID: u, Producer: "huskeservice", Limit: 1}, {MessageUUID: uuid.NewString(), Limit: 1},
	} {
		got, err := w.service.Posts(t.Context(), f)
		want, errList := w.journal.Posts(t.Context(), f)
		if err != nil || errList != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %+v %v, the list has %+v %v", f, got, err, want, errList)
		}
	}
}
