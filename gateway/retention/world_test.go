package retention_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/audit"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
	"github.com/brevdue/brevdue/gateway/retention"
)

const day = 24 * time.Hour

// policy keeps documents for a year, content for two, identifiers for three.
func policy() retention.Policy {
	return retention.Policy{
		Default: retention.Periods{Documents: 365 * day, Content: 730 * day, Identifiers: 1095 * day},
		Senders: map[string]retention.Periods{"forever": {}},
		Inbound: retention.Periods{Documents: 100 * day, Content: 200 * day, Identifiers: 300 * day},
		Uploads: 30 * day,
	}
}

// present is when the tests erase.
func present() time.Time { return time.Date(2030, 5, 1, 2, 0, 0, 0, time.UTC) }

type world struct {
	t       *testing.T
	dir     string
	url     string
	journal *journal.Journal
	folder  *documents.Folder
	trail   *audit.Trail
	runner  *retention.Runner
	ids     atomic.Int64
}

// server is the PostgreSQL that the tests of this package share.
var server = sync.OnceValues(func() (*pgtest.Server, error) {
	return pgtest.Start(context.Background())
})

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := server(); err == nil {
		_ = s.Close()
	}
	if code != 0 {
		panic("tests failed")
	}
}

// each runs a test on every engine.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		test(newWorld(t, dir, "sqlite:"+filepath.Join(dir, "journal.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s, err := server()
		if errors.Is(err, pgtest.ErrMissing) {
			pgtest.Missing(t)
		}
		must(t, err)
		url, err := s.Database(t.Context(), "")
		must(t, err)
		test(newWorld(t, t.TempDir(), url))
	})
}

func newWorld(t *testing.T, dir, url string) *world {
	t.Helper()
	w := &world{t: t, dir: dir, url: url}
	var err error
	w.journal, err = journal.Open(t.Context(), url, journal.Options{Migrate: true})
	must(t, err)
	t.Cleanup(func() { must(t, w.journal.Close()) })
	w.folder, err = documents.Open("file:"+filepath.Join(dir, "documents"), documents.Options{})
	must(t, err)
	w.trail, err = audit.New(audit.Config{Journal: w.journal, Now: present, Salt: salt, From: "test"})
	must(t, err)
	w.runner = w.newRunner(func(*retention.Config) {})
	return w
}

func salt() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return b
}

func (w *world) newRunner(change func(*retention.Config)) *retention.Runner {
	w.t.Helper()
	cfg := retention.Config{
		Journal: w.journal, Documents: w.folder, Trail: w.trail, Policy: policy(), Grace: -1, Rate: -1,
		// Files of the tests are as old as the tests; the present is later.
		Now: present, NewID: w.id, Worker: "worker-1",
	}
	change(&cfg)
	r, err := retention.New(cfg)
	must(w.t, err)
	return r
}

