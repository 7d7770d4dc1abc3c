package sf1601test_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// Statuses go into a queue instead, in order, and wait there while nobody
// pulls. A queue that is deleted is made again, a broker that is away is waited
// for; nothing is lost.
func TestDueslag(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	dir := t.TempDir()
	a, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048, PKCS1: true})
	if err != nil {
		t.Fatal(err)
	}
	n, err := rabbittest.Start(ctx, rabbittest.Config{Dir: dir, Authority: a})
	if errors.Is(err, rabbittest.ErrNoRabbit) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	const queue = "c3a1f6de-94d0-4b7e-8a8d-5e0c7b1a9f22"
	srv := start(t, sf1601test.Config{
		Authority: a, Dueslag: sf1601test.Dueslag{URL: n.URL(), Queue: queue}, Faults: quick(),
		PushBackoffMin: time.Millisecond, PushBackoffMax: 50 * time.Millisecond,
	})
	p := newPeer(t, srv)
	send := func(settled int64) {
		t.Helper()
		accepted(t, p.send(letter{}.String())) //nolint:contextcheck // the peer has its own
		if err := srv.WaitSettled(ctx, settled); err != nil {
			t.Fatal(err)
		}
	}
	send(1)
	if depth, err := n.Depth(queue); err != nil || depth != 2 {
		t.Fatalf("depth %d, %v", depth, err)
	}
	got, seen := make(chan beskedfordeler.Kind, 10), map[string]bool{}
	puller, err := beskedfordeler.NewPuller(beskedfordeler.PullConfig{
		URL: n.URL(), Queue: queue, TLS: n.ClientTLS(),
		Reconnect: beskedfordeler.Backoff{Min: time.Millisecond, Max: 50 * time.Millisecond},
		Token: func(context.Context) ([]byte, time.Time, error) {
			return []byte("<Assertion/>"), time.Now().Add(time.Hour), nil
		},
		Deliver: func(_ context.Context, _ []byte, b *beskedfordeler.Besked) error {
			if kind, _ := b.Kind(); !seen[b.ID] {
				got <- kind
			}
			seen[b.ID] = true // a kill may cost an acknowledgement: it comes again
			return nil
		},
		Quarantine: func(_ context.Context, _ []byte, reason string) error {
			t.Errorf("quarantined: %s", reason)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- puller.Run(running) }()
	both := func() {
		t.Helper()
		for _, want := range []beskedfordeler.Kind{beskedfordeler.KindModtaget, beskedfordeler.KindAfleveret} {
			select {
			case kind := <-got:
				if kind != want {
					t.Errorf("got %v, want %v", kind, want)
				}
			case <-ctx.Done():
				t.Fatalf("no %v; %+v", want, puller.State())
			}
		}
	}
	both()
	if err := n.Delete(queue); err != nil {
		t.Fatal(err)
	}
	send(2)
	both()
	n.Kill()
	accepted(t, p.send(letter{}.String()))
	if err := srv.WaitFor(ctx, func(st sf1601test.Stats) bool { return st.Pushes.Retried >= 3 }); err != nil {
		t.Fatal(err)
	}
	if err := n.Start(ctx); err != nil {
		t.Fatal(err)
	}
	both()
	if err := srv.WaitSettled(ctx, 3); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := srv.SetPushURL("https://127.0.0.1:1/"); err == nil {
		t.Error("pushes beside the queue")
	}
}

func TestDueslagRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]sf1601test.Config{
		"plain":    {Dueslag: sf1601test.Dueslag{URL: "amqp://127.0.0.1", Queue: "q"}},
		"no queue": {Dueslag: sf1601test.Dueslag{URL: "amqps://127.0.0.1"}},
		"push too": {Dueslag: sf1601test.Dueslag{URL: "amqps://127.0.0.1", Queue: "q"}, PushURL: "https://127.0.0.1:1/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if srv, err := sf1601test.Start(cfg); err == nil {
				srv.Close()
				t.Error("it started")
			}
		})
	}
}
