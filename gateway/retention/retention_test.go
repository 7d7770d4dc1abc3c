package retention_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/audit"
	"github.com/brevdue/brevdue/gateway/retention"
)

const (
	nancy = "2512489996"
	anton = "0101011234"
)

func opener(content []byte) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

// TestOnlyWhatIsDue: nothing that is not final, not old enough, held, or of a sender without periods is touched, whatever lies
// beside it; a plan says beforehand what a run does.
func TestOnlyWhatIsDue(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		random := rand.New(rand.NewPCG(7, 7))
		type expected struct {
			*kept
			want int
		}
		var all []expected
		for range 60 {
			days := random.IntN(1500)
			l := letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-time.Duration(days) * day)}
			e := expected{want: min(days/365, 3)}
			switch random.IntN(6) {
			case 0:
				l.finalAt, e.want = time.Time{}, 0
			case 1:
				l.sender, e.want = "forever", 0
			case 2:
				l.cpr, e.want = "0101011234", 0 // held below
			}
			e.kept = w.post(l)
			all = append(all, e)
		}
		held, err := gateway.ParseCPR(anton)
		must(w.t, err)
		_, err = w.runner.Hold(w.t.Context(), retention.Actor{Who: "mette", Reason: "retssag"},
			gateway.LegalHold{Kind: gateway.HoldRecipient, Recipient: held})
		must(w.t, err)
		plan, err := w.runner.Plan(w.t.Context())
		must(w.t, err)
		report := w.run(w.runner)
		if !plan.Same(report) {
			w.t.Errorf("planned\n%+v, done\n%+v", plan, report)
		}
		for _, e := range all {
			if got := w.stages(e.kept); got != e.want {
				w.t.Errorf("%s: %d stages, want %d (final %s, sender %s)", e.intent.ID, got, e.want, e.message.FinalAt, e.intent.Sender)
			}
		}
		again, err := w.runner.Plan(w.t.Context())
		must(w.t, err)
		for _, l := range again.Lines {
			if l.Erased > 0 {
				w.t.Errorf("still due: %+v", l)
			}
		}
		if _, err := audit.Verify(w.t.Context(), w.journal); err != nil {
			w.t.Error(err)
		}
	})
}

// TestCountsFromFinal: a letter that was posted ten years ago and delivered yesterday is new.
func TestCountsFromFinal(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		k := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-day)})
		under := w.post(letter{sender: "jobcenter", cpr: nancy})
		edge := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-365 * day)})
		young := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-365*day + time.Microsecond)})
		w.run(w.runner)
		for name, c := range map[string]struct {
			*kept
			want int
		}{"delivered yesterday": {k, 0}, "under way": {under, 0}, "just old enough": {edge, 1}, "a microsecond younger": {young, 0}} {
			if got := w.stages(c.kept); got != c.want {
				w.t.Errorf("%s: %d stages, want %d", name, got, c.want)
			}
		}
	})
}

// TestGone: what was erased is in no file any more, and what was not still is; counts stay.
func TestGone(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		shared, own := bytes.Repeat([]byte("delt"), 1000), bytes.Repeat([]byte("egen"), 1000)
		old := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day), stored: own})
		inline := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day)})
		large := bytes.Repeat([]byte("stor"), gateway.MaxInline)
		w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day), stored: shared, request: large})
		fresh := w.post(letter{sender: "jobcenter", cpr: anton, finalAt: present().Add(-day), stored: shared})
		before := w.statistics()
		w.run(w.runner)
		if after := w.statistics(); after != before {
			w.t.Errorf("statistics were %s, are %s", before, after)
		}
		if w.has(own) || w.has(large) {
			w.t.Error("documents that nothing names are still there")
		}
		if !w.has(shared) {
			w.t.Error("a document of another letter is gone")
		}
		for _, marker := range []string{old.mark, inline.mark, nancy} {
			if where := w.grep(marker); where != "" {
				w.t.Errorf("%s is still in %s", marker, where)
			}
		}
		if w.grep(fresh.mark) == "" {
			w.t.Error("the search finds nothing at all")
		}
		erased, err := w.journal.Erasures(w.t.Context(), gateway.ErasureIntent, old.intent.ID)
		must(w.t, err)
		if len(erased) != 3 || !erased[0].At.Equal(present()) {
			w.t.Errorf("erasures %+v", erased)
		}
		dossier, _, err := w.journal.Dossier(w.t.Context(), "", old.message.ID)
		must(w.t, err)
		if dossier.Message.State != gateway.Delivered || len(dossier.Attempts) != 1 || len(dossier.Receipts) != 1 {
			w.t.Errorf("what is left cannot be told: %+v", dossier.Message)
		}
	})
}

