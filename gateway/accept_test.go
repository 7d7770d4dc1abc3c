package gateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

func TestAcceptRefusesWithPointers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil         func(d *gateway.Draft)
		pointer, code string
	}{
		"no reference":        {func(d *gateway.Draft) { d.Reference = " " }, "/reference", "required"},
		"long reference":      {func(d *gateway.Draft) { d.Reference = strings.Repeat("æ", 201) }, "/reference", "text.too_long"},
		"mobile of 7 digits":  {func(d *gateway.Draft) { d.Recipient.Mobile = "2030405" }, "/recipient/mobile", "mobile.invalid"},
		"mobile with letters": {func(d *gateway.Draft) { d.Recipient.Mobile = "+45 2030 405a" }, "/recipient/mobile", "mobile.invalid"},
		"mobile only spaces":  {func(d *gateway.Draft) { d.Recipient.Mobile = "  " }, "/recipient/mobile", "mobile.invalid"},
		"unknown sender":      {func(d *gateway.Draft) { d.Sender = "nobody" }, "/sender", "sender.unknown"},
		"no title":            {func(d *gateway.Draft) { d.Content.Title = "" }, "/content/title", "required"},
		"title too long":      {func(d *gateway.Draft) { d.Content.Title = strings.Repeat("å", 257) }, "/content/title", "text.too_long"},
		"title with newline":  {func(d *gateway.Draft) { d.Content.Title = "a\nb" }, "/content/title", "text.invalid"},
		"no routes":           {func(d *gateway.Draft) { d.Routes = nil }, "/routes", "required"},
		"empty route":         {func(d *gateway.Draft) { d.Routes = []gateway.Route{{}} }, "/routes/0", "required"},
		"unknown channel":     {func(d *gateway.Draft) { d.Routes = []gateway.Route{{"first", "fax"}} }, "/routes/0/1", "channel.unknown"},
		"channel twice":       {func(d *gateway.Draft) { d.Routes = []gateway.Route{{"first", "first"}} }, "/routes/0/1", "channel.twice"},
		"expired":             {func(d *gateway.Draft) { d.Expires = began }, "/send/expires", "time.past"},
		"expires before notBefore": {func(d *gateway.Draft) {
			d.NotBefore, d.Expires = began.Add(2*time.Hour), began.Add(time.Hour)
		}, "/send/expires", "time.order"},
		"unknown window": {func(d *gateway.Draft) { d.Window = "night" }, "/send/window", "window.unknown"},
		"reply by past":  {func(d *gateway.Draft) { d.Content.ReplyBy = began.Add(-time.Second) }, "/content/reply/by", "time.past"},
		"half a case":    {func(d *gateway.Draft) { d.Content.CaseID = "1" }, "/content/case", "case.incomplete"},
		"empty document": {func(d *gateway.Draft) {
			d.Documents = []gateway.DraftDocument{{Filename: "a.pdf"}}
		}, "/content/documents/0/content", "document.empty"},
		"unknown upload": {func(d *gateway.Draft) {
			d.Documents = []gateway.DraftDocument{{Filename: "a.pdf", Upload: "doc_x"}}
		}, "/content/documents/0/document", "document.unknown"},
		"action without URL": {func(d *gateway.Draft) {
			d.Content.Actions = []actions.Action{{Code: actions.Betaling, Label: "Betal"}}
		}, "/content/actions/0/url", "required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			d := draft(t, "r1")
			tc.spoil(&d)
			_, _, err := b.Accept(t.Context(), d)
			var invalid *gateway.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("error %v", err)
			}
			if !slices.ContainsFunc(invalid.Problems, func(p gateway.Problem) bool { return p.Pointer == tc.pointer && p.Code == tc.code }) {
				t.Fatalf("want %s %s, got %+v", tc.pointer, tc.code, invalid.Problems)
			}
			list, err := b.Intents(t.Context(), gateway.IntentFilter{Limit: 10})
			if err != nil || len(list) != 0 || len(b.queue.enqueued) != 0 {
				t.Fatalf("something was stored: %d intents, %d tasks, %v", len(list), len(b.queue.enqueued), err)
			}
		})
	}
}

func TestAcceptTakesMobileNumbers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, number := range []string{"", "20304050", "20 30 40 50", "+4520304050", "+45 20 30 40 50", "+46701234567"} {
		d := draft(t, "mobile "+number)
		d.Recipient.Mobile = gateway.Private(number)
		b.accept(t, d)
	}
}

func TestAcceptTellsAllProblemsTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.problems = []gateway.Problem{{Pointer: "/content/text", Code: "own", Detail: "From the channel."}}
	d := draft(t, "r1")
	d.Content.Title = ""
	d.Problems = []gateway.Problem{{Pointer: "/recipient/cpr", Code: "cpr.invalid", Detail: "From the door."}}
	_, _, err := b.Accept(t.Context(), d)
	var invalid *gateway.Invalid
	if !errors.As(err, &invalid) || len(invalid.Problems) != 3 {
		t.Fatalf("%v", err)
	}
}

func TestSameReferenceSameBodyIsTheSameIntent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.accept(t, draft(t, "r1"))
	again, existing, err := b.Accept(t.Context(), draft(t, "r1"))
	if err != nil || !existing || again.ID != first.ID || again.Messages[0].MessageUUID != first.Messages[0].MessageUUID {
		t.Fatalf("%v %v %v", again, existing, err)
	}
	other := draft(t, "r1")
	other.Fingerprint[0]++
	if _, _, err := b.Accept(t.Context(), other); !errors.Is(err, gateway.ErrConflict) {
		t.Fatalf("another body: %v", err)
	}
	stranger := draft(t, "r1")
	stranger.Producer = "somebody"
	if i, existing, err := b.Accept(t.Context(), stranger); err != nil || existing || i.ID == first.ID {
		t.Fatalf("references of two producers collide: %v", err)
	}
}

// TestRepeatedPostIsAnsweredAfterItsDeadline: a producer that lost the answer posts again, and by then the intent has
// expired, so that a new one like it would be refused.
func TestRepeatedPostIsAnsweredAfterItsDeadline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(t, "r1")
	d.Expires = began.Add(time.Minute)
	first := b.accept(t, d)
	b.clock.advance(time.Hour)
	again, existing, err := b.Accept(t.Context(), d)
	if err != nil || !existing || again.ID != first.ID {
		t.Fatalf("%v, %t, %v", again, existing, err)
	}
	other := d
	other.Fingerprint[0]++
	var invalid *gateway.Invalid
	if _, _, err := b.Accept(t.Context(), other); !errors.As(err, &invalid) {
		t.Fatalf("another body with that reference: %v", err)
	}
}

func TestManyPostsOfOneReferenceMakeOneIntent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var wg sync.WaitGroup
	ids := make([]string, 32)
	for n := range ids {
		wg.Go(func() {
			i, _, err := b.Accept(t.Context(), draft(t, "r1"))
			if err != nil {
				t.Error(err)
				return
			}
			ids[n] = i.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
		t.Fatalf("several intents: %v", slices.Compact(ids))
	}
}

func TestDedupeDiscardsWhileTheFirstWaits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(t, "r1")
	d.Dedupe = "samtale-7"
	first := b.accept(t, d)
	d2 := draft(t, "r2")
	d2.Dedupe = "samtale-7"
	second := b.accept(t, d2)
	if second.Status != gateway.IntentDiscarded || second.DiscardedBy != first.ID || len(second.Messages) != 0 {
		t.Fatalf("%+v", second)
	}
	if err := b.Dispatch(t.Context(), first.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	d3 := draft(t, "r3")
	d3.Dedupe = "samtale-7"
	if third := b.accept(t, d3); third.Status != gateway.IntentAccepted {
		t.Fatalf("after the first has left: %s", third.Status)
	}
}

func TestDocumentsSmallAndLarge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	large := bytes.Repeat([]byte("%PDF"), gateway.MaxInline)
	up, err := b.Upload(t.Context(), "huskeservice", "Bilag.pdf", bytes.NewReader([]byte("uploaded")))
	if err != nil {
		t.Fatal(err)
	}
	d := draft(t, "r1")
	d.Documents = []gateway.DraftDocument{
		{Filename: "Lille.pdf", ContentType: "application/pdf", Content: []byte("small")},
		{Filename: "Stor.pdf", ContentType: "application/pdf", Content: large},
		{Upload: up.ID},
	}
	i := b.accept(t, d)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	letter := b.first.letters()[0]
	for n, want := range [][]byte{[]byte("small"), large, []byte("uploaded")} {
		for range 2 { // any number of times
			r, err := letter.Open(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || r.Close() != nil || !bytes.Equal(got, want) {
				t.Fatalf("document %d: %d bytes, %v", n, len(got), err)
			}
		}
	}
	if name := letter.Intent.Content.Documents[2].Filename; name != "Bilag.pdf" {
		t.Fatalf("uploaded document is called %q", name)
	}
	if _, err := letter.Open(t.Context(), 3); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatal(err)
	}
}

func TestUploadOfAnotherProducerIsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	up, err := b.Upload(t.Context(), "somebody", "a.pdf", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	d := draft(t, "r1")
	d.Documents = []gateway.DraftDocument{{Upload: up.ID}}
	if _, _, err := b.Accept(t.Context(), d); err == nil {
		t.Fatal("a stranger's document was taken")
	}
}

func TestReservationKeepsItsUUIDOverAttempts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Retry}, accepted}
	d := draft(t, "r1")
	d.Content.Actions = []actions.Action{actions.NewAftale("Jobsamtale", actions.Reservation{
		Description: "Medbring CV", Abstract: "Jobsamtale", Location: "Værkmestergade 5",
		Start: began.Add(time.Hour), End: began.Add(2 * time.Hour),
	})}
	i := b.accept(t, d)
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	l := b.first.letters()
	first, second := l[0].Intent.Content.Actions[0].Reservation.UUID, l[1].Intent.Content.Actions[0].Reservation.UUID
	if first == "" || first != second {
		t.Fatalf("%q, then %q", first, second)
	}
}

func TestPersonalDataMasksItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(t, "r1")
	d.Recipient.Address.Street = "Rådhuspladsen"
	i := b.accept(t, d)
	printed := fmt.Sprintf("%v %+v %#v %s", i.Recipient, i.Recipient, i.Recipient, i.Recipient.ID)
	for _, secret := range []string{"2512489996", "Nancy", "Berggren", "Rådhuspladsen"} {
		if strings.Contains(printed, secret) {
			t.Fatalf("printing shows %q", secret)
		}
	}
}

func TestParseIdentifier(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"2512489996": "2512489996", "251248-9996": "2512489996", "0000000000": "0000000000"} {
		if got, err := gateway.ParseCPR(in); err != nil || got.Reveal() != want {
			t.Errorf("%q: %q, %v", in, got.Reveal(), err)
		}
	}
	for _, in := range []string{"", "251248999", "25124899961", "251248 9996", "25124-89996", "25124899æ6", "２512489996"} {
		if _, err := gateway.ParseCPR(in); !errors.Is(err, gateway.ErrIdentifier) || (in != "" && strings.Contains(err.Error(), in)) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := gateway.ParseCVR("5513301"); err == nil {
		t.Error("a CVR number of seven digits")
	}
}

func TestDeriveStatus(t *testing.T) {
	t.Parallel()
	leg := func(states ...gateway.MessageState) []gateway.Message {
		var ms []gateway.Message
		for n, s := range states {
			ms = append(ms, gateway.Message{Leg: n, State: s})
		}
		return ms
	}
	for _, tc := range []struct {
		messages []gateway.Message
		want     gateway.IntentStatus
	}{
		{leg(gateway.Queued), gateway.IntentAccepted},
		{leg(gateway.Scheduled), gateway.IntentScheduled},
		{leg(gateway.Received), gateway.IntentSubmitted},
		{leg(gateway.Delivered, gateway.Submitted), gateway.IntentSubmitted},
		{leg(gateway.Delivered, gateway.Delivered), gateway.IntentDelivered},
		{leg(gateway.Delivered, gateway.Cancelled), gateway.IntentDelivered},
		{leg(gateway.Cancelled, gateway.Cancelled), gateway.IntentCancelled},
		{leg(gateway.Failed, gateway.Held), gateway.IntentFailed},
		{leg(gateway.Held, gateway.Delivered), gateway.IntentHeld},
		{leg(gateway.Expired, gateway.Delivered), gateway.IntentExpired},
		{leg(gateway.Returned), gateway.IntentFailed},
		{[]gateway.Message{{Step: 0, State: gateway.Superseded}, {Step: 1, State: gateway.Sending}}, gateway.IntentSending},
		{[]gateway.Message{{Step: 1, State: gateway.Delivered}, {Step: 0, State: gateway.Superseded}}, gateway.IntentDelivered},
	} {
		if got := gateway.DeriveStatus(tc.messages); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.messages, got, tc.want)
		}
	}
}
