package signature_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brevdue/brevdue/sf1601/signature"
)

// shelf is a durable store in memory.
type shelf struct {
	mu   sync.Mutex
	kept []signature.Manifest
	err  error
	hold chan struct{} // Keep waits for it when set
}

func (s *shelf) keep(ctx context.Context, m signature.Manifest) error {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.kept = append(s.kept, m)
	return nil
}

func (s *shelf) manifests() []signature.Manifest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]signature.Manifest(nil), s.kept...)
}

func newBatcher(t testing.TB, s *shelf, change ...func(*signature.BatcherConfig)) *signature.Batcher {
	t.Helper()
	cfg := signature.BatcherConfig{Certificate: keyOnce(), Keep: s.keep, NewUUID: newUUID, Now: fixedNow}
	for _, f := range change {
		f(&cfg)
	}
	b, err := signature.NewBatcher(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(n int) signature.Entry {
	return signature.Entry{Reference: "letter-" + strconv.Itoa(n), Digest: sha256.Sum256([]byte{byte(n), byte(n >> 8)})}
}

// signMany signs entries from..to-1 at the same time and checks each answer.
func signMany(t *testing.T, b *signature.Batcher, from, to int) *sync.WaitGroup {
	t.Helper()
	var wg sync.WaitGroup
	for n := from; n < to; n++ {
		wg.Go(func() {
			m, err := b.Sign(t.Context(), entry(n))
			if err != nil {
				t.Errorf("letter %d: %v", n, err)
				return
			}
			_, err = signature.VerifyManifest(m.XML, signature.Trust{Certificate: keyOnce().Leaf}, map[string][32]byte{entry(n).Reference: entry(n).Digest})
			if err != nil {
				t.Errorf("letter %d: %v", n, err)
			}
		})
	}
	return &wg
}

func TestALoneLetterWaitsForNobody(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		b := newBatcher(t, s)
		defer b.Close()
		start := time.Now()
		m, err := b.Sign(t.Context(), entry(1))
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a lone letter waited %s", waited)
		}
		if kept := s.manifests(); len(kept) != 1 || kept[0].ID != m.ID {
			t.Errorf("kept %d manifests when Sign returned, want this one", len(kept))
		}
		if !m.SignedAt.Equal(clock) || len(m.Entries) != 1 || !reflect.DeepEqual(m.Entries[0], entry(1)) {
			t.Errorf("manifest = %+v", m)
		}
		<-time.NewTimer(time.Second).C // fake time: the window passes
		start = time.Now()
		if _, err := b.Sign(t.Context(), entry(2)); err != nil || time.Since(start) != 0 {
			t.Errorf("the next lone letter waited %s, err %v", time.Since(start), err)
		}
	})
}

func TestLettersWithinTheWindowShareASignature(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		b := newBatcher(t, s)
		defer b.Close()
		start := time.Now()
		signMany(t, b, 0, 1).Wait()
		signMany(t, b, 1, 31).Wait()
		if waited := time.Since(start); waited != signature.DefaultWindow {
			t.Errorf("the second signature was made after %s, want %s", waited, signature.DefaultWindow)
		}
		if kept := s.manifests(); len(kept) != 2 || len(kept[1].Entries) != 30 {
			t.Errorf("%d manifests, want 2: one letter, then 30", len(kept))
		}
	})
}

func TestAManifestIsBounded(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		b := newBatcher(t, s, func(c *signature.BatcherConfig) { c.Max = 4; c.Window = time.Hour })
		defer b.Close()
		signMany(t, b, 0, 1).Wait()
		start := time.Now()
		signMany(t, b, 1, 13).Wait() // three full manifests: no window is waited for
		if waited := time.Since(start); waited != 0 {
			t.Errorf("full manifests waited %s", waited)
		}
		kept := s.manifests()
		if len(kept) != 4 {
			t.Fatalf("%d manifests, want 4", len(kept))
		}
		for _, m := range kept[1:] {
			if len(m.Entries) != 4 {
				t.Errorf("a manifest of %d letters, want 4", len(m.Entries))
			}
		}
		signMany(t, b, 20, 22).Wait() // not full: the window holds, and a stale mark does not end it
		if waited := time.Since(start); waited != time.Hour {
			t.Errorf("two letters waited %s, want the window", waited)
		}
	})
}

func TestACallerWhoLeavesDisturbsNobody(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		b := newBatcher(t, s)
		defer b.Close()
		signMany(t, b, 0, 1).Wait()
		gone := errors.New("the operator pressed stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		left := make(chan error, 1)
		go func() { _, err := b.Sign(ctx, entry(1)); left <- err }()
		wg := signMany(t, b, 2, 5)
		synctest.Wait()
		cancel(gone)
		if err := <-left; !errors.Is(err, gone) {
			t.Errorf("the caller who left got %v", err)
		}
		wg.Wait()
		if kept := s.manifests(); len(kept) != 2 || len(kept[1].Entries) != 3 {
			t.Errorf("manifests %d, want 2, the second with the three who stayed", len(kept))
		}
	})
}

func TestACallerLeavesWhileTheManifestIsBeingKept(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{hold: make(chan struct{})}
		b := newBatcher(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Sign(ctx, entry(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v, want the caller's deadline", err)
		}
		close(s.hold)
		b.Close()
		if len(s.manifests()) != 1 {
			t.Error("the manifest of a caller who left was not kept")
		}
	})
}

