package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// TestBackupUnderLoad backs up a gateway that is at work, takes its data away, restores and starts it. What was accepted
// before the backup began is there and is delivered, every letter under the one identity it has always had.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	ctx, w := setup(t, 5*time.Minute, harness.Options{DigitalPost: map[string]any{"rate": "40/s", "unknown_wait": "10s"}})
	g := w.Gateway
	l := &load{w: w, ids: map[string]string{}}
	stop := l.start(ctx)
	defer stop()
	await := func(n int) map[string]string {
		t.Helper()
		var known map[string]string
		err := harness.Poll(ctx, 20*time.Millisecond, func() (bool, error) {
			known = l.known()
			return len(known) >= n, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return known
	}
	before := await(150)
	dir := filepath.Join(t.TempDir(), "backup")
	began := time.Now()
	out, err := harness.Run(ctx, binary, g.Dir, "backup", dir, "--config", g.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, " 0 documents") {
		t.Error("no document was backed up")
	}
	t.Logf("%s within %s, with %d intents accepted before and %d after", out, time.Since(began), len(before), len(l.known()))
	await(len(l.known()) + 50)
	stop()

	g.Kill()
	for _, name := range []string{"brevdue.db", "brevdue.db-wal", "brevdue.db-shm", "documents"} {
		if err := os.RemoveAll(filepath.Join(g.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Redis.FlushAll(ctx); err != nil { // a disaster takes the queue, too
		t.Fatal(err)
	}
	if out, err = harness.Run(ctx, binary, g.Dir, "restore", dir, "--config", g.ConfigFile); err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	if err := w.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	identities, silent := map[string]string{}, 0
	for reference, id := range before {
		// A letter whose status came after the backup and was lost with the data is at the far end, which says so when it is
		// sent again; its status does not come twice.
		v, err := g.Await(ctx, id, "delivered", "submitted")
		if err != nil {
			t.Fatal(err)
		}
		if v.Status == "submitted" {
			silent++
		}
		if v.Reference != reference {
			t.Errorf("%s is %s now, and was %s", id, v.Reference, reference)
		}
		identities[v.Messages[0].ID] = v.Messages[0].MessageUUID
	}
	if silent == len(before) {
		t.Error("no letter was delivered")
	}
	t.Logf("%d of %d letters wait for a status", silent, len(before))
	l.judge(ctx, t, identities)
}

// load posts intents until it is stopped.
type load struct {
	w *harness.World

	mu  sync.Mutex
	ids map[string]string // by reference
}

func (l *load) known() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.ids)
}

func (l *load) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for c := range 4 {
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				reference := fmt.Sprintf("sag-%d-%d", c, n)
				letter := harness.Letter(reference, "2512489996")
				// Large enough to be a file, and one of its own.
				letter.Content.Documents[0].Content.Bytes = append(harness.PDF(100<<10), "% "+reference...)
				answer, err := l.w.Gateway.Client.PostIntent(ctx, letter)
				if err != nil {
					continue // it was stopped, or will be told by the count
				}
				l.mu.Lock()
				l.ids[reference] = answer.ID
				l.mu.Unlock()
			}
		})
	}
	return func() { cancel(); clients.Wait() }
}

// judge asks the far end: nothing has two identities, and every letter of the backup came under its own.
func (l *load) judge(ctx context.Context, t *testing.T, identities map[string]string) {
	t.Helper()
	stats, err := l.w.Sim.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	letters, err := l.w.Sim.Messages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stats.TwoIdentities != 0 {
		t.Errorf("%d letters have two identities at the far end", stats.TwoIdentities)
	}
	found := 0
	for _, m := range letters {
		if uuid, ok := identities[m.MessageID]; ok {
			found++
			if uuid != m.MessageUUID {
				t.Errorf("message %s arrived as %s, and is %s", m.MessageID, m.MessageUUID, uuid)
			}
		}
	}
	if found != len(identities) {
		t.Errorf("%d of %d letters are at the far end", found, len(identities))
	}
	t.Logf("%d letters of the backup delivered; %d calls brought a letter that the far end had; %d letters there in all",
		found, stats.Duplicates, stats.Letters)
}
