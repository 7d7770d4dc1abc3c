// Package statuses_test holds the way of a status, from the push endpoint over its channel to the journal, to the list of bad input.
package statuses_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// office is a gateway with one letter under way behind the push endpoint, as the binary joins them.
type office struct {
	*gateway.Gateway
	push   http.Handler
	intent *gateway.Intent
}

// nowhere is a queue that forgets and a document store without documents.
type nowhere struct{}

func (nowhere) Enqueue(context.Context, gateway.DueMessage) error { return nil }
func (nowhere) Ensure(context.Context, gateway.DueMessage) error  { return nil }
func (nowhere) Forgot(context.Context) (bool, error)              { return false, nil }
func (nowhere) Put(context.Context, io.Reader, int64) (string, int64, error) {
	return "", 0, gateway.ErrUnavailable
}
func (nowhere) Open(context.Context, string) (io.ReadCloser, error) { return nil, gateway.ErrNotFound }

// mailbox is a channel that takes everything.
type mailbox struct{}

func (mailbox) Name() string                                            { return "digitalpost" }
func (mailbox) Check(context.Context, gateway.Letter) []gateway.Problem { return nil }
func (mailbox) Send(context.Context, gateway.Letter) gateway.Outcome {
	return gateway.Outcome{Class: gateway.Accept}
}

