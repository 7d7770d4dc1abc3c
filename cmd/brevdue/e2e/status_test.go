package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/uuid"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
)

// setupPull is setup for a world that pulls its statuses.
func setupPull(t *testing.T, patience time.Duration, o harness.Options) (context.Context, *harness.World) {
	t.Helper()
	o.Pull = true
	return setup(t, patience, o)
}

// TestOfficialStatus settles a message with the MessageUUID of the published example, pushed and pulled.
func TestOfficialStatus(t *testing.T) {
	t.Parallel()
	input, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "conformance", "beskedfordeler", "PostStatusBeskedModtag.success.xml"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the official example is required in CI: %v", err)
		}
		t.Skipf("NOT TESTED: the official example is not here: %v", err)
	}
	b, err := beskedfordeler.Decode(input)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("pushed", func(t *testing.T) {
		t.Parallel()
		ctx, w := setup(t, time.Minute, harness.Options{})
		id := seed(ctx, t, w, b.Status.MessageUUID)
		for range 2 { // the second time changes nothing, and is acknowledged, too
			if err := w.PushBytes(ctx, input); err != nil {
				t.Fatal(err)
			}
		}
		endsDelivered(ctx, t, w, id)
	})
	t.Run("pulled", func(t *testing.T) {
		t.Parallel()
		ctx, w := setupPull(t, 2*time.Minute, harness.Options{})
		id := seed(ctx, t, w, b.Status.MessageUUID)
		event := haendelsesbesked(t, input)
		if err := w.Broker.Publish(ctx, harness.Dueslag, event, event); err != nil {
			t.Fatal(err)
		}
		endsDelivered(ctx, t, w, id)
		emptied(ctx, t, w)
	})
}