func (w *world) id(prefix string) string { return fmt.Sprintf("%s_%026d", prefix, w.ids.Add(1)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kept is a letter of a test.
type kept struct {
	intent  *gateway.Intent
	message *gateway.Message
	mark    string // what is in all of its texts
}

// letter is what a test wants of one.
type letter struct {
	sender  string
	finalAt time.Time // zero: it is under way
	cpr     string
	stored  []byte // a document in the store; nil: one in the journal
	request []byte // content that only the kept request names, in the store
}

// post stores a letter with an attempt, a request, a receipt and events, as the gateway leaves it.
func (w *world) post(l letter) *kept {
	w.t.Helper()
	n := w.ids.Add(1)
	mark := fmt.Sprintf("MARKOER%06d", n)
	cpr, err := gateway.ParseCPR(l.cpr)
	must(w.t, err)
	created := present().AddDate(-10, 0, 0)
	i := &gateway.Intent{
		ID: w.id("int"), Producer: "fagsystem", Reference: "ref-" + mark, Fingerprint: sha256.Sum256([]byte(mark)), Sender: l.sender,
		Recipient: gateway.Recipient{ID: cpr, Name: gateway.Private("Navn " + mark)}, Routes: []gateway.Route{{"digitalpost"}},
		Content: gateway.Content{Title: "Titel " + mark, Text: "Brev " + mark, CaseID: "sag-" + mark}, Dedupe: "dedupe-" + mark,
		Priority: gateway.Normal, Status: gateway.IntentAccepted, CreatedAt: created,
	}
	d := gateway.Document{Filename: mark + ".pdf", ContentType: "application/pdf"}
	if l.stored == nil {
		d.Inline = []byte("%PDF-1.7 " + mark)
		d.Size = int64(len(d.Inline))
		d.SetDigest(sha256.Sum256(d.Inline))
	} else {
		d.SHA256, d.Size, err = w.folder.Put(w.t.Context(), bytes.NewReader(l.stored), 1<<20)
		must(w.t, err)
	}
	i.Content.Documents = []gateway.Document{d}
	m := &gateway.Message{
		ID: w.id("msg"), IntentID: i.ID, Channel: "digitalpost", Priority: gateway.Normal, State: gateway.Queued,
		MessageUUID: "uuid-" + i.ID, AfsendelseID: "afs-" + i.ID, TransactionID: "tx-" + i.ID, CreatedAt: created,
	}
	a := &gateway.Attempt{ID: "att_" + ulid.MustNew(ulid.Timestamp(created), rand.Reader).String(), MessageID: m.ID, N: 1, Worker: "w", StartedAt: created}
	k := w.request(a.ID, mark, l)
	must(w.t, w.journal.Update(w.t.Context(), func(tx gateway.Tx) error {
		if _, err := tx.InsertIntent(i); err != nil {
			return err
		}
		if err := tx.InsertMessage(m); err != nil {
			return err
		}
		if err := tx.InsertAttempt(a); err != nil {
			return err
		}
		if err := tx.KeepRequest(k); err != nil {
			return err
		}
		a.EndedAt, a.Class, a.Text, a.Answer = created, gateway.Accept, "svar "+mark, []byte("<svar>"+mark+"</svar>")
		if err := tx.CloseAttempt(a); err != nil {
			return err
		}
		m.State = gateway.Submitted
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
		return w.event(tx, i, m, mark)
	}))
	if !l.finalAt.IsZero() {
		w.deliver(i, m, mark, l.finalAt)
	}
	return &kept{intent: i, message: m, mark: mark}
}

func (w *world) event(tx gateway.Tx, i *gateway.Intent, m *gateway.Message, mark string) error {
	return tx.InsertEvent(&gateway.Event{
		At: m.CreatedAt, Producer: i.Producer, IntentID: i.ID, Reference: i.Reference, MessageID: m.ID, Channel: m.Channel,
		Status: m.State, IntentStatus: i.Status, Code: "c", Text: "tekst " + mark, CaseID: i.Content.CaseID,
	})
}

func (w *world) request(attempt, mark string, l letter) *gateway.Kept {
	w.t.Helper()
	parts := []gateway.Part{{Text: []byte("<brev>" + mark)}}
	if l.request != nil {
		parts = append(parts, gateway.Part{Size: int64(len(l.request)), Open: opener(l.request)})
	}
	g, err := gateway.New(gateway.Config{
		Journal: w.journal, Documents: w.folder, Queue: noQueue{}, Now: present, NewID: w.id, NewUUID: rand.Text, Worker: "w",
	})
	must(w.t, err)
	skeleton, err := g.Skeleton(w.t.Context(), "kombi_request.xml", "application/xml", parts)
	must(w.t, err)
	return &gateway.Kept{AttemptID: attempt, Digest: sha256.Sum256([]byte(mark)), Skeleton: skeleton}
}

// deliver takes the final status in.
func (w *world) deliver(i *gateway.Intent, m *gateway.Message, mark string, at time.Time) {
	w.t.Helper()
	must(w.t, w.journal.Update(w.t.Context(), func(tx gateway.Tx) error {
		if _, err := tx.InsertReceipt(w.receipt(m, mark, at)); err != nil {
			return err
		}
		m.State, m.FinalAt, i.Status = gateway.Delivered, at, gateway.IntentDelivered
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
		if err := tx.SetIntentStatus(i.ID, i.Status, at); err != nil {
			return err
		}
		return w.event(tx, i, m, mark)
	}))
}

func (w *world) receipt(m *gateway.Message, mark string, at time.Time) *gateway.Receipt {
	return &gateway.Receipt{
		ID: w.id("besked"), Kind: gateway.ReceiptDelivered, Text: "status " + mark, Status: "Afleveret", ReceivedAt: at,
		MessageUUID: m.MessageUUID, Raw: []byte("<status>" + mark + "</status>"), MessageID: m.ID,
	}
}

type noQueue struct{}

func (noQueue) Enqueue(context.Context, gateway.DueMessage) error { return nil }
func (noQueue) Ensure(context.Context, gateway.DueMessage) error  { return nil }
func (noQueue) Forgot(context.Context) (bool, error)              { return false, nil }

// run erases and returns the report.
func (w *world) run(r *retention.Runner) *retention.Report {
	w.t.Helper()
	report, err := r.Run(w.t.Context(), retention.Actor{Who: "mette", How: "cli"})
	must(w.t, err)
	if report.Failed > 0 {
		w.t.Fatalf("%d things failed", report.Failed)
	}
	return report
}

// stages are those that were erased of an intent.
func (w *world) stages(k *kept) int {
	w.t.Helper()
	erased, err := w.journal.Erasures(w.t.Context(), gateway.ErasureIntent, k.intent.ID)
	must(w.t, err)
	return len(erased)
}

// has reports whether the store has a document.
func (w *world) has(content []byte) bool {
	w.t.Helper()
	r, err := w.folder.Open(w.t.Context(), fmt.Sprintf("%x", sha256.Sum256(content)))
	if errors.Is(err, gateway.ErrNotFound) {
		return false
	}
	must(w.t, err)
	must(w.t, r.Close())
	return true
}
