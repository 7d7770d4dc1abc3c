package journaltest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

var errRefused = errors.New("refused by the caller")

func updateAtomic(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error {
		if err := insert(tx, i, m); err != nil {
			return err
		}
		return errRefused
	}), errRefused)
	_, err := j.Intent(t.Context(), i.ID)
	isErr(t, err, gateway.ErrNotFound)
	events, err := j.Events(t.Context(), "", 0, 10)
	must(t, err)
	same(t, "the feed", len(events), 0)
	accept(t, j, i, m)
	_, err = j.Intent(t.Context(), i.ID)
	must(t, err)

	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error {
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
		return errRefused
	}), errRefused)
	if m.Version != 0 {
		t.Errorf("version %d after an undone change", m.Version)
	}
	must(t, save(t, j, m))
}

func updatePanic(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	for name, value := range map[string]any{"text": "2512489996", "error": errRefused} {
		err := j.Update(t.Context(), func(tx gateway.Tx) error {
			if err := insert(tx, i, m); err != nil {
				return err
			}
			panic(value)
		})
		if err == nil || !strings.Contains(err.Error(), "panic") || strings.Contains(err.Error(), "2512489996") {
			t.Errorf("a panic with a %s gave %v", name, err)
		}
	}
	err := j.Update(t.Context(), func(gateway.Tx) error {
		_ = i.Routes[len(i.ID)] // a mistake that the runtime finds
		return nil
	})
	if err == nil {
		t.Error("a runtime error gave no error")
	}
	err = j.Update(t.Context(), func(tx gateway.Tx) error {
		if err := insert(tx, i, m); err != nil {
			return err
		}
		runtime.Goexit() // what a test's FailNow does
		return nil
	})
	if err == nil {
		t.Error("an update that ended its goroutine gave no error")
	}
	_, err = j.Intent(t.Context(), i.ID)
	isErr(t, err, gateway.ErrNotFound)
	accept(t, j, i, m) // the journal lives on
}

// updateCancelled fills the writer with an update that waits and cancels the one behind it.
func updateCancelled(t *testing.T, j gateway.Journal) {
	running, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- j.Update(t.Context(), func(gateway.Tx) error {
			close(running)
			<-release
			return nil
		})
	}()
	<-running

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	i, m := Sample(1)
	var ran atomic.Bool
	err := j.Update(ctx, func(tx gateway.Tx) error {
		ran.Store(true)
		return insert(tx, i, m)
	})
	isErr(t, err, context.Canceled)

	waiting, stop := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- j.Update(waiting, func(tx gateway.Tx) error {
			ran.Store(true)
			return insert(tx, i, m)
		})
	}()
	stop()
	late := <-second
	if late != nil { // a journal that runs updates side by side may have been faster
		isErr(t, late, context.Canceled)
	}

	close(release)
	must(t, <-first)
	must(t, j.Update(t.Context(), func(gateway.Tx) error { return nil }))
	if ran.Load() != (late == nil) {
		t.Error("a cancelled update ran, or another did not")
	}
}

func updateError(t *testing.T, j gateway.Journal) {
	type special struct{ error }
	want := special{errRefused}
	err := j.Update(t.Context(), func(gateway.Tx) error { return want })
	if err != error(want) { //nolint:errorlint // it must be the very same
		t.Errorf("the error came back as %v", err)
	}
}

func updateTxEnds(t *testing.T, j gateway.Journal) {
	var kept gateway.Tx
	update(t, j, func(tx gateway.Tx) error { kept = tx; return nil })
	i, _ := Sample(1)
	if _, err := kept.InsertIntent(i); err == nil {
		t.Error("a transaction took a write after its end")
	}
	if _, err := kept.Message("msg_1"); err == nil || errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("a transaction answered after its end: %v", err)
	}
}

func updateReadsItself(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	update(t, j, func(tx gateway.Tx) error {
		if err := insert(tx, i, m); err != nil {
			return err
		}
		got, err := tx.Message(m.ID)
		if err != nil {
			return err
		}
		same(t, "the message", got, m)
		_, err = j.Intent(t.Context(), i.ID) // a reader beside it sees committed data only
		isErr(t, err, gateway.ErrNotFound)
		return nil
	})
	same(t, "the messages", messagesOf(t, j, i.ID), []gateway.Message{*m})
}

// updateConcurrent lets 64 callers write at once while every third fails in one of several ways. None touches another.
func updateConcurrent(t *testing.T, j gateway.Journal) {
	const callers, each = 64, 12
	shared, counter := Sample(1_000_000)
	accept(t, j, shared, counter)
	var saved atomic.Int64
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for k := range each {
				n := c*each + k
				how := failure(n)
				err := j.Update(t.Context(), func(tx gateway.Tx) error { return work(tx, n, how, counter.ID) })
				switch {
				case how == "" && err != nil:
					t.Errorf("update %d: %v", n, err)
				case how != "" && err == nil:
					t.Errorf("update %d did not fail by %s", n, how)
				case how == "":
					saved.Add(1)
				}
			}
		})
	}
	group.Wait()
	for n := range callers * each {
		i, m := Sample(n)
		view, err := j.IntentView(t.Context(), "", i.ID)
		if failure(n) != "" {
			isErr(t, err, gateway.ErrNotFound)
			continue
		}
		must(t, err)
		m.Version = 1
		same(t, fmt.Sprintf("intent %d", n), view.Messages, []gateway.Message{*m})
	}
	if got := message(t, j, counter.ID); int64(got.Attempts) != saved.Load() || got.Version != saved.Load() {
		t.Errorf("counted %d in version %d, want %d", got.Attempts, got.Version, saved.Load())
	}
}

// failure says how update n fails, "" for not at all.
func failure(n int) string {
	return map[int]string{3: "error", 6: "panic", 9: "constraint", 12: "nothing written"}[n%15]
}

// work stores intent n, changes its message once, counts in a shared message, and fails as told.
func work(tx gateway.Tx, n int, how, counterID string) error {
	if how == "nothing written" {
		return errRefused
	}
	i, m := Sample(n)
	if err := insert(tx, i, m); err != nil {
		return err
	}
	if err := tx.SaveMessage(m); err != nil {
		return err
	}
	counter, err := tx.Message(counterID)
	if err != nil {
		return err
	}
	counter.Attempts++
	if err := tx.SaveMessage(counter); err != nil {
		return err
	}
	switch how {
	case "error":
		return errRefused
	case "panic":
		panic(how)
	case "constraint":
		return tx.InsertMessage(m)
	}
	return nil
}
