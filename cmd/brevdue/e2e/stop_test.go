package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the journal's driver

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// TestGracefulStop stops serve with SIGTERM while it takes and sends letters: it ends by itself with exit code 0, leaves no
// attempt open, and what it had accepted is delivered after the next start.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	ctx, w := setup(t, 3*time.Minute, harness.Options{})
	// A far end that takes its time keeps letters on their way.
	if err := w.Sim.SetFaults(ctx, map[string]any{"latency": "200ms"}); err != nil {
		t.Fatal(err)
	}
	accepted, posting := make(chan string, intents), make(chan struct{})
	go func() {
		defer close(posting)
		for n := range intents {
			answer, err := w.Gateway.Client.PostIntent(ctx, harness.Letter(fmt.Sprintf("stop-%d", n), "2512489996"))
			if err != nil {
				return // it stops listening first
			}
			accepted <- answer.ID
		}
	}()
	err := harness.Poll(ctx, 10*time.Millisecond, func() (bool, error) {
		stats, err := w.Sim.Stats(ctx)
		return stats.Letters >= 40 && len(accepted) > 60, err
	})
	if err != nil {
		t.Fatal(err)
	}
	patience, cancel := context.WithTimeout(ctx, 45*time.Second) // 10 s of listeners, 30 s of letters
	defer cancel()
	began := time.Now()
	if code, err := w.Gateway.Terminate(patience); err != nil || code != 0 {
		t.Fatalf("exit code %d, error %v; want 0", code, err)
	}
	t.Logf("stopped in %s with %d accepted", time.Since(began).Round(10*time.Millisecond), len(accepted))
	<-posting
	close(accepted)
	if open := openAttempts(ctx, t, w); open != 0 {
		t.Errorf("%d attempts were left open", open)
	}
	before := len(w.Gateway.Log())
	if err := w.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Sim.SetFaults(ctx, map[string]any{"latency": "-1ns"}); err != nil {
		t.Fatal(err)
	}
	for id := range accepted {
		v, err := w.Gateway.Await(ctx, id, "delivered")
		if err != nil {
			t.Fatal(err)
		}
		if n := v.Messages[0].Attempts; n != 1 {
			t.Errorf("%s took %d attempts, want 1", id, n)
		}
	}
	if log := w.Gateway.Log()[before:]; strings.Contains(log, "dead worker") {
		t.Errorf("after the restart attempts were taken over:\n%s", log)
	}
}

// openAttempts counts in the journal of a gateway that does not run.
func openAttempts(ctx context.Context, t *testing.T, w *harness.World) int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Gateway.Dir, "brevdue.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var booked, open int
	query := `SELECT count(*), count(*) - count(ended_at) FROM attempts`
	if err := db.QueryRowContext(ctx, query).Scan(&booked, &open); err != nil {
		t.Fatal(err)
	}
	if booked == 0 {
		t.Error("no attempt was booked: nothing was tested")
	}
	return open
}