// openOffice has a letter whose messageUUID is the given one.
func openOffice(t *testing.T, messageUUID string, systems ...string) *office {
	t.Helper()
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "j.db"), journal.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	o := &office{}
	uuids := []string{messageUUID}
	n := 0
	o.Gateway, err = gateway.New(gateway.Config{
		Journal: j, Documents: nowhere{}, Queue: nowhere{}, Channels: []gateway.Channel{mailbox{}},
		Senders: map[string]gateway.Sender{"jobcenter": {Name: "jobcenter"}}, Systems: systems,
		Now: func() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }, Worker: "w",
		NewID: func(prefix string) string { n++; return fmt.Sprintf("%s_%d", prefix, n) },
		NewUUID: func() string {
			if len(uuids) > 0 {
				next := uuids[0]
				uuids = uuids[1:]
				return next
			}
			return uuid.NewString()
		},
		ReadReceipt: func(raw []byte) (gateway.Receipt, error) {
			b, err := beskedfordeler.Decode(raw)
			if err != nil {
				return gateway.Receipt{}, err
			}
			return digitalpost.Receipt(nil, raw, b), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.push = beskedfordeler.PushHandler(beskedfordeler.PushConfig{
		Unreadable: o.KeepUnreadable,
		Deliver: func(ctx context.Context, raw []byte, b *beskedfordeler.Besked) error {
			_, err := o.Settle(ctx, digitalpost.Receipt(nil, raw, b))
			return err
		},
	})
	cpr, err := gateway.ParseCPR("2512489996")
	if err != nil {
		t.Fatal(err)
	}
	o.intent, _, err = o.Accept(t.Context(), gateway.Draft{
		Producer: "p", Reference: "r", Sender: "jobcenter", Recipient: gateway.Recipient{ID: cpr, Name: "Nancy"},
		Routes: []gateway.Route{{"digitalpost"}}, Content: gateway.Content{Title: "t", Text: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Dispatch(t.Context(), o.intent.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	return o
}

// post pushes a body and returns the StatusKode.
func (o *office) post(t *testing.T, body []byte) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
	req.Header.Set("Content-Type", "text/xml")
	w := httptest.NewRecorder()
	o.push.ServeHTTP(w, req)
	_, after, _ := strings.Cut(w.Body.String(), "<StatusKode>")
	kode, _, _ := strings.Cut(after, "<")
	return kode
}

func (o *office) state(t *testing.T) gateway.MessageState {
	t.Helper()
	i, _, err := o.Intent(t.Context(), "", o.intent.ID)
	if err != nil {
		t.Fatal(err)
	}
	return i.Messages[0].State
}

// TestTheOfficialExampleSettlesItsMessage: KOMBIT's example, pushed as it is and pulled as the root that AMQP carries.
func TestTheOfficialExampleSettlesItsMessage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "conformance", "beskedfordeler", "PostStatusBeskedModtag.success.xml"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the official example is required in CI: %v", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: the official example is not here: %v", err)
	}
	besked, err := beskedfordeler.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	pulled := beskedfordeler.EncodeEvent(besked)
	for name, settle := range map[string]func(o *office) string{
		"push": func(o *office) string { return o.post(t, raw) },
		"pull": func(o *office) string {
			b, err := beskedfordeler.Decode(pulled)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Settle(t.Context(), digitalpost.Receipt(nil, pulled, b)); err != nil {
				t.Fatal(err)
			}
			return "20"
		},
	} {
		o := openOffice(t, besked.Status.MessageUUID, "00000000-0000-4000-8000-000000000000") // ours by its UUID, whatever system it names
		for n := range 3 {
			if kode := settle(o); kode != "20" || o.state(t) != gateway.Delivered {
				t.Errorf("%s %d: StatusKode %s, %s", name, n, kode, o.state(t))
			}
		}
		if c := o.ReceiptCounts(); c.Settled != 1 || c.Duplicate != 2 {
			t.Errorf("%s: %+v", name, c)
		}
		kept, err := o.Receipt(t.Context(), besked.ID)
		if err != nil {
			t.Fatal(err)
		}
		again, err := beskedfordeler.Decode(kept.Raw)
		if err != nil || again.Status == nil || fmt.Sprintf("%+v", again.Status) != fmt.Sprintf("%+v", besked.Status) {
			t.Errorf("%s: the kept status says %+v, %v", name, again, err)
		}
		if bytes.Contains(kept.Raw, []byte("U0VSSUFM")) {
			t.Errorf("%s: the credentials of the sender are kept", name)
		}
	}
}

// TestBadStatuses is the list of what may come: each is kept or answered, counted, and disturbs nothing.
func TestBadStatuses(t *testing.T) {
	t.Parallel()
	const messageUUID, ours, theirs = "8853363b-43ec-4d0a-a54d-65447f9447ed", "53213778-de6b-42ee-8fbd-8aa73b0d4d85", "11111111-de6b-42ee-8fbd-8aa73b0d4d85"
	good := func() *beskedfordeler.Besked {
		return &beskedfordeler.Besked{
			ID: "bd12c645-de98-453a-ac80-f58a76942eda", Version: "1.0", Type: beskedfordeler.TypePKOPostStatus,
			Handling: beskedfordeler.HandlingAfleveret, ObjectID: messageUUID, Related: []beskedfordeler.RelatedObject{{ID: ours}},
			Status: &beskedfordeler.PostStatus{MessageUUID: messageUUID, TransaktionsStatusKode: "Afleveret Digital Post"},
		}
	}
	encoded := func(change func(b *beskedfordeler.Besked)) []byte {
		b := good()
		change(b)
		return beskedfordeler.EncodeInput(b)
	}
	whole := string(encoded(func(*beskedfordeler.Besked) {}))
	status := base64.StdEncoding.EncodeToString([]byte("<PKO_PostStatus>"))
	from := strings.Index(whole, "PD94") // the beginning of an XML declaration in Base64
	if from < 0 {
		from = strings.Index(whole, "PFBLT19") // <PKO_
	}
	if from < 0 {
		t.Fatal(whole)
	}
	to := from + strings.Index(whole[from:], "<")
	for name, c := range map[string]struct {
		body  []byte
		kode  string
		want  gateway.ReceiptCounts
		state gateway.MessageState
	}{
		"unknown ObjektHandling, known text": {
			encoded(func(b *beskedfordeler.Besked) { b.Handling = theirs }), "20", gateway.ReceiptCounts{Settled: 1, Conflicts: 1}, gateway.Delivered,
		},
		"unknown ObjektHandling, unknown text": {
			encoded(func(b *beskedfordeler.Besked) {
				b.Handling, b.Status.TransaktionsStatusKode = theirs, "Spist af hunden"
			}),
			"20", gateway.ReceiptCounts{Settled: 1}, gateway.Submitted,
		},
		"the two disagree": {
			encoded(func(b *beskedfordeler.Besked) { b.Status.TransaktionsStatusKode = "Fejlet" }),
			"20", gateway.ReceiptCounts{Settled: 1, Conflicts: 1}, gateway.Delivered,
		},
		"unknown message": {
			encoded(func(b *beskedfordeler.Besked) { b.Status.MessageUUID = uuid.NewString() }),
			"20", gateway.ReceiptCounts{Unmatched: 1}, gateway.Submitted,
		},
		"another system's message": {
			encoded(func(b *beskedfordeler.Besked) { b.Status.MessageUUID, b.Related[0].ID = uuid.NewString(), theirs }),
			"20", gateway.ReceiptCounts{Foreign: 1}, gateway.Submitted,
		},
		"another system's name on our message": {
			encoded(func(b *beskedfordeler.Besked) { b.Related[0].ID = theirs }), "20", gateway.ReceiptCounts{Settled: 1}, gateway.Delivered,
		},
		"not XML":             {[]byte("hej"), "41", gateway.ReceiptCounts{Unreadable: 1}, gateway.Submitted},
		"no Base64":           {[]byte(whole[:from] + "!!!" + whole[to:]), "41", gateway.ReceiptCounts{Unreadable: 1}, gateway.Submitted},
		"Base64 of half XML":  {[]byte(whole[:from] + status + whole[to:]), "41", gateway.ReceiptCounts{Unreadable: 1}, gateway.Submitted},
		"5 MB":                {[]byte("<ModtagBeskedInput>" + strings.Repeat("x", 5_000_000)), "41", gateway.ReceiptCounts{Unreadable: 1}, gateway.Submitted},
		"a body without text": {[]byte(" "), "41", gateway.ReceiptCounts{}, gateway.Submitted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, messageUUID, strings.ToUpper(ours))
			for range 2 { // BeskedId seen before, or the same body again: nothing more happens
				if kode := o.post(t, c.body); kode != c.kode {
					t.Errorf("StatusKode %s", kode)
				}
			}
			got := o.ReceiptCounts()
			if c.want.Foreign > 0 {
				c.want.Foreign = 2 // nothing of it is kept, so it cannot be known again
			} else if c.kode == "20" {
				c.want.Duplicate = 1
			}
			if got != c.want || o.state(t) != c.state {
				t.Errorf("%+v, %s; want %+v, %s", got, o.state(t), c.want, c.state)
			}
			if kode := o.post(t, encoded(func(b *beskedfordeler.Besked) { b.ID = uuid.NewString() })); kode != "20" || o.state(t) != gateway.Delivered {
				t.Errorf("afterwards: StatusKode %s, %s", kode, o.state(t))
			}
		})
	}
}