// statistics are what is counted of letters.
func (w *world) statistics() string {
	w.t.Helper()
	list, err := w.journal.Intents(w.t.Context(), gateway.IntentFilter{})
	must(w.t, err)
	var out strings.Builder
	for _, i := range list {
		fmt.Fprintln(&out, i.ID, i.Producer, i.Sender, i.Status, i.CreatedAt, i.FinalAt, i.Batch, i.Priority)
		for _, m := range i.Messages {
			fmt.Fprintln(&out, m.Channel, m.State, m.Attempts, m.CreatedAt, m.SubmittedAt, m.FinalAt)
		}
	}
	return out.String()
}

// grep returns the file, or the table of PostgreSQL, that has a text, "" when none has.
func (w *world) grep(text string) string {
	w.t.Helper()
	must(w.t, w.journal.Scrub(w.t.Context()))
	found := ""
	must(w.t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = path
		}
		return err
	}))
	if found == "" && w.url[:8] == "postgres" {
		found = dump(w.t, w.url, text)
	}
	return found
}

// TestShared: a document stays as long as anything names it: an upload, another letter, a post, a request that was kept.
func TestShared(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		content := func(s string) []byte { return bytes.Repeat([]byte(s), gateway.MaxInline) }
		old := present().Add(-1200 * day)
		uploaded, requested := content("upload"), content("request")
		w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: old, stored: uploaded})
		w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: old, stored: requested})
		must(w.t, w.journal.Update(w.t.Context(), func(tx gateway.Tx) error {
			sum := gateway.Document{}
			sum.SetDigest(sha(uploaded))
			return tx.InsertUpload(&gateway.Upload{ID: w.id("doc"), Producer: "p", Filename: "f", Size: 1, SHA256: sum.SHA256, CreatedAt: present()})
		}))
		last := w.post(letter{sender: "jobcenter", cpr: nancy, request: requested}) // only its kept request names it
		w.run(w.runner)
		if !w.has(uploaded) || !w.has(requested) {
			w.t.Fatal("a document that something names is gone")
		}
		w.deliver(last.intent, last.message, last.mark, old)
		later := w.newRunner(func(c *retention.Config) { c.Now = func() time.Time { return present().Add(31 * day) } })
		w.run(later)
		if w.has(uploaded) || w.has(requested) {
			w.t.Error("a document that nothing names any more is still there")
		}
	})
}

// TestPutAgain: a document that was put again just now stays, though nothing names it yet.
func TestPutAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		content := bytes.Repeat([]byte("igen"), 1000)
		w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day), stored: content})
		_, _, err := w.folder.Put(w.t.Context(), bytes.NewReader(content), 1<<20)
		must(w.t, err)
		now := time.Now() // the clock of the files
		young := w.newRunner(func(c *retention.Config) {
			c.Documents = early{c.Documents, now.Add(-time.Hour)}
		})
		w.run(young)
		if !w.has(content) {
			w.t.Fatal("a document was removed that was put a moment ago")
		}
		w.run(w.runner)
		if w.has(content) {
			w.t.Error("it is never removed")
		}
	})
}

// early is a store whose documents must be older.
type early struct {
	gateway.Remover
	before time.Time
}

func (e early) Remove(ctx context.Context, name string, _ time.Time) (bool, error) {
	return e.Remover.Remove(ctx, name, e.before)
}

// TestResumes: a run that is cut off at any place is gone on with.
func TestResumes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var all []*kept
		for range 45 {
			all = append(all, w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day)}))
		}
		crashes := 0
		for allowed := 1; ; allowed += 3 {
			cut := &cutJournal{Journal: w.journal, left: allowed}
			r := w.newRunner(func(c *retention.Config) { c.Journal = cut })
			if _, err := r.Run(w.t.Context(), retention.Actor{Who: "mette"}); err == nil {
				break
			} else if !errors.Is(err, errCut) {
				w.t.Fatal(err)
			}
			crashes++
		}
		if crashes < 2 {
			w.t.Errorf("only %d runs were cut off", crashes)
		}
		for _, k := range all {
			if got := w.stages(k); got != 3 {
				w.t.Errorf("%d stages", got)
			}
		}
		if _, err := audit.Verify(w.t.Context(), w.journal); err != nil {
			w.t.Error(err)
		}
	})
}

var errCut = fmt.Errorf("cut off: %w", gateway.ErrUnavailable)

// cutJournal fails after some updates.
type cutJournal struct {
	gateway.Journal
	left int
}

