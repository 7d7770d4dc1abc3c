package journal_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/keys"
)

// newKeys makes a keyset file in dir. now may be nil.
func newKeys(t testing.TB, dir string, now func() time.Time) *keys.Keys {
	t.Helper()
	k, err := keys.Create(keys.Config{File: filepath.Join(dir, "keyset.json"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// openSealed opens a journal that seals, or with nil one that does not.
func openSealed(t testing.TB, url string, sealer gateway.Sealer) *journal.Journal {
	t.Helper()
	return openPostgres(t, url, journal.Options{Migrate: true, Sealer: sealer})
}

// marker stands in everything personal of a told intent, and cpr is whom it is told.
const (
	marker = "Hemmelighed"
	cpr    = "2512489996"
)

// told writes a row with a marker into every table that holds personal data. m is its message.
func told(t *testing.T, j gateway.Journal, n int) (i *gateway.Intent, m *gateway.Message) {
	t.Helper()
	i, m = journaltest.Sample(n)
	id, err := gateway.ParseCPR(cpr)
	if err != nil {
		t.Fatal(err)
	}
	i.Recipient = gateway.Recipient{ID: id, Name: marker}
	i.Content.Title, i.Content.Text = marker, marker
	i.Content.Documents[0].Filename = marker + ".pdf"
	i.Content.Documents[0].Inline = []byte(marker + strings.Repeat("x", 100))
	i.Content.Documents = append(i.Content.Documents, gateway.Document{Filename: marker + "2.pdf", SHA256: strings.Repeat("0", 64)})
	request := []byte(marker + i.ID)
	k := gateway.Kept{AttemptID: "att_" + i.ID, Digest: sha256.Sum256(request), Skeleton: request}
	err = j.Update(t.Context(), func(tx gateway.Tx) error {
		if _, err := tx.InsertIntent(i); err != nil {
			return err
		}
		a := &gateway.Attempt{ID: k.AttemptID, MessageID: m.ID, N: 1, Worker: "w", StartedAt: m.CreatedAt}
		closed := *a
		closed.EndedAt, closed.Class, closed.Text, closed.Answer = m.CreatedAt, gateway.Accept, marker, []byte(marker)
		p := &gateway.Post{
			ID: "inb_" + i.ID, MessageUUID: m.MessageUUID, TransmissionID: m.TransactionID, Source: gateway.PostPushed,
			ReceivedAt: i.CreatedAt, State: gateway.PostHeld, Memo: gateway.StoredFile{SHA256: strings.Repeat("0", 64), Size: 1},
			Facts:     []byte(`{"label":"` + marker + `"}`),
			Documents: []gateway.PostDocument{{Kind: "main", Filename: marker, SafeName: marker + "-1"}},
		}
		if err := errors.Join(tx.InsertMessage(m), tx.InsertAttempt(a), tx.KeepRequest(&k), tx.CloseAttempt(&closed)); err != nil {
			return err
		}
		_, errPost := tx.InsertPost(p, []byte("<receipt/>"))
		_, errReceipt := tx.InsertReceipt(&gateway.Receipt{
			ID: "rec_" + i.ID, Kind: gateway.ReceiptNote, Text: marker, ReceivedAt: i.CreatedAt, Raw: []byte(marker), MessageID: m.ID,
		})
		_, errUnreadable := tx.InsertUnreadable(&gateway.Unreadable{ID: "unr_" + i.ID, Reason: "it is no XML", ReceivedAt: i.CreatedAt, Raw: []byte(marker)})
		return errors.Join(
			errPost, errReceipt, errUnreadable,
			tx.InsertEvent(&gateway.Event{At: i.CreatedAt, Producer: i.Producer, IntentID: i.ID, MessageID: m.ID, Text: marker}),
			tx.InsertUpload(&gateway.Upload{ID: "doc_" + i.ID, Producer: i.Producer, Filename: marker, SHA256: strings.Repeat("0", 64), CreatedAt: i.CreatedAt}),
			tx.InsertPostEvent(&gateway.PostEvent{At: i.CreatedAt, PostID: p.ID, State: p.State, Text: marker}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	return i, m
}

// reads reports what of a told intent does not read as it was written.
func reads(t *testing.T, j gateway.Journal, i *gateway.Intent, m *gateway.Message) error {
	t.Helper()
	ctx := t.Context()
	wrong := func(what string, is bool, err error) error {
		if err != nil {
			return err
		}
		if is {
			return nil
		}
		return errors.New(what + " reads as something else")
	}
	got, errIntent := j.Intent(ctx, i.ID)
	d, kept, errDossier := j.Dossier(ctx, "", m.ID)
	post, events, errPost := j.PostView(ctx, "inb_"+i.ID)
	unreadable, errUnreadable := j.UnreadableBody(ctx, "unr_"+i.ID)
	upload, errUpload := j.Upload(ctx, i.Producer, "doc_"+i.ID)
	return errors.Join(
		wrong("the intent", got != nil && reflect.DeepEqual(got.Content, i.Content) && reflect.DeepEqual(got.Recipient, i.Recipient), errIntent),
		wrong("the attempt", d != nil && len(d.Attempts) == 1 && d.Attempts[0].Text == marker && string(d.Attempts[0].Answer) == marker, errDossier),
		wrong("the receipt", d != nil && len(d.Receipts) == 1 && d.Receipts[0].Text == marker && string(d.Receipts[0].Raw) == marker, errDossier),
		wrong("the event", d != nil && len(d.Events) == 1 && d.Events[0].Text == marker, errDossier),
		wrong("the request", kept != nil && string(kept.Skeleton) == marker+i.ID, errDossier),
		wrong("the post", post != nil && strings.Contains(string(post.Facts), marker) && post.Documents[0].Filename == marker &&
			post.Documents[0].SafeName == marker+"-1" && events[0].Text == marker, errPost),
		wrong("the unreadable body", unreadable != nil && string(unreadable.Raw) == marker, errUnreadable),
		wrong("the upload", upload != nil && upload.Filename == marker, errUpload),
	)
}

// shows reports whether the files of a database at path hold a word.
func shows(t *testing.T, path, word string) bool {
	t.Helper()
	for _, file := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(word)) {
			return true
		}
	}
	return false
}

// onBoth runs do on an empty journal of each engine.
func onBoth(t *testing.T, do func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		do(t, "sqlite:"+filepath.Join(t.TempDir(), "journal.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		do(t, database(t))
	})
}

// TestNothingPersonalIsStoredOpen looks at the files themselves.
func TestNothingPersonalIsStoredOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := openSealed(t, "sqlite:"+path, newKeys(t, t.TempDir(), nil))
	i, m := told(t, j, 1)
	if err := reads(t, j, i, m); err != nil {
		t.Error(err)
	}
	for _, word := range []string{marker, cpr} {
		if shows(t, path, word) {
			t.Errorf("the journal's files hold %q", word)
		}
	}
	if !shows(t, path, i.ID) {
		t.Error("the journal's files hold no intent: nothing was looked through")
	}
	plain := filepath.Join(t.TempDir(), "journal.db")
	told(t, openSealed(t, "sqlite:"+plain, nil), 1)
	if !shows(t, plain, marker) || !shows(t, plain, cpr) {
		t.Error("the search finds nothing in a journal without keys, either")
	}
}

// TestKeysChangeBeneath: what was stored without keys is sealed, and sealed anew under the next key, while it is read; then
// nothing needs the first key.
func TestKeysChangeBeneath(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		var clock atomic.Int64
		clock.Store(time.Now().UnixNano())
		k := newKeys(t, t.TempDir(), func() time.Time { return time.Unix(0, clock.Load()) })
		before := openSealed(t, url, nil)
		const rows = 60 // more than a page
		type pair struct {
			i *gateway.Intent
			m *gateway.Message
		}
		var all []pair
		for n := range rows {
			i, m := told(t, before, n+1)
			all = append(all, pair{i, m})
		}
		j := openSealed(t, url, k)
		check := func(keyID string) {
			t.Helper()
			for _, p := range all {
				if err := reads(t, j, p.i, p.m); err != nil {
					t.Fatal(err)
				}
			}
			count, err := j.SealedUnder(t.Context())
			if err != nil || len(count) != 1 || count[keyID] != rows*17 {
				t.Fatalf("sealed under: %v, %v; want all %d under %q", count, err, rows*17, keyID)
			}
		}
		check("")
		n, err := j.Reseal(t.Context())
		if err != nil || n != rows*17 {
			t.Fatalf("sealed %d, %v", n, err)
		}
		first := k.List()[0].ID
		check(first)
		if n, err = j.Reseal(t.Context()); n != 0 || err != nil {
			t.Errorf("sealed %d again, %v", n, err)
		}
		second, err := k.Rotate()
		if err != nil {
			t.Fatal(err)
		}
		check(first)
		if _, err := j.Reseal(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Add(int64(2 * keys.Grace))
		if err := k.Destroy(first); err != nil {
			t.Fatal(err)
		}
		check(second)
		found, err := j.IntentsOf(t.Context(), all[0].i.Recipient.ID)
		if err != nil || len(found) != rows || found[0] != all[0].i.ID {
			t.Errorf("%d intents of the recipient, %v", len(found), err)
		}
		if err := reads(t, before, all[0].i, all[0].m); !errors.Is(err, gateway.ErrSealed) || !strings.Contains(err.Error(), second) ||
			strings.Contains(err.Error(), marker) {
			t.Errorf("read without keys: %v", err)
		}
	})
}

// TestIntentsAreFoundByTheirRecipient under whatever key they were stored.
func TestIntentsAreFoundByTheirRecipient(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		k := newKeys(t, t.TempDir(), nil)
		j := openSealed(t, url, k)
		one, _ := told(t, j, 1)
		if _, err := k.Rotate(); err != nil {
			t.Fatal(err)
		}
		two, _ := told(t, j, 2)
		found, err := j.IntentsOf(t.Context(), one.Recipient.ID)
		if err != nil || !reflect.DeepEqual(found, []string{one.ID, two.ID}) {
			t.Errorf("%v, %v", found, err)
		}
		stranger, err := gateway.ParseCPR("2512489995")
		if err != nil {
			t.Fatal(err)
		}
		if found, err := j.IntentsOf(t.Context(), stranger); err != nil || len(found) != 0 {
			t.Errorf("a stranger has %v, %v", found, err)
		}
	})
}

// TestSealsHold: what was moved or changed in the database is not read as anything.
func TestSealsHold(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"recipients exchanged": `UPDATE intent_contents SET recipient = (SELECT recipient FROM intent_contents AS other
			WHERE other.intent_id <> intent_contents.intent_id)`,
		"a column in another's place": `UPDATE intent_contents SET recipient = content`,
		"contents changed": `UPDATE intent_contents SET content = CAST(substr(content, 1, 40) ||
			CASE substr(content, 41, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(content, 42) AS BLOB)`,
		"contents shortened": `UPDATE intent_contents SET content = substr(content, 1, 30)`,
		"filenames exchanged": `UPDATE intent_documents SET filename = (SELECT filename FROM intent_documents AS other
			WHERE other.intent_id = intent_documents.intent_id AND other.n <> intent_documents.n)`,
		"filenames changed": `UPDATE intent_documents SET filename = 'sealed:1:AAAA'`,
		"an unknown key":    `UPDATE intent_contents SET content = CAST(x'bd424401deadbeef' || substr(content, 9) AS BLOB)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.db")
			j := openSealed(t, "sqlite:"+path, newKeys(t, t.TempDir(), nil))
			i, _ := told(t, j, 1)
			told(t, j, 2)
			if _, err := raw(t, path).ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			got, err := j.Intent(t.Context(), i.ID)
			if !errors.Is(err, gateway.ErrSealed) || got != nil {
				t.Fatalf("read: %v", err)
			}
			if text := err.Error(); !strings.Contains(text, i.ID) || strings.Contains(text, marker) {
				t.Errorf("told: %s", text)
			}
			if name == "an unknown key" && !strings.Contains(err.Error(), "deadbeef") {
				t.Errorf("told: %v", err)
			}
		})
	}
}

// TestTheGuardsLetOnlySealsPass: what was said to whom does not change, with keys or without.
func TestTheGuardsLetOnlySealsPass(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	told(t, openSealed(t, "sqlite:"+path, nil), 1)
	db := raw(t, path)
	for _, statement := range []string{
		`UPDATE intent_contents SET recipient = '{}'`, `UPDATE intent_contents SET content = x'7b207d'`,
		`UPDATE intent_contents SET intent_id = 'other'`,
		`UPDATE intent_documents SET filename = 'other.pdf'`, `UPDATE intent_documents SET inline = x'00'`, `UPDATE intent_documents SET size = 1`,
		`UPDATE attempts SET text = 'other'`, `UPDATE attempts SET answer = x'00'`, `UPDATE attempts SET code = 'other'`,
		`UPDATE exhibits SET skeleton = x'00'`, `UPDATE events SET text = 'other'`, `UPDATE events SET code = 'other'`,
		`UPDATE post_events SET text = 'other'`, `UPDATE post_events SET code = 'other'`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("passed: %s", statement)
		}
	}
}

// TestWhatLooksSealed comes from outside and is not: it reads as it was written, with keys and without.
func TestWhatLooksSealed(t *testing.T) {
	t.Parallel()
	for name, sealer := range map[string]gateway.Sealer{"with keys": newKeys(t, t.TempDir(), nil), "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := openSealed(t, "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), sealer)
			for n, text := range []string{"sealed:1:AAAA", "sealed:0:x", "sealed:", "\xbdBD\x01deadbeef....", "\xbdBD\x00", "\xbdBD", ""} {
				want := gateway.Receipt{ID: string(rune('a' + n)), Kind: gateway.ReceiptNote, Text: text, Raw: []byte(text), ReceivedAt: time.Unix(1, 0)}
				if err := j.Update(t.Context(), func(tx gateway.Tx) error {
					_, err := tx.InsertReceipt(&want)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				got, err := j.Receipt(t.Context(), want.ID)
				if err != nil || got.Text != text || string(got.Raw) != text {
					t.Errorf("%q reads as %+v, %v", text, got, err)
				}
			}
		})
	}
}

// TestOtherKeysAreRefused when the journal is opened, before anything is sealed under them.
func TestOtherKeysAreRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		k := newKeys(t, t.TempDir(), nil)
		told(t, openSealed(t, url, k), 1)
		for name, sealer := range map[string]gateway.Sealer{"no keys": nil, "other keys": newKeys(t, t.TempDir(), nil)} {
			_, err := journal.Open(t.Context(), url, journal.Options{Sealer: sealer})
			if !errors.Is(err, gateway.ErrNoKey) || !strings.Contains(err.Error(), k.List()[0].ID) {
				t.Errorf("opened with %s: %v", name, err)
			}
		}
		openSealed(t, url, k)
	})
}

// BenchmarkSealed stores letters with a document of 2 KB, sealed and open.
func BenchmarkSealed(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		b.Run(map[bool]string{true: "sealed", false: "open"}[sealed], func(b *testing.B) {
			var sealer gateway.Sealer
			if sealed {
				sealer = newKeys(b, b.TempDir(), nil)
			}
			j := openSealed(b, "sqlite:"+filepath.Join(b.TempDir(), "journal.db"), sealer)
			id, err := gateway.ParseCPR(cpr)
			if err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			b.SetParallelism(32) // callers that share a commit
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i, m := journaltest.Sample(int(n.Add(1)))
					i.Recipient = gateway.Recipient{ID: id, Name: marker}
					err := j.Update(b.Context(), func(tx gateway.Tx) error {
						if _, err := tx.InsertIntent(i); err != nil {
							return err
						}
						return tx.InsertMessage(m)
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
