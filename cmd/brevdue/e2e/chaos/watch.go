package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// hearing is what the callback receiver was told.
type hearing struct {
	mu      sync.Mutex
	ids     map[string]bool    // webhook-ids
	order   map[string][]int64 // Seq of the events as they were first heard, by lane
	heard   map[int64]bool
	again   int
	unclear int
}

func newHearing() *hearing {
	return &hearing{ids: map[string]bool{}, order: map[string][]int64{}, heard: map[int64]bool{}}
}

func (h *hearing) take(c harness.Call) {
	var envelope struct {
		Data httpapi.FeedEvent `json:"data"`
	}
	err := json.Unmarshal(c.Body, &envelope)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := envelope.Data; {
	case err != nil || e.Seq == 0 || c.ID == "":
		h.unclear++
	case h.ids[c.ID]:
		h.again++
	default:
		h.ids[c.ID], h.heard[e.Seq] = true, true
		h.order[lane(&e)] = append(h.order[lane(&e)], e.Seq)
	}
}

// lane is what the order of events is kept within.
func lane(e *httpapi.FeedEvent) string {
	if e.Message != "" {
		return e.Message
	}
	return e.Intent
}

// sight is what was known of a letter at the far end at some time.
type sight struct {
	at       time.Time
	attempts int
	accepted bool
}

// watcher looks at the far end and at the feed of events while the run goes on.
type watcher struct {
	place *place

	mu     sync.Mutex
	sights map[int64][]sight // by Seq of the far end; a new one when something changed
	looks  []time.Time
	feed   []httpapi.FeedEvent
	cursor int64
	errs   []error
}

func (w *watcher) run(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() {
		_ = harness.Poll(ctx, 500*time.Millisecond, func() (bool, error) { w.look(ctx); return false, nil })
	})
	group.Go(func() {
		turn := 0
		_ = harness.Poll(ctx, 100*time.Millisecond, func() (bool, error) { turn++; w.read(ctx, turn); return false, nil })
	})
	group.Wait()
}

// look notes what changed at the far end. A far end that is paused answers later.
func (w *watcher) look(ctx context.Context) {
	began := time.Now()
	list, err := w.place.sim.Messages(ctx)
	if err != nil {
		return
	}
	w.see(began, list)
}

func (w *watcher) see(began time.Time, list []sf1601test.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks = append(w.looks, began)
	for n := range list {
		m := &list[n]
		seen := w.sights[m.Seq]
		if len(seen) > 0 && seen[len(seen)-1].attempts == m.Attempts && seen[len(seen)-1].accepted == m.Accepted {
			continue
		}
		w.sights[m.Seq] = append(seen, sight{began, m.Attempts, m.Accepted})
	}
}

// read reads the feed on, as a producer that polls does.
func (w *watcher) read(ctx context.Context, turn int) {
	for {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		page, err := w.place.client(turn).Events(attempt, w.cursor, 500)
		cancel()
		if err != nil || len(page.Events) == 0 {
			return
		}
		w.mu.Lock()
		for _, e := range page.Events {
			if n := len(w.feed); n > 0 && e.Seq <= w.feed[n-1].Seq {
				w.errs = append(w.errs, violated("event %d came after event %d", e.Seq, w.feed[n-1].Seq))
			}
			w.feed = append(w.feed, e)
		}
		w.cursor = page.Next
		w.mu.Unlock()
	}
}
