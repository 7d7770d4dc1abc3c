package audit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/audit"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

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

// each runs a test with the url of an empty journal on every engine.
func each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "journal.db"))
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
		test(t, url)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, url string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), url, journal.Options{Migrate: true})
	must(t, err)
	t.Cleanup(func() { must(t, j.Close()) })
	return j
}

func trail(t testing.TB, j gateway.Journal, from string) *audit.Trail {
	t.Helper()
	tr, err := audit.New(audit.Config{
		Journal: j, Now: func() time.Time { return time.Date(2026, 5, 1, 9, 0, 0, 123456789, time.UTC) },
		Salt: func() []byte { return []byte(rand.Text()) }, From: from,
	})
	must(t, err)
	return tr
}

func entry(n int) *gateway.AuditEntry {
	return &gateway.AuditEntry{
		Who: "mette", How: "session", Action: "message.close", Object: fmt.Sprintf("msg_%d", n), Reason: fmt.Sprintf("årsag %d", n),
	}
}

// TestTamper: whatever one does to the rows, behind the back of the triggers, is found at the right place.
func TestTamper(t *testing.T) {
	t.Parallel()
	const count = 9
	hash := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		do   []string
		at   int64
		kept bool // found with a kept head only
	}{
		"who changed":      {[]string{"UPDATE audit SET who = 'anton' WHERE seq = 4"}, 4, false},
		"how changed":      {[]string{"UPDATE audit SET how = 'token' WHERE seq = 4"}, 4, false},
		"what changed":     {[]string{"UPDATE audit SET action = 'x' WHERE seq = 1"}, 1, false},
		"object changed":   {[]string{"UPDATE audit SET object = 'msg_7' WHERE seq = 9"}, 9, false},
		"process changed":  {[]string{"UPDATE audit SET origin = '' WHERE seq = 4"}, 4, false},
		"border moved":     {[]string{"UPDATE audit SET how = 'sessio', action = 'nmessage.close' WHERE seq = 4"}, 4, false},
		"time changed":     {[]string{"UPDATE audit SET at = (SELECT at FROM audit WHERE seq = 10) WHERE seq = 4"}, 4, false},
		"digest changed":   {[]string{"UPDATE audit SET reason_digest = $HASH WHERE seq = 4"}, 4, false},
		"previous changed": {[]string{"UPDATE audit SET previous = $HASH WHERE seq = 4"}, 4, false},
		"hash changed":     {[]string{"UPDATE audit SET hash = $HASH WHERE seq = 4"}, 4, false},
		"reason changed":   {[]string{"UPDATE audit_reasons SET reason = 'en anden' WHERE seq = 4"}, 4, false},
		"salt changed":     {[]string{"UPDATE audit_reasons SET salt = $HASH WHERE seq = 4"}, 4, false},
		"one deleted":      {[]string{"DELETE FROM audit_reasons WHERE seq = 5", "DELETE FROM audit WHERE seq = 5"}, 5, false},
		"first deleted":    {[]string{"DELETE FROM audit_reasons WHERE seq = 1", "DELETE FROM audit WHERE seq = 1"}, 1, false},
		"one put in": {[]string{`INSERT INTO audit SELECT 11, at, who, how, action, object, origin, reason_digest, $HASH, hash
			FROM audit WHERE seq = 10`}, 11, false},
		"two swapped": {[]string{
			"UPDATE audit SET object = 'other' WHERE seq = 4", "UPDATE audit SET object = 'msg_4' WHERE seq = 5",
			"UPDATE audit SET object = 'msg_5' WHERE seq = 4",
		}, 4, false},
		"end cut off": {[]string{"DELETE FROM audit_reasons WHERE seq > 8", "DELETE FROM audit WHERE seq > 8"}, 9, true},
		"all deleted": {[]string{"DELETE FROM audit_reasons", "DELETE FROM audit"}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, url string) {
				j := open(t, url)
				tr := trail(t, j, "test")
				for n := range count {
					must(t, tr.Write(t.Context(), entry(n)))
				}
				last := entry(count)
				last.At = time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)
				must(t, tr.Write(t.Context(), last))
				head, err := audit.Verify(t.Context(), j)
				must(t, err)
				if head.Seq != count+1 || head.Hash != last.Hash {
					t.Fatalf("head %+v", head)
				}
				tamper(t, url, hash, c.do)
				_, err = audit.Verify(t.Context(), j)
				if c.kept {
					must(t, err)
					_, err = audit.Verify(t.Context(), j, head)
				}
				broken, is := errors.AsType[*gateway.AuditBreak](err)
				if !is || broken.Seq != c.at || !errors.Is(err, gateway.ErrAuditBroken) {
					t.Errorf("%v at %+v, want %d", err, broken, c.at)
				}
			})
		})
	}
}

