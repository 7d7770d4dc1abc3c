package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
)

// events returns the codes and texts of a message's events.
func (b *bundle) events(t *testing.T, intentID string) (codes, texts []string) {
	t.Helper()
	_, events, err := b.Intent(t.Context(), "", intentID)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		codes, texts = append(codes, e.Code), append(texts, e.Text)
	}
	return codes, texts
}

func last(s []string) string { return s[len(s)-1] }

func TestLateStatusesSayThatTheMessageHadFailed(t *testing.T) {
	t.Parallel()
	for kind, want := range map[gateway.ReceiptKind]string{
		gateway.ReceiptDelivered: "late.delivered", gateway.ReceiptReturned: "late.returned",
	} {
		b := setup(t)
		b.first.outcomes = []gateway.Outcome{{Class: gateway.Fail, Code: "x"}}
		i := b.accept(t, draft(t, "r1"))
		if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
			t.Fatal(err)
		}
		b.clock.advance(3 * time.Hour)
		b.settle(t, i.Messages[0], kind, "")
		codes, texts := b.events(t, i.ID)
		if last(codes) != want || !strings.Contains(last(texts), "failed since 2026-12-01T09:00:00Z") || !strings.HasPrefix(last(texts), string(kind)) {
			t.Errorf("%s: %s, %q", kind, last(codes), last(texts))
		}
		if _, known := b.Explain(last(codes)); !known {
			t.Errorf("%s has no hint", last(codes))
		}
	}
}

func TestDeliveryOfWhatWasCalledOffIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	if _, err := b.Cancel(t.Context(), "huskeservice", i.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.settle(t, i.Messages[0], gateway.ReceiptDelivered, ""); got.Changed || !got.Matched {
		t.Errorf("%+v", got)
	}
	if codes, _ := b.events(t, i.ID); last(codes) != "cancelled.delivered" || b.states(t, i.ID)[0] != gateway.Cancelled {
		t.Errorf("%s, %s", last(codes), b.states(t, i.ID))
	}
}

func TestDisagreementIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	for n, kind := range []gateway.ReceiptKind{gateway.ReceiptNote, gateway.ReceiptReceived} {
		if _, err := b.Settle(t.Context(), gateway.Receipt{
			ID: uuid.NewString(), Kind: kind, MessageUUID: i.Messages[0].MessageUUID, Status: "Fejlet", Conflict: true, Hint: "They disagree.",
		}); err != nil {
			t.Fatal(err)
		}
		codes, texts := b.events(t, i.ID)
		if last(codes) != "Fejlet" || last(texts) != "The status contradicts itself: They disagree." {
			t.Errorf("%s: %s, %q", kind, last(codes), last(texts))
		}
		if got := b.ReceiptCounts().Conflicts; got != int64(n+1) {
			t.Errorf("%d conflicts counted", got)
		}
	}
}

func TestForeignReceiptsAreCountedAndNotKept(t *testing.T) {
	t.Parallel()
	const ours, theirs = "53213778-de6b-42ee-8fbd-8aa73b0d4d85", "00000000-1111-4222-8333-444444444444"
	for name, c := range map[string]struct {
		own, named             []string
		matches, want, dropped bool
	}{
		"another system":             {own: []string{ours}, named: []string{theirs}, dropped: true},
		"ours, in capitals":          {own: []string{strings.ToUpper(ours)}, named: []string{ours}},
		"ours among others":          {own: []string{ours}, named: []string{theirs, ours}},
		"no system is named":         {own: []string{ours}},
		"none is configured":         {named: []string{theirs}},
		"another, but it is our own": {own: []string{ours}, named: []string{theirs}, matches: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(cfg *gateway.Config) { cfg.Systems = c.own })
			r := gateway.Receipt{ID: "b1", Kind: gateway.ReceiptDelivered, MessageUUID: uuid.NewString(), Systems: c.named}
			if c.matches {
				r.MessageUUID = b.accept(t, draft(t, "r1")).Messages[0].MessageUUID
			}
			got, err := b.Settle(t.Context(), r)
			if err != nil || got.Foreign != c.dropped || got.Matched != c.matches {
				t.Fatalf("%+v, %v", got, err)
			}
			_, err = b.Receipt(t.Context(), "b1")
			if kept := err == nil; kept == c.dropped {
				t.Errorf("kept %t: %v", kept, err)
			}
			if n := b.ReceiptCounts().Foreign; (n == 1) != c.dropped {
				t.Errorf("%d foreign ones counted", n)
			}
		})
	}
}

