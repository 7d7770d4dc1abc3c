package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// toCitizens are the recipients of the official examples, and theAuthority is who they are to here.
var toCitizens = strings.NewReplacer(
	"<memo:recipientID>Recipient ID</memo:recipientID>\n\t\t\t<memo:idType>CPR</memo:idType>", theAuthority,
	"<memo:recipientID>2211771212</memo:recipientID>\n\t\t\t<memo:idType>CPR</memo:idType>", theAuthority,
)

const theAuthority = "<memo:recipientID>55133018</memo:recipientID>\n\t\t\t<memo:idType>CVR</memo:idType>"

const conformanceRoutes = `
targets:
  plads: {folder: "{{inbox}}/plads"}
  tekst: {folder: "{{inbox}}/tekst"}
  desk:  {folder: "{{inbox}}/desk"}
rules:
  - {name: plads, match: {label: "^Pladsanvisning$", sender_type: CVR, documents: {all: application/pdf}}, target: plads}
  - {name: tekst, match: {documents: "text/*", reply_to: none}, target: tekst}
default: desk
`

// TestOfficialExamples sends the official examples of MeMo to a running gateway, which accepts them and brings each one to
// the target of its rule. They are examples of letters to citizens, and two share a messageUUID: the recipient's id is
// rewritten to the authority's, and each gets a messageUUID of its own. Nothing else is touched; what their "PDF" files
// really are (text) is why on_flag is deliver.
func TestOfficialExamples(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "..", "..", "shared", "conformance", "memo")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("NOT TESTED: ../shared/conformance/memo is not here; it has the official examples")
	}
	ctx, w := setup(t, 2*time.Minute, harness.Options{Inbound: &harness.Inbound{
		Routes: conformanceRoutes, Folders: []string{"plads", "tekst", "desk"}, Settings: map[string]any{"on_flag": "deliver"},
	}})
	sender := senderOf(t, w, sf1606test.SenderConfig{})
	sent := map[string]string{} // what was sent, by messageUUID
	for file, target := range map[string]string{
		"minimum-1.1.xml": "plads", "minimum-1.2.xml": "plads", "attachment-1.2.xml": "tekst", "nemsms-1.1.xml": "desk",
	} {
		text, id := example(t, filepath.Join(folder, file))
		a, err := sender.Post(ctx, strings.NewReader(text), int64(len(text)))
		if err != nil || !a.Accepted() || a.Receipt.MessageUUID != id {
			t.Fatalf("%s: HTTP %d %s, %v, %v", file, a.Status, a.Body, a.Problem, err)
		}
		path := filepath.Join(w.Inbox, target, id, "memo.xml")
		if err := harness.Poll(ctx, 20*time.Millisecond, func() (bool, error) { _, err := os.Stat(path); return err == nil, nil }); err != nil {
			t.Errorf("%s is not in the folder of %s: %v", file, target, err)
			continue
		}
		if stored, err := os.ReadFile(path); err != nil || string(stored) != text {
			t.Errorf("%s was delivered as %d bytes of %d: %v", file, len(stored), len(text), err)
		}
		sent[id] = text
	}
	for _, target := range []string{"plads", "tekst", "desk"} {
		names, err := w.Delivered(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if _, ok := sent[name]; !ok {
				t.Errorf("%s has %s, which nobody sent", target, name)
			}
		}
	}
	if len(sent) != 4 {
		t.Errorf("%d examples were sent", len(sent))
	}
}

// example is an official example to the authority, with a messageUUID of its own.
func example(t *testing.T, path string) (text, id string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const open, end = "<memo:messageUUID>", "</memo:messageUUID>"
	head, rest, found := strings.Cut(string(raw), open)
	_, tail, closed := strings.Cut(rest, end)
	id = uuid.NewString()
	text = toCitizens.Replace(strings.ReplaceAll(head+open+id+end+tail, "\r\n", "\n"))
	if !found || !closed || !strings.Contains(text, theAuthority) {
		t.Fatalf("%s is not the example it was", path)
	}
	return text, id
}