func TestDisagreementKeepsBothHints(t *testing.T) {
	t.Parallel()
	b := &beskedfordeler.Besked{
		Handling: beskedfordeler.HandlingFejlet,
		Status:   &beskedfordeler.PostStatus{TransaktionsStatusKode: "Afleveret Digital Post", FejlKode: "memo.invalid"},
		Related:  []beskedfordeler.RelatedObject{{ID: "a"}, {}, {ID: "b"}},
	}
	r := digitalpost.Receipt(nil, nil, b)
	plain := digitalpost.Receipt(nil, nil, &beskedfordeler.Besked{Handling: b.Handling, Status: &beskedfordeler.PostStatus{FejlKode: "memo.invalid"}})
	if !r.Conflict || plain.Conflict || plain.Hint == "" || r.Hint != "ObjektHandling says Fejlet, TransaktionsStatusKode says something else; "+
		"ObjektHandling was followed. "+plain.Hint {
		t.Errorf("%q, %q", r.Hint, plain.Hint)
	}
	if strings.Join(r.Systems, " ") != "a b" {
		t.Errorf("systems %q", r.Systems)
	}
	b.Handling = "x"
	if r := digitalpost.Receipt(nil, nil, b); r.Kind != gateway.ReceiptDelivered || !strings.HasSuffix(r.Hint, "TransaktionsStatusKode was followed.") {
		t.Errorf("%s %q", r.Kind, r.Hint)
	}
	b.Status.TransaktionsStatusKode = "y"
	if r := digitalpost.Receipt(nil, nil, b); r.Kind != gateway.ReceiptNote || r.Conflict || !strings.HasPrefix(r.Hint, "Neither") {
		t.Errorf("%s %q", r.Kind, r.Hint)
	}
}