// tamper runs statements without the triggers that forbid them.
func tamper(t *testing.T, url, hash string, statements []string) {
	t.Helper()
	db := raw(t, url)
	lite := strings.HasPrefix(url, "sqlite:")
	off := []string{"ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit_reasons DISABLE TRIGGER USER"}
	value := `'\x` + hash + `'`
	if lite {
		off = nil
		for _, name := range []string{"audit_next", "audit_fixed", "audit_kept", "audit_reasons_fixed", "audit_reasons_kept"} {
			off = append(off, "DROP TRIGGER "+name)
		}
		value = "x'" + hash + "'"
	}
	for _, s := range append(off, statements...) {
		if _, err := db.ExecContext(t.Context(), strings.ReplaceAll(s, "$HASH", value)); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, name := "sqlite", strings.TrimPrefix(url, "sqlite:")
	if name == url {
		driver = "pgx"
		_ = stdlib.GetDefaultDriver() // registers it
	}
	db, err := sql.Open(driver, name)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestFixed: the journal's own triggers refuse what the chain would tell.
func TestFixed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		j := open(t, url)
		must(t, trail(t, j, "test").Write(t.Context(), entry(1)))
		db := raw(t, url)
		for _, s := range []string{
			"UPDATE audit SET who = 'anton'", "DELETE FROM audit", "UPDATE audit_reasons SET reason = 'x'", "DELETE FROM audit_reasons",
			"INSERT INTO audit SELECT 7, at, who, how, action, object, origin, reason_digest, hash, hash FROM audit",
			"INSERT INTO audit SELECT 2, at, who, how, action, object, origin, hash, reason_digest, hash FROM audit",
		} {
			if _, err := db.ExecContext(t.Context(), s); err == nil {
				t.Errorf("done: %s", s)
			}
		}
		if _, err := audit.Verify(t.Context(), j); err != nil {
			t.Error(err)
		}
		nothing := "''"
		if strings.HasPrefix(url, "sqlite:") {
			nothing = "x''"
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE audit_reasons SET reason = '', salt = "+nothing); err != nil {
			t.Errorf("a reason cannot be erased: %v", err)
		}
		if _, err := audit.Verify(t.Context(), j); err != nil {
			t.Errorf("an erased reason breaks the chain: %v", err)
		}
	})
}

// TestOneChain: many processes append at once, some of them fail, and there is one chain with everything in it.
func TestOneChain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		const processes, writers, entries = 10, 3, 5
		var wait sync.WaitGroup
		for p := range processes {
			j := open(t, url)
			tr := trail(t, j, fmt.Sprintf("process %d", p))
			for range writers {
				wait.Go(func() {
					for n := range entries {
						if err := tr.Write(t.Context(), entry(n)); err != nil {
							t.Error(err)
						}
						failed := errors.New("undone")
						err := j.Update(t.Context(), func(tx gateway.Tx) error {
							if err := tr.In(tx, entry(n)); err != nil {
								return err
							}
							return failed
						})
						if !errors.Is(err, failed) {
							t.Errorf("%v, want that it is undone", err)
						}
					}
				})
			}
		}
		wait.Wait()
		head, err := audit.Verify(t.Context(), open(t, url))
		if err != nil || head.Seq != processes*writers*entries {
			t.Errorf("%d entries, %v", head.Seq, err)
		}
	})
}