func TestALetterIsNotSentWhenItsManifestIsNotKept(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	s := &shelf{err: full}
	b := newBatcher(t, s)
	defer b.Close()
	if m, err := b.Sign(t.Context(), entry(1)); !errors.Is(err, full) || m != nil {
		t.Errorf("Sign = %v, %v; want the store's error", m, err)
	}
	s.mu.Lock()
	s.err = nil
	s.mu.Unlock()
	signMany(t, b, 1, 2).Wait() // and the batcher goes on
}

func TestKeepIsBounded(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{hold: make(chan struct{})}
		b := newBatcher(t, s, func(c *signature.BatcherConfig) { c.KeepTimeout = 3 * time.Second })
		defer b.Close()
		start := time.Now()
		if _, err := b.Sign(t.Context(), entry(1)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestCloseSignsWhoWaits(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		b := newBatcher(t, s, func(c *signature.BatcherConfig) { c.Window = time.Hour })
		signMany(t, b, 0, 1).Wait()
		wg := signMany(t, b, 1, 6)
		synctest.Wait()
		start := time.Now()
		b.Close()
		wg.Wait()
		if time.Since(start) != 0 {
			t.Errorf("Close waited for the window: %s", time.Since(start))
		}
		if kept := s.manifests(); len(kept) != 2 || len(kept[1].Entries) != 5 {
			t.Errorf("%d manifests after Close", len(kept))
		}
		if _, err := b.Sign(t.Context(), entry(9)); !errors.Is(err, signature.ErrClosed) {
			t.Errorf("Sign after Close: %v", err)
		}
		b.Close()
	})
}

func TestAWaitingReferenceIsRefusedTwice(t *testing.T) {
	t.Parallel()
	keyOnce()
	synctest.Test(t, func(t *testing.T) {
		b := newBatcher(t, &shelf{})
		defer b.Close()
		signMany(t, b, 0, 1).Wait()
		wg := signMany(t, b, 1, 2)
		synctest.Wait()
		if _, err := b.Sign(t.Context(), entry(1)); err == nil || !strings.Contains(err.Error(), "letter-1") {
			t.Errorf("err = %v, want a refusal that names the reference", err)
		}
		wg.Wait()
	})
}

func TestReferencesThatAreNoRelativeURI(t *testing.T) {
	t.Parallel()
	b := newBatcher(t, &shelf{})
	defer b.Close()
	for _, ref := range []string{"", "a b", "#a", "../a", "a/b", "å", "http:x", ".hidden", "a%20", strings.Repeat("a", 101)} {
		if _, err := b.Sign(t.Context(), signature.Entry{Reference: ref}); !errors.Is(err, signature.ErrReference) {
			t.Errorf("reference %q: err = %v, want ErrReference", ref, err)
		}
	}
}

func TestNewBatcherNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	stranger := keyOnce()
	stranger.PrivateKey = otherOnce().PrivateKey
	for name, change := range map[string]func(*signature.BatcherConfig){
		"no certificate":              func(c *signature.BatcherConfig) { c.Certificate = tls.Certificate{} },
		"private key does not belong": func(c *signature.BatcherConfig) { c.Certificate = stranger },
		"Keep and NewUUID":            func(c *signature.BatcherConfig) { c.Keep = nil },
	} {
		cfg := signature.BatcherConfig{Certificate: keyOnce(), Keep: (&shelf{}).keep, NewUUID: newUUID}
		change(&cfg)
		if _, err := signature.NewBatcher(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}

// TestManyCallersWithRace has callers come, leave and share without order.
func TestManyCallersWithRace(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	b := newBatcher(t, s, func(c *signature.BatcherConfig) { c.Window = time.Millisecond; c.Max = 7 })
	var wg sync.WaitGroup
	var signed atomic.Int64
	for n := range 200 {
		wg.Go(func() {
			ctx := t.Context()
			if n%3 == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Duration(n)*100*time.Microsecond)
				defer cancel()
			}
			m, err := b.Sign(ctx, entry(n))
			switch {
			case err == nil && !lists(m, entry(n)):
				t.Errorf("letter %d got a manifest that does not list it", n)
			case err == nil:
				signed.Add(1)
			case ctx.Err() == nil:
				t.Errorf("letter %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	b.Close()
	listed := 0
	for _, m := range s.manifests() {
		listed += len(m.Entries)
	}
	if int64(listed) < signed.Load() || signed.Load() < 133 {
		t.Errorf("%d letters signed, %d listed", signed.Load(), listed)
	}
}

func lists(m *signature.Manifest, e signature.Entry) bool {
	return slices.ContainsFunc(m.Entries, func(o signature.Entry) bool { return reflect.DeepEqual(o, e) })
}

func BenchmarkSignLone(b *testing.B) {
	batcher := newBatcher(b, &shelf{}, func(c *signature.BatcherConfig) { c.Window = -1 })
	defer batcher.Close()
	n := 0
	for b.Loop() {
		n++
		if _, err := batcher.Sign(b.Context(), entry(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignConcurrent64 has 64 callers who each sign letter after letter.
// The metric letters/signature is how many share one RSA signature.
func BenchmarkSignConcurrent64(b *testing.B) {
	for _, window := range []time.Duration{-1, signature.DefaultWindow} {
		b.Run(fmt.Sprintf("window=%s", max(window, 0)), func(b *testing.B) {
			s := &shelf{}
			batcher := newBatcher(b, s, func(c *signature.BatcherConfig) { c.Window = window })
			defer batcher.Close()
			work := make(chan int, 64)
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					for n := range work {
						if _, err := batcher.Sign(b.Context(), entry(n)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := 0
			for b.Loop() {
				n++
				work <- n
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(n)/float64(len(s.manifests())), "letters/signature")
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "letters/s")
		})
	}
}