// haendelsesbesked cuts the message out of what is pushed: that is what is pulled.
func haendelsesbesked(t *testing.T, input []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(input); err != nil {
		t.Fatal(err)
	}
	event := doc.FindElement("//Haendelsesbesked")
	for up := event.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if (a.Space == "xmlns" || a.Key == "xmlns") && event.SelectAttr(a.FullKey()) == nil {
				event.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	out := etree.NewDocument()
	out.SetRoot(event)
	raw, err := out.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// seed stops the gateway, puts a message that was handed over under that messageUUID into its journal, and starts it again.
// It returns the intent's id.
func seed(ctx context.Context, t *testing.T, w *harness.World, messageUUID string) string {
	t.Helper()
	if _, err := w.Gateway.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(ctx, "sqlite:"+filepath.Join(w.Gateway.Dir, "brevdue.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i, m := journaltest.Sample(1)
	i.Producer, i.Status = "fagsystem", gateway.IntentSubmitted
	if i.Recipient.ID, err = gateway.ParseCPR("2512489996"); err != nil {
		t.Fatal(err)
	}
	m.MessageUUID, m.State, m.DueAt, m.SubmittedAt = messageUUID, gateway.Submitted, time.Time{}, time.Now().UTC()
	err = j.Update(ctx, func(tx gateway.Tx) error {
		if _, err := tx.InsertIntent(i); err != nil {
			return err
		}
		return tx.InsertMessage(m)
	})
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	return i.ID
}

// endsDelivered waits for the intent to be delivered at the time that the example tells.
func endsDelivered(ctx context.Context, t *testing.T, w *harness.World, id string) {
	t.Helper()
	v, err := w.Gateway.Await(ctx, id, "delivered")
	if err != nil {
		t.Fatal(err)
	}
	if last := v.Events[len(v.Events)-1]; last.Status != "delivered" || last.Code != "Afleveret Digital Post" || len(v.Events) != 1 {
		t.Errorf("%d events, the last %+v", len(v.Events), last)
	}
}

// emptied waits until the queue holds nothing, unacknowledged messages included.
func emptied(ctx context.Context, t *testing.T, w *harness.World) {
	t.Helper()
	var q rabbittest.Queue
	err := harness.Poll(ctx, 200*time.Millisecond, func() (bool, error) {
		queues, err := w.Broker.Look(ctx)
		q = queues[harness.Dueslag]
		return err == nil && q.Ready+q.Unacked == 0, err
	})
	if err != nil {
		t.Fatalf("the queue has %d messages ready and %d unacknowledged: %v", q.Ready, q.Unacked, err)
	}
}

// The acceptance of "receipts in any order": so many receipts, each so often, with so many kills of the puller.
const (
	statusLetters      = 5000 // two receipts each
	statusLettersShort = 250
	statusCopies       = 3
	statusKills        = 10
)

// TestStatusesInAnyOrder publishes every status three times, shuffled, while the puller is killed again and again, and
// compares the final states with those of a run in which each came once and in order.
func TestStatusesInAnyOrder(t *testing.T) {
	t.Parallel()
	ctx, w := setupPull(t, 10*time.Minute, harness.Options{})
	letters := statusLetters
	if testing.Short() {
		letters = statusLettersShort
	}
	ids := submitted(ctx, t, w, letters)
	if _, err := w.Gateway.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	before := filepath.Join(w.Gateway.Dir, "brevdue.db")
	kept := filepath.Join(w.Gateway.Dir, "kept.db")
	copyFile(t, before, kept)

	ordered := make([][]byte, 0, 2*letters)
	for n, m := range ids {
		for _, b := range story(n, m) {
			ordered = append(ordered, beskedfordeler.EncodeEvent(b))
		}
	}
	want := statesAfter(ctx, t, w, ordered, nil)
	copyFile(t, kept, before)
	shuffled := make([][]byte, 0, statusCopies*len(ordered))
	for range statusCopies {
		shuffled = append(shuffled, ordered...)
	}
	d := dice(t)
	d.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	got := statesAfter(ctx, t, w, shuffled, func(left int) {
		w.Gateway.Kill()
		t.Logf("killed with %d statuses in the queue", left)
		if err := w.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	})
	if len(want) != letters || len(got) != letters {
		t.Fatalf("%d and %d messages, want %d", len(want), len(got), letters)
	}
	if !maps.Equal(want, got) {
		different := 0
		for id, state := range want {
			if got[id] != state {
				if different++; different < 10 {
					t.Errorf("message %s: %s in order, %s shuffled", id, state, got[id])
				}
			}
		}
		t.Errorf("%d of %d messages differ", different, letters)
	}
	tally := map[string]int{}
	for _, state := range got {
		tally[state]++
	}
	t.Logf("%d statuses, each %d times, %d kills: %v", len(ordered), statusCopies, statusKills, tally)
}

// submitted hands letters over that get no status of the simulator's, and returns their messageUUIDs in order.
func submitted(ctx context.Context, t *testing.T, w *harness.World, count int) []string {
	t.Helper()
	clients := make(chan error, 16)
	for c := range cap(clients) {
		go func() {
			for n := c; n < count; n += cap(clients) {
				if _, err := w.Gateway.Client.PostIntent(ctx, harness.Letter(fmt.Sprintf("sag-%06d", n), "2512489987")); err != nil {
					clients <- err
					return
				}
			}
			clients <- nil
		}()
	}
	for range cap(clients) {
		if err := <-clients; err != nil {
			t.Fatal(err)
		}
	}
	var uuids []string
	err := harness.Poll(ctx, time.Second, func() (bool, error) {
		all, err := w.Gateway.Intents(ctx)
		uuids = uuids[:0]
		for _, i := range all {
			if i.Messages[0].Status == "submitted" {
				uuids = append(uuids, i.Messages[0].MessageUUID)
			}
		}
		return len(uuids) == count, err
	})
	if err != nil {
		t.Fatalf("%d of %d letters were handed over: %v", len(uuids), count, err)
	}
	return uuids
}

// story is the two statuses of letter n: mostly delivered, some rejected for good, some rejected and delivered after all,
// some of which only the end is told.
func story(n int, messageUUID string) []*beskedfordeler.Besked {
	kinds := []beskedfordeler.Kind{beskedfordeler.KindModtaget, beskedfordeler.KindAfleveret}
	switch n % 10 {
	case 7:
		kinds[1] = beskedfordeler.KindFejlet
	case 8:
		kinds[0] = beskedfordeler.KindFejlet
	case 9:
		kinds[0] = beskedfordeler.KindUnknown
	}
	list := make([]*beskedfordeler.Besked, len(kinds))
	for k, kind := range kinds {
		at := time.Date(2026, 11, 2, 9, 0, k, 0, time.UTC)
		s := &beskedfordeler.PostStatus{
			TransmissionID: uuid.NewString(), MessageUUID: messageUUID, KanalKode: "Digital Post", TransaktionsDatoTid: at,
			TransaktionsStatusKode: kind.StatusKode(),
		}
		if kind == beskedfordeler.KindFejlet {
			s.FejlKode, s.FejlTekst = "file.extension.not.allowed", "The file extension is not allowed"
		}
		list[k] = &beskedfordeler.Besked{
			ID: uuid.NewString(), Version: "1.0", Type: beskedfordeler.TypePKOPostStatus, Actor: beskedfordeler.ActorDigitalPost,
			ObjectID: messageUUID, Handling: kind.Handling(), Registered: at, Status: s,
		}
	}
	return list
}

// statesAfter publishes the statuses, lets the gateway settle them while it is killed now and then, and returns the state of every
// message.
func statesAfter(ctx context.Context, t *testing.T, w *harness.World, statuses [][]byte, kill func(left int)) map[string]string {
	t.Helper()
	for from := 0; from < len(statuses); from += 1000 {
		if err := w.Broker.Publish(ctx, harness.Dueslag, statuses[from:min(from+1000, len(statuses))]...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if kill != nil {
		for n := range statusKills {
			mark := len(statuses) - (n+1)*len(statuses)/(statusKills+1)
			var left int
			err := harness.Poll(ctx, 20*time.Millisecond, func() (bool, error) {
				var err error
				left, err = w.Broker.Depth(harness.Dueslag)
				return left <= mark, err
			})
			if err != nil {
				t.Fatal(err)
			}
			kill(left)
		}
	}
	emptied(ctx, t, w)
	states := map[string]string{}
	all, err := w.Gateway.Intents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		states[i.Messages[0].ID] = i.Messages[0].Status
	}
	if _, err := w.Gateway.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	return states
}

// copyFile copies a journal that nobody has open, over another one.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range []string{"-wal", "-shm"} {
		if err := os.Remove(to + rest); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if _, err := os.Stat(from + rest); err == nil && strings.HasSuffix(rest, "wal") {
			t.Fatalf("%s was not closed", from)
		}
	}
	if err := os.WriteFile(to, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