// TestExport: an export verifies by itself, and one that was changed does not.
func TestExport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		j := open(t, url)
		tr := trail(t, j, "test")
		for n := range 5 {
			must(t, tr.Write(t.Context(), entry(n)))
		}
		for _, reasons := range []bool{false, true} {
			var out bytes.Buffer
			head, err := audit.Export(t.Context(), j, &out, reasons)
			must(t, err)
			if strings.Contains(out.String(), "årsag") != reasons {
				t.Errorf("reasons %v: %s", reasons, out.String())
			}
			again, err := audit.ReadExport(bytes.NewReader(out.Bytes()), head)
			if err != nil || again != head {
				t.Errorf("read again: %v", err)
			}
			lines := strings.SplitAfter(out.String(), "\n")
			for name, text := range map[string]string{
				"changed":     strings.Replace(out.String(), "msg_3", "msg_4", 1),
				"one missing": lines[0] + strings.Join(lines[2:], ""),
				"end missing": strings.Join(lines[:len(lines)-2], ""),
				"cut":         strings.Join(lines[:3], "") + lines[5],
				"more":        out.String() + lines[0],
				"unknown key": strings.Replace(out.String(), `"who"`, `"whom"`, 1),
				"not hex":     strings.Replace(out.String(), `"hash":"`, `"hash":"zz`, 1),
				"empty":       "",
			} {
				if _, err := audit.ReadExport(strings.NewReader(text)); err == nil {
					t.Errorf("%s: it is taken", name)
				}
			}
		}
	})
}

// TestHead: what is printed is read again, and nothing else is.
func TestHead(t *testing.T) {
	t.Parallel()
	h := gateway.AuditHead{Seq: 7, Hash: [32]byte{1, 2}}
	if got, err := audit.ParseHead(audit.FormatHead(h)); err != nil || got != h {
		t.Error(got, err)
	}
	for _, s := range []string{"", "7", "7:", ":ab", "x:" + strings.Repeat("0", 64), "-1:" + strings.Repeat("0", 64), "7:" + strings.Repeat("0", 63)} {
		if _, err := audit.ParseHead(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

// TestBadEntry: an entry without who or what is refused; texts that no database keeps are made such that all do.
func TestBadEntry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		j := open(t, url)
		tr := trail(t, j, "test")
		for _, e := range []*gateway.AuditEntry{{Who: "mette"}, {Action: "x"}} {
			if err := tr.Write(t.Context(), e); err == nil {
				t.Errorf("%+v is taken", e)
			}
		}
		must(t, tr.Write(t.Context(), &gateway.AuditEntry{
			Who: "a\x00b\xff", Action: strings.Repeat("æ", 500), Object: "o", Reason: "\xc3\x28\x00",
		}))
		if _, err := audit.Verify(t.Context(), j); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReadExport(f *testing.F) {
	f.Add([]byte(`{"seq":0,"hash":"` + strings.Repeat("0", 64) + `","head":true}` + "\n"))
	f.Add([]byte(`{"seq":1,"at":"2026-05-01T09:00:00.000000Z"}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = audit.ReadExport(bytes.NewReader(b)) })
}

func BenchmarkWrite(b *testing.B) {
	j := open(b, "sqlite:"+filepath.Join(b.TempDir(), "journal.db"))
	tr := trail(b, j, "test")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := tr.Write(context.Background(), entry(1)); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	j := open(b, "sqlite:"+filepath.Join(b.TempDir(), "journal.db"))
	tr := trail(b, j, "test")
	const count = 2000
	must(b, j.Update(b.Context(), func(tx gateway.Tx) error {
		for n := range count {
			if err := tr.In(tx, entry(n)); err != nil {
				return err
			}
		}
		return nil
	}))
	for b.Loop() {
		if _, err := audit.Verify(b.Context(), j); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
