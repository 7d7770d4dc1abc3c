package beskedfordeler_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
)

// withBrokers runs the tests and ends the brokers they started.
type withBrokers struct{ m *testing.M }

func (w withBrokers) Run() int {
	defer closeBrokers()
	return w.m.Run()
}

// The two brokers of all tests here: one that is left alone, and one with
// RabbitMQ's own limit of a login, which one test at a time may break.
var brokers struct {
	mu           sync.Mutex
	dirs         []string
	calm, rough  *rabbittest.Node
	failed       error
	breaking     sync.Mutex
	wasTriedOnce bool
}

func closeBrokers() {
	brokers.mu.Lock()
	defer brokers.mu.Unlock()
	for _, n := range []*rabbittest.Node{brokers.calm, brokers.rough} {
		if n != nil {
			n.Close()
		}
	}
	for _, dir := range brokers.dirs {
		_ = os.RemoveAll(dir)
	}
}

// broker gives the calm broker.
func broker(t testing.TB) *rabbittest.Node {
	t.Helper()
	return shared(t, &brokers.calm, rabbittest.Config{})
}

// roughBroker gives the other one, until the test ends.
func roughBroker(t testing.TB) *rabbittest.Node {
	t.Helper()
	brokers.breaking.Lock()
	t.Cleanup(brokers.breaking.Unlock)
	return shared(t, &brokers.rough, rabbittest.Config{InitialFrameMax: 4096})
}

func shared(t testing.TB, into **rabbittest.Node, cfg rabbittest.Config) *rabbittest.Node {
	t.Helper()
	brokers.mu.Lock()
	defer brokers.mu.Unlock()
	if *into != nil {
		return *into
	}
	if !brokers.wasTriedOnce || brokers.failed == nil {
		brokers.wasTriedOnce = true
		dir, err := os.MkdirTemp("", "brevdue-rabbit-") //nolint:usetesting // other tests use it too
		if err != nil {
			t.Fatal(err)
		}
		brokers.dirs, cfg.Dir = append(brokers.dirs, dir), filepath.Join(dir, "node")
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		*into, brokers.failed = rabbittest.Start(ctx, cfg)
	}
	if errors.Is(brokers.failed, rabbittest.ErrNoRabbit) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NOT TESTED: %v", brokers.failed)
	}
	if brokers.failed != nil {
		t.Fatal(brokers.failed)
	}
	return *into
}

// queue makes a dueslag.
func queue(t testing.TB, n *rabbittest.Node) string {
	t.Helper()
	name := uuid.NewString()
	if err := n.Declare(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// publish puts bodies into a queue.
func publish(t testing.TB, n *rabbittest.Node, queue string, bodies ...[]byte) {
	t.Helper()
	if err := n.Publish(deadline(t), queue, bodies...); err != nil {
		t.Fatal(err)
	}
}

// events are count messages with the ids 0, 1, 2...
func events(count int) [][]byte {
	out := make([][]byte, count)
	for i := range out {
		b := fromTest()
		b.ID = strconv.Itoa(i)
		out[i] = beskedfordeler.EncodeEvent(b)
	}
	return out
}

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// token gives an assertion of that size that ends in an hour.
func token(size int) func(context.Context) ([]byte, time.Time, error) {
	return func(context.Context) ([]byte, time.Time, error) {
		return bytes.Repeat([]byte("x"), size), time.Now().Add(time.Hour), nil
	}
}

// taken is one call of Deliver or Quarantine.
type taken struct {
	raw    []byte
	besked *beskedfordeler.Besked
	reason string
}

// pull is a puller that runs until the test ends, or stop.
type pull struct {
	*beskedfordeler.Puller

	t     testing.TB
	taken chan taken // every call that succeeded
	log   *lockedBuffer
	stop  func()
}

func pulling(t testing.TB, n *rabbittest.Node, queue string, change func(*beskedfordeler.PullConfig)) *pull {
	t.Helper()
	p := &pull{t: t, taken: make(chan taken, 10_000), log: &lockedBuffer{}}
	cfg := beskedfordeler.PullConfig{
		URL: n.URL(), Queue: queue, TLS: n.ClientTLS(), Token: token(1000),
		Deliver: func(_ context.Context, raw []byte, b *beskedfordeler.Besked) error {
			p.taken <- taken{raw: raw, besked: b}
			return nil
		},
		Quarantine: func(_ context.Context, raw []byte, reason string) error {
			p.taken <- taken{raw: raw, reason: reason}
			return nil
		},
		Reconnect: beskedfordeler.Backoff{Min: 20 * time.Millisecond, Max: 500 * time.Millisecond},
		Retry:     beskedfordeler.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond},
		Logger:    slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	p.start(cfg)
	return p
}

func (p *pull) start(cfg beskedfordeler.PullConfig) {
	p.t.Helper()
	var err error
	if p.Puller, err = beskedfordeler.NewPuller(cfg); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("Run: %v", err)
		}
	})
	p.t.Cleanup(p.stop)
}

// next waits for the next message that was taken.
func (p *pull) next() taken {
	p.t.Helper()
	select {
	case got := <-p.taken:
		return got
	case <-deadline(p.t).Done():
		p.t.Fatalf("nothing came; state %+v; log\n%s", p.State(), p.log)
		return taken{}
	}
}

// until waits until the state is as ok says. There is no signal for it.
func (p *pull) until(what string, ok func(beskedfordeler.PullState) bool) beskedfordeler.PullState {
	p.t.Helper()
	ctx := deadline(p.t)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		if s := p.State(); ok(s) {
			return s
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			p.t.Fatalf("never %s; state %+v; log\n%s", what, p.State(), p.log)
		}
	}
}

// has waits for a problem.
func (p *pull) has(problem beskedfordeler.Problem) beskedfordeler.PullState {
	p.t.Helper()
	return p.until(string(problem), func(s beskedfordeler.PullState) bool { return s.Problem == string(problem) })
}

// settled waits until n messages were acknowledged.
func (p *pull) settled(n uint64) beskedfordeler.PullState {
	p.t.Helper()
	return p.until(fmt.Sprint(n, " acknowledged"), func(s beskedfordeler.PullState) bool { return s.Settled+s.Quarantined >= n })
}

// empty checks from the broker that nothing is left, given or not.
func empty(t testing.TB, n *rabbittest.Node, queue string) {
	t.Helper()
	queues, err := n.Look(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := queues[queue], (rabbittest.Queue{Name: queue}); got != want {
		t.Errorf("the broker says %+v, want %+v", got, want)
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.b.String()
	return text[max(0, len(text)-2000):] // its end is enough
}
