package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

// The test binary runs itself again with these set: as a writer that is killed.
const (
	childURL  = "BREVDUE_TEST_JOURNAL"
	childFrom = "BREVDUE_TEST_FROM"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := writeUntilKilled(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if started.Load() {
		if err := shared().server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// writeUntilKilled accepts intents from many callers and prints the number of each one that was acknowledged.
func writeUntilKilled(url string) error {
	from, err := strconv.Atoi(os.Getenv(childFrom))
	if err != nil {
		return err
	}
	ctx := context.Background()
	j, err := journal.Open(ctx, url, journal.Options{})
	if err != nil {
		return err
	}
	const callers = 16
	failed := make(chan error, callers)
	for c := range callers {
		go func() {
			for n := from + c; ; n += callers {
				i, m := journaltest.Sample(n)
				err := j.Update(ctx, func(tx gateway.Tx) error {
					if _, err := tx.InsertIntent(i); err != nil {
						return err
					}
					if err := tx.InsertMessage(m); err != nil {
						return err
					}
					return tx.InsertEvent(&gateway.Event{At: i.CreatedAt, IntentID: i.ID, MessageID: m.ID})
				})
				if err == nil {
					_, err = fmt.Fprintln(os.Stdout, n) // one write to the pipe, whole or not at all
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// TestKill kills a writing process at random moments. Every update that was acknowledged is there, whole, and none is
// there in part.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "journal.db")
	if _, err := journal.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[int]bool{}
	for round := range 5 {
		for _, n := range killAfter(t, url, round*1_000_000, 50+rand.IntN(600)) {
			acknowledged[n] = true
		}
		check(t, url, acknowledged)
	}
}

// killAfter starts a writer, kills it after so many acknowledgements, and returns all that it gave.
func killAfter(t *testing.T, url string, from, acknowledgements int) []int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childURL+"="+url, childFrom+"="+strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got []int
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
		if len(got) == acknowledgements {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL; what is in the pipe is read on
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the writer was not killed: %v", err)
	}
	if len(got) < acknowledgements {
		t.Fatalf("the writer ended after %d acknowledgements", len(got))
	}
	return got
}

// check opens the journal as it was left and looks for every acknowledged intent.
func check(t *testing.T, url string, acknowledged map[int]bool) {
	t.Helper()
	j, err := journal.Open(t.Context(), url, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	stored := map[string]bool{}
	for after := ""; ; {
		page, err := j.Intents(t.Context(), gateway.IntentFilter{After: after, Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, i := range page {
			if len(i.Messages) != 1 {
				t.Errorf("intent %s has %d messages", i.ID, len(i.Messages))
			}
			stored[i.ID] = true
			after = i.ID
		}
	}
	for n := range acknowledged {
		if i, _ := journaltest.Sample(n); !stored[i.ID] {
			t.Errorf("intent %s was acknowledged and is gone", i.ID)
		}
	}
	events, err := j.Events(t.Context(), "", 0, len(stored)+100)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != len(stored) {
		t.Errorf("%d events for %d intents", len(events), len(stored))
	}
}