func senderOf(t *testing.T, w *harness.World, cfg sf1606test.SenderConfig) *sf1606test.Sender {
	t.Helper()
	s, err := w.Sender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

const replyRoutes = `
targets:
  desk: {folder: "{{inbox}}/desk"}
rules:
  - {name: svar, match: {reply_to: ours}, target: producer, else: desk}
default: desk
`

// told is what a callback says of an event.
type told struct {
	Data httpapi.FeedEvent `json:"data"`
}

// TestReplyComesHome sends a letter of a case to somebody who answers it. The answer reaches the callback of the producer
// that sent the letter, signed, with the case id, and can be read there.
func TestReplyComesHome(t *testing.T) {
	t.Parallel()
	ctx, w := setup(t, 2*time.Minute, harness.Options{
		Inbound: &harness.Inbound{Routes: replyRoutes, Folders: []string{"desk"}},
	})
	if err := w.Reconfigure(ctx, w.CallBack); err != nil {
		t.Fatal(err)
	}
	const caseID = "2026-0417"
	in := harness.Letter("sag-svar", "2512489984")
	in.Content.Reply.Allowed = true
	in.Content.Case = httpapi.CaseRequest{ID: caseID, System: "Fagsystem"}
	letter, err := w.Gateway.Client.PostIntent(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.Gateway.Client.PostIntent(ctx, harness.Letter("sag-tavs", "2512489984")) // must not be answered
	if err != nil {
		t.Fatal(err)
	}
	reply := awaitReply(ctx, t, w, 1)
	if reply.Intent != letter.ID || reply.Reference != "sag-svar" || reply.CaseID != caseID || reply.Inbound == "" {
		t.Errorf("the producer was told %+v", reply)
	}
	judgeReply(ctx, t, w, reply, letter.ID, caseID)
	if _, err := w.Gateway.Await(ctx, other.ID, "delivered"); err != nil {
		t.Error(err)
	}
	// A second answer to the same letter, this time as ordered from the simulator, in capitals as some systems write UUIDs.
	view, err := w.Gateway.Client.Intent(ctx, letter.ID)
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := w.Sim.Inbound(ctx, sf1606test.Order{
		Kind: sf1606test.KindReply, ReplyTo: sf1606test.ReplyTo{MessageUUID: strings.ToUpper(view.Messages[0].MessageUUID), Recipient: "2512489984"},
	})
	if err != nil || outcome.Accepted != 1 {
		t.Fatalf("%+v, %v", outcome, err)
	}
	if second := awaitReply(ctx, t, w, 2); second.Intent != letter.ID || second.CaseID != caseID || second.Inbound == reply.Inbound {
		t.Errorf("of the second answer the producer was told %+v", second)
	}
	if err := w.Receiver.Forged(); err != nil {
		t.Errorf("calls whose signature does not hold: %v", err)
	}
	if names, err := w.Delivered("desk"); err != nil || len(names) != 0 {
		t.Errorf("the desk has %v, %v", names, err)
	}
}

// judgeReply looks at the answer as the producer finds it.
func judgeReply(ctx context.Context, t *testing.T, w *harness.World, reply httpapi.FeedEvent, intent, caseID string) {
	t.Helper()
	post, err := w.Gateway.Client.InboundPost(ctx, reply.Inbound)
	if err != nil {
		t.Fatal(err)
	}
	if post.Answers.Intent != intent || post.Answers.CaseID != caseID || post.State != string(gateway.PostDelivered) {
		t.Errorf("%+v", post)
	}
	var memo bytes.Buffer
	if err := w.Gateway.Client.InboundMemo(ctx, reply.Inbound, &memo); err != nil || !strings.Contains(memo.String(), caseID) {
		t.Errorf("its MeMo has %d bytes: %v", memo.Len(), err)
	}
}

// awaitReply waits until the producer has been told of n answers, and returns the last one.
func awaitReply(ctx context.Context, t *testing.T, w *harness.World, n int) httpapi.FeedEvent {
	t.Helper()
	var replies []httpapi.FeedEvent
	err := w.Receiver.Await(ctx, func(taken []harness.Call) bool {
		replies = replies[:0]
		for _, c := range taken {
			var e told
			if err := json.Unmarshal(c.Body, &e); err != nil {
				t.Errorf("a call is not JSON: %v", err)
			}
			if e.Data.Code == gateway.CodeReply && !slices.ContainsFunc(replies, func(r httpapi.FeedEvent) bool { return r.Seq == e.Data.Seq }) {
				replies = append(replies, e.Data)
			}
		}
		return len(replies) >= n
	})
	if err != nil {
		t.Fatal(err)
	}
	return replies[n-1]
}
