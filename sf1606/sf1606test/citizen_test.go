package sf1606test_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

func xmlOf(t *testing.T, m *memo.Message) []byte {
	t.Helper()
	d, err := m.Document()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(d.Open(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fromAuthority is a letter of the authority's to a citizen.
func fromAuthority() *memo.Message {
	m := sf1606test.NewLetters(sf1606test.LettersConfig{}).New(2000)
	m.Header.Sender, m.Header.Recipient = memo.Sender{
		SenderID: "55133018", IDType: memo.CVR, Label: "Testby Kommune",
		ContactPoint: &memo.ContactPoint{ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330"},
	}, memo.Recipient{RecipientID: "2512489984", IDType: memo.CPR}
	m.Header.ContentData = &memo.ContentData{CaseID: &memo.CaseID{CaseID: "2026-0417", CaseSystem: "ESDH"}}
	return m
}

func TestCitizenAnswers(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{}
	citizen := sf1606test.NewCitizen(sender(t, modtag(t, box), sf1606test.SenderConfig{}), sf1606test.NewLetters(sf1606test.LettersConfig{}))
	letter := fromAuthority()
	answer := citizen.Answer(xmlOf(t, letter))
	if answer == nil {
		t.Fatal("no answer")
	}
	answer(t.Context())
	if len(box.Messages()) != 1 {
		t.Fatal("the answer did not come")
	}
	h := box.Messages()[0].Message.Header
	want := memo.ReplyData{
		MessageUUID: letter.Header.MessageUUID, SenderID: "55133018", RecipientID: "2512489984", CaseID: "2026-0417",
		ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330",
	}
	if len(h.ReplyData) != 1 || !equalReply(h.ReplyData[0], want) || h.Sender.SenderID != "2512489984" || h.Recipient.RecipientID != "55133018" {
		t.Errorf("%+v", h)
	}
	silent, late := fromAuthority(), fromAuthority()
	silent.Header.Reply = false
	late.Header.ReplyByDateTime = time.Now().Add(-time.Hour)
	for name, letter := range map[string][]byte{"reply is false": xmlOf(t, silent), "too late": xmlOf(t, late), "no MeMo": []byte("<memo/>")} {
		if citizen.Answer(letter) != nil {
			t.Errorf("%s: it is answered", name)
		}
	}
}

// The admin port sends a message as it stands and gives back what the receiver said.
func TestAdminRelays(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{}
	post := func(h http.Handler, body string) *httptest.ResponseRecorder {
		s := sender(t, h, sf1606test.SenderConfig{})
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/inbound", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/xml; charset=utf-8")
		sf1606test.Admin(s, sf1606test.NewLetters(sf1606test.LettersConfig{})).ServeHTTP(w, r)
		return w
	}
	m := sf1606test.NewLetters(sf1606test.LettersConfig{}).New(2000)
	w := post(modtag(t, box), string(xmlOf(t, m)))
	if r, err := sf1606.ParseReceipt(w.Body.Bytes()); err != nil || w.Code != 200 || !r.Positive() || r.MessageUUID != m.Header.MessageUUID {
		t.Errorf("%d %s: %v", w.Code, w.Body, err)
	}
	w = post(modtag(t, box), "<!DOCTYPE x><x/>")
	if r, err := sf1606.ParseReceipt(w.Body.Bytes()); err != nil || w.Code != 400 || r.ErrorCode != sf1606.CodeMemoInvalid {
		t.Errorf("%d %s: %v", w.Code, w.Body, err)
	}
	w = post(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "<x/>")
	if w.Code != http.StatusBadGateway || !bytes.Contains(w.Body.Bytes(), []byte("receiver.unreachable")) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
