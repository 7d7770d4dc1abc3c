package callback

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

// BenchmarkDeliver tells a receiver on this machine, over TLS, what happened in 64 lanes, with 64 calls at a time.
func BenchmarkDeliver(b *testing.B) {
	const lanes = 64
	k := newClock()
	s := newSite(b, k, func(w http.ResponseWriter, _ *http.Request, _ call) { w.WriteHeader(http.StatusNoContent) })
	s.came = make(chan call, b.N)
	r := receiverOf(b, s)
	r.Concurrency = lanes
	h := setup(b, k, r)
	messages := h.intents(b, producer, 1, lanes)
	for left := b.N; left > 0; left -= lanes {
		h.happen(b, producer, messages[:min(left, lanes)]...)
	}
	b.ResetTimer()
	began := time.Now()
	for h.stats(b, producer).Pending > 0 {
		var wg sync.WaitGroup
		for _, m := range messages {
			wg.Go(func() { h.deliver(b, m) })
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "callbacks/s")
}
