package sf1601test_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// A sender that keeps each letter's identity loses none and doubles none,
// whatever the far end does to its calls: the books of the far end say so.
func TestStorm(t *testing.T) {
	t.Parallel()
	f := quick()
	f.Rate503, f.Rate401, f.RateCutBefore, f.RateCutAfter, f.RatePushTwice = 0.1, 0.1, 0.1, 0.1, 0.2
	srv, p, g := town(t, sf1601test.Config{Faults: f, Seed: 1, PushBackoffMin: time.Millisecond, PushBackoffMax: 10 * time.Millisecond})
	p.token(sf1601test.EntityKombiPostAfsend)
	g.mu.Lock()
	g.failing = 20
	g.mu.Unlock()
	const senders, letters = 8, 25
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range letters {
				body := letter{id: fmt.Sprintf("ref-%d-%d", s, i), recipient: "2512489996"}.String()
				for try := 0; ; try++ {
					req := p.kombi(body)
					req.GetBody = nil
					if a, err := p.do(req); err == nil && a.status == http.StatusOK {
						break
					}
					if try > 100 {
						t.Error("never accepted")
						return
					}
				}
			}
		})
	}
	wg.Wait()
	const n = senders * letters
	if err := srv.WaitFor(deadline(t), func(st sf1601test.Stats) bool {
		sum := int64(0)
		for _, c := range st.Outcomes {
			sum += c
		}
		return st.Settled == n && sum == st.Requests["kombi"]
	}); err != nil {
		t.Fatal(err, srv.Stats())
	}
	st := srv.Stats()
	if st.Letters != n || st.TwoIdentities != 0 || st.Duplicates == 0 || st.Pushes.Pending != 0 || st.Pushes.Retried != 20 || st.Invalid != 0 ||
		st.Outcomes[sf1601test.OutcomeAccepted]+st.Outcomes[sf1601test.OutcomeCutAfter] < n {
		t.Errorf("stats %+v", st)
	}
	final := map[string]string{} // the last kind told, by messageUUID
	once := map[string]bool{}
	for _, b := range g.statuses() {
		k, _ := b.Kind()
		final[b.Status.MessageUUID] = string(k)
		once[b.ID] = true
	}
	if len(final) != n || len(once) != 2*n {
		t.Errorf("%d letters under %d BeskedIds, want %d under %d", len(final), len(once), n, 2*n)
	}
	for uuid, k := range final {
		if k != "afleveret" {
			t.Errorf("%s ends as %s", uuid, k)
		}
	}
}