func (c *cutJournal) Update(ctx context.Context, fn func(gateway.Tx) error) error {
	if c.left == 0 {
		return errCut
	}
	c.left--
	return c.Journal.Update(ctx, fn)
}

// TestLate: a status that comes after everything was erased is erased as well.
func TestLate(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		k := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day)})
		w.run(w.runner)
		must(w.t, w.journal.Update(w.t.Context(), func(tx gateway.Tx) error {
			if _, err := tx.InsertReceipt(w.receipt(k.message, k.mark, present())); err != nil {
				return err
			}
			return w.event(tx, k.intent, k.message, k.mark)
		}))
		if w.grep(k.mark) == "" {
			w.t.Fatal("the late status is nowhere")
		}
		w.run(w.runner)
		if where := w.grep(k.mark); where != "" {
			w.t.Error("the late status is still in " + where)
		}
	})
}

// TestHolds: each kind of hold keeps what it is of, until it is released.
func TestHolds(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		k := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day)})
		other := w.post(letter{sender: "jobcenter", cpr: anton, finalAt: present().Add(-400 * day)})
		for _, h := range []gateway.LegalHold{
			{Kind: gateway.HoldIntent, Object: k.intent.ID},
			{Kind: gateway.HoldReference, Object: k.intent.Reference},
			{Kind: gateway.HoldReference, Object: k.intent.Reference, Producer: "fagsystem"},
			{Kind: gateway.HoldRecipient, Recipient: k.intent.Recipient.ID},
		} {
			id, err := w.runner.Hold(w.t.Context(), retention.Actor{Who: "mette", Reason: "retssag"}, h)
			must(w.t, err)
			report := w.run(w.runner)
			if w.stages(k) != 0 || len(report.Lines) == 0 || report.Lines[0].Held != 1 {
				w.t.Errorf("%s: %d stages, %+v", h.Kind, w.stages(k), report.Lines)
			}
			must(w.t, w.runner.Release(w.t.Context(), retention.Actor{Who: "mette", Reason: "afgjort"}, id))
			if err := w.runner.Release(w.t.Context(), retention.Actor{Who: "mette", Reason: "afgjort"}, id); !errors.Is(err, gateway.ErrNotFound) {
				w.t.Errorf("released twice: %v", err)
			}
		}
		_, err := w.runner.Hold(w.t.Context(), retention.Actor{Who: "mette", Reason: "x"},
			gateway.LegalHold{Kind: gateway.HoldReference, Object: k.intent.Reference, Producer: "another"})
		must(w.t, err)
		w.run(w.runner)
		if w.stages(k) != 3 || w.stages(other) != 1 {
			w.t.Errorf("%d and %d stages after the release", w.stages(k), w.stages(other))
		}
		if _, err := w.runner.Hold(w.t.Context(), retention.Actor{Who: "mette"}, gateway.LegalHold{Kind: gateway.HoldIntent, Object: "x"}); !errors.Is(err, retention.ErrReason) {
			w.t.Errorf("a hold without a reason: %v", err)
		}
	})
}

// TestOneAtATime: while one process erases no other does, and one whose lease was taken over erases nothing more.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		k := w.post(letter{sender: "jobcenter", cpr: nancy, finalAt: present().Add(-1200 * day)})
		var fence int64
		take := func(who string, now time.Time) error {
			return w.journal.Update(w.t.Context(), func(tx gateway.Tx) error {
				var err error
				fence, err = tx.TakeLease("retention", who, now, now.Add(time.Minute))
				return err
			})
		}
		must(w.t, take("another", present()))
		if _, err := w.runner.Run(w.t.Context(), retention.Actor{Who: "mette"}); !errors.Is(err, gateway.ErrLeased) {
			w.t.Errorf("two at a time: %v", err)
		}
		old := fence
		must(w.t, take("third", present().Add(2*time.Minute)))
		err := w.journal.Update(w.t.Context(), func(tx gateway.Tx) error {
			if err := tx.HoldLease("retention", old); err != nil {
				return err
			}
			return tx.EraseIntent(k.intent.ID, gateway.EraseDocuments, present(), present())
		})
		if !errors.Is(err, gateway.ErrLeased) || fence <= old || w.stages(k) != 0 {
			w.t.Errorf("%v, %d after %d", err, fence, old)
		}
	})
}

// TestPolicyCheck names what is wrong.
func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	for _, p := range []retention.Periods{
		{Documents: -day}, {Content: day}, {Documents: 2 * day, Content: day}, {Documents: day, Identifiers: day},
	} {
		if err := p.Check(); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
	for _, p := range []retention.Periods{{}, {Documents: day}, {Documents: day, Content: day, Identifiers: day}} {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}