// TestQuarantineIsFair fills the quarantine with more strangers than one page holds; one of ours behind them must come out.
func TestQuarantineIsFair(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.journal.Update(t.Context(), func(tx gateway.Tx) error {
		for n := range 2500 {
			if _, err := tx.InsertReceipt(&gateway.Receipt{
				ID: fmt.Sprintf("stranger-%05d", n), Kind: gateway.ReceiptDelivered, MessageUUID: fmt.Sprintf("u-%d", n), ReceivedAt: began,
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(time.Second)
	early := gateway.Receipt{ID: "ours", Kind: gateway.ReceiptDelivered, Transmission: "tr-1"}
	if _, err := b.Settle(t.Context(), early); err != nil {
		t.Fatal(err)
	}
	sweep := func(want int) {
		t.Helper()
		if r, err := b.Sweep(t.Context()); err != nil || r.Rematched != want {
			t.Fatalf("%+v, %v; want %d matched", r, err, want)
		}
	}
	sweep(0)
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(59 * time.Second)
	sweep(0) // not every sweep looks
	b.clock.advance(time.Second)
	sweep(1)
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
	if h, err := b.Health(t.Context()); err != nil || h.Quarantined != 2500 || !h.OldestQuarantined.Equal(began) {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestOldQuarantineIsMatchedByHandOnly: after a week the watch lets go, a person can still have all of it looked through.
func TestOldQuarantineIsMatchedByHandOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.Settle(t.Context(), gateway.Receipt{ID: "old", Kind: gateway.ReceiptDelivered, Transmission: "tr-1"}); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(8 * 24 * time.Hour)
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Sweep(t.Context()); err != nil || r.Rematched != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if n, err := b.Rematch(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestMatchByHand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	id := i.Messages[0].ID
	if _, err := b.Settle(t.Context(), gateway.Receipt{ID: "lost", Kind: gateway.ReceiptDelivered, MessageUUID: uuid.NewString()}); err != nil {
		t.Fatal(err)
	}
	for pointer, try := range map[string][2]string{"/reason": {id, ""}, "/message": {"msg_none", "a reason"}} {
		_, err := b.MatchByHand(t.Context(), "lost", try[0], try[1])
		invalid, ok := errors.AsType[*gateway.Invalid](err)
		if !ok || invalid.Problems[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, err)
		}
	}
	if _, err := b.MatchByHand(t.Context(), "none", id, "a reason"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("an unknown receipt: %v", err)
	}
	got, err := b.MatchByHand(t.Context(), "lost", id, "Leverandøren har bekræftet")
	if err != nil || !got.Matched || !got.Changed {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := b.MatchByHand(t.Context(), "lost", id, "again"); !errors.Is(err, gateway.ErrNotQuarantined) {
		t.Errorf("twice: %v", err)
	}
	codes, texts := b.events(t, i.ID)
	if n := len(codes) - 2; codes[n] != "matched.by_hand" || !strings.Contains(texts[n], "Leverandøren har bekræftet") {
		t.Errorf("%q %q", codes, texts)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestUnreadableIsKeptWholeAndOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	readable := false
	var b *bundle
	var i *gateway.Intent
	b = setup(t, func(cfg *gateway.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		cfg.ReadReceipt = func(raw []byte) (gateway.Receipt, error) {
			if !readable {
				return gateway.Receipt{}, errors.New("message is not well-formed XML")
			}
			return gateway.Receipt{ID: "b1", Kind: gateway.ReceiptDelivered, MessageUUID: i.Messages[0].MessageUUID, Raw: raw}, nil
		}
	})
	i = b.accept(t, draft(t, "r1"))
	raw := append([]byte("<not xml 2512489996"), 0, 0xff)
	for range 3 {
		if err := b.KeepUnreadable(t.Context(), raw, "message is not well-formed XML"); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(raw)
	id := hex.EncodeToString(sum[:])
	bodies, err := b.UnreadableBodies(t.Context(), gateway.ReceiptFilter{Limit: 10})
	if err != nil || len(bodies) != 1 || bodies[0].ID != id || bodies[0].Raw != nil {
		t.Fatalf("%+v, %v", bodies, err)
	}
	whole, err := b.UnreadableBody(t.Context(), id)
	if err != nil || !bytes.Equal(whole.Raw, raw) {
		t.Fatalf("%q, %v", whole.Raw, err)
	}
	if strings.Contains(log.String(), "2512489996") {
		t.Error("the body is in the log")
	}
	if _, err := b.RetryUnreadable(t.Context(), id); !errors.Is(err, gateway.ErrStillUnreadable) {
		t.Fatal(err)
	}
	if _, err := b.RetryUnreadable(t.Context(), "none"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatal(err)
	}
	readable = true
	for n := range 2 {
		if got, err := b.RetryUnreadable(t.Context(), id); err != nil || got.Changed != (n == 0) || got.Duplicate != (n == 1) {
			t.Fatalf("%d: %+v, %v", n, got, err)
		}
	}
	if h, err := b.Health(t.Context()); err != nil || h.Unreadable != 0 || b.ReceiptCounts().Unreadable != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestUnreadableHasALimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.KeepUnreadable(t.Context(), make([]byte, gateway.MaxUnreadable+1), "large"); !errors.Is(err, gateway.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if err := b.KeepUnreadable(t.Context(), make([]byte, 5<<20), "message is larger than the limit"); err != nil {
		t.Errorf("5 MB: %v", err)
	}
	if _, err := b.RetryUnreadable(t.Context(), "x"); !errors.Is(err, gateway.ErrNoReader) {
		t.Errorf("without a reader: %v", err)
	}
}
