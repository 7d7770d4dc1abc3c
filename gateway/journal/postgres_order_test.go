package journal

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// TestPostgresEventsOfAMessageInOrder has two processes write events of one message, one after the other. The second is in a
// transaction that took the number of another event before the first had written its own: a number that was taken then would
// put the later event before the earlier one, in the feed and at the receiver of callbacks.
func TestPostgresEventsOfAMessageInOrder(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(t.Context())
	if errors.Is(err, pgtest.ErrMissing) {
		pgtest.Missing(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	url, err := server.Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var both [2]*Journal
	still := func() time.Time { return time.Unix(1, 0) } // so that nothing ends a group but the want of updates
	for n := range both {
		if both[n], err = Open(t.Context(), url, Options{Create: true, Migrate: true, Writers: 1, Now: still}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = both[n].Close() })
	}
	var messages [2]*gateway.Message
	for n := range messages {
		i, m := journaltest.Sample(n)
		messages[n] = m
		err := both[0].Update(t.Context(), func(tx gateway.Tx) error {
			_, err := tx.InsertIntent(i)
			return errors.Join(err, tx.InsertMessage(m))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	event := func(tx gateway.Tx, m *gateway.Message) (int64, error) {
		stored, err := tx.Message(m.ID)
		if err != nil {
			return 0, err
		}
		e := &gateway.Event{At: stored.CreatedAt, IntentID: m.IntentID, MessageID: m.ID, Status: gateway.Queued}
		err = tx.InsertEvent(e)
		return e.Seq, err
	}

	var before, after int64
	var once sync.Once
	updates := []func(tx gateway.Tx) error{
		func(tx gateway.Tx) error { // takes numbers
			if _, err := event(tx, messages[0]); err != nil {
				return err
			}
			var err error
			once.Do(func() { // the other process meanwhile
				err = both[1].Update(context.Background(), func(tx gateway.Tx) error {
					var err error
					before, err = event(tx, messages[1])
					return err
				})
			})
			return err
		},
		func(tx gateway.Tx) error {
			var err error
			after, err = event(tx, messages[1])
			return err
		},
	}
	together(t, both[0], updates)
	if before == 0 || after <= before {
		t.Errorf("the first event of the message has number %d, the second %d", before, after)
	}
}

// together has updates run in one transaction: they wait while the writer is held.
func together(t *testing.T, j *Journal, updates []func(gateway.Tx) error) {
	t.Helper()
	running, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	update := func(fn func(gateway.Tx) error) {
		group.Go(func() {
			if err := j.Update(context.Background(), fn); err != nil {
				t.Error(err)
			}
		})
	}
	var once sync.Once
	update(func(gateway.Tx) error {
		once.Do(func() { close(running); <-release })
		return nil
	})
	<-running
	for n, fn := range updates {
		update(fn)
		for len(j.line.requests) <= n { // no signal tells that a request lies in the line
			if t.Context().Err() != nil {
				t.Fatal("the requests never came")
			}
			runtime.Gosched()
		}
	}
	close(release)
	group.Wait()
}
