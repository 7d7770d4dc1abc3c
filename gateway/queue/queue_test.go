package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/queue"
)

// startRedis runs a private redis-server and returns its URL. Every test that needs one gets its own.
func startRedis(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed, and CI must have it")
		}
		t.Skip("SKIPPED LOUDLY: redis-server is not installed; this test needs a real Redis")
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil || l.Close() != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	url := "redis://127.0.0.1:" + port
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port})
	defer func() { _ = client.Close() }()
	eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil })
	return url
}

// eventually polls until ok, where the other side is a process that gives no signal.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("it did not happen within 30 seconds")
		}
	}
}

// backends runs a test on a real Redis and on the embedded queue.
func backends(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, startRedis(t))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, queue.Embedded)
	})
}

func open(t *testing.T, url string) *queue.Queue {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Config{URL: url, Secret: "secret", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// dispatcher passes every call to the test and answers with what the test says.
type dispatcher struct {
	calls  chan call
	answer func(id string, n int) error
	mu     sync.Mutex
	count  map[string]int
}

type call struct {
	id string
	at time.Time
}

func newDispatcher(answer func(id string, n int) error) *dispatcher {
	return &dispatcher{calls: make(chan call, 1000), answer: answer, count: make(map[string]int)}
}

func (d *dispatcher) Dispatch(_ context.Context, id string) error {
	d.mu.Lock()
	d.count[id]++
	n := d.count[id]
	d.mu.Unlock()
	d.calls <- call{id, time.Now()}
	return d.answer(id, n)
}

func (d *dispatcher) next(t *testing.T) call {
	t.Helper()
	select {
	case c := <-d.calls:
		return c
	case <-time.After(30 * time.Second):
		t.Fatal("no task came within 30 seconds")
		return call{}
	}
}

// run works off the queue until the test ends.
func run(t *testing.T, q *queue.Queue, d queue.Dispatcher) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- q.Run(ctx, queue.Workers{Dispatcher: d, Concurrency: map[string]int{"digitalpost": 8}, Shutdown: time.Second})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func done(string, int) error { return nil }

func TestTaskReachesADispatcherOnce(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q, d := open(t, url), newDispatcher(done)
		for range 3 {
			if err := q.Enqueue(t.Context(), gateway.DueMessage{ID: "msg_1", Channel: "digitalpost"}); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, func() bool { return pending(t, q, "digitalpost") == 1 })
		run(t, q, d)
		if c := d.next(t); c.id != "msg_1" {
			t.Fatal(c.id)
		}
	})
}

func pending(t *testing.T, q *queue.Queue, name string) int {
	t.Helper()
	inspector := asynq.NewInspector(q.RedisConnOpt())
	defer func() { _ = inspector.Close() }()
	info, err := inspector.GetQueueInfo(name)
	if err != nil {
		return 0
	}
	return info.Pending
}

func TestRetryComesBackAndNeverEarly(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q := open(t, url)
		var due time.Time
		d := newDispatcher(func(_ string, n int) error {
			if n > 1 {
				return nil
			}
			due = time.Now().Add(1200 * time.Millisecond)
			return &gateway.Later{At: due, Counted: true, Reason: "retry"}
		})
		run(t, q, d)
		if err := q.Enqueue(t.Context(), gateway.DueMessage{ID: "msg_1", Channel: "digitalpost"}); err != nil {
			t.Fatal(err)
		}
		d.next(t)
		if second := d.next(t); second.at.Before(due) {
			t.Fatalf("%s early", due.Sub(second.at))
		}
	})
}

func TestScheduledTaskWaits(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q, d := open(t, url), newDispatcher(done)
		run(t, q, d)
		due := time.Now().Add(1500 * time.Millisecond)
		if err := q.Enqueue(t.Context(), gateway.DueMessage{ID: "msg_1", Channel: "digitalpost", DueAt: due}); err != nil {
			t.Fatal(err)
		}
		if c := d.next(t); c.at.Before(due) {
			t.Fatalf("%s early", due.Sub(c.at))
		}
	})
}

func TestErrorOfTheJournalIsRetried(t *testing.T) {
	t.Parallel()
	q := open(t, startRedis(t))
	d := newDispatcher(func(_ string, n int) error {
		if n == 1 {
			return errors.New("the journal does not answer")
		}
		return nil
	})
	run(t, q, d)
	if err := q.Enqueue(t.Context(), gateway.DueMessage{ID: "msg_1", Channel: "digitalpost"}); err != nil {
		t.Fatal(err)
	}
	d.next(t)
	d.next(t)
}

func TestPanicOfADispatcherIsRetried(t *testing.T) {
	t.Parallel()
	q := open(t, startRedis(t))
	d := newDispatcher(func(_ string, n int) error {
		if n == 1 {
			panic("defect")
		}
		return nil
	})
	run(t, q, d)
	if err := q.Enqueue(t.Context(), gateway.DueMessage{ID: "msg_1", Channel: "digitalpost"}); err != nil {
		t.Fatal(err)
	}
	d.next(t)
	d.next(t)
}

func TestForgotNoticesAnEmptiedRedisOnce(t *testing.T) {
	t.Parallel()
	q := open(t, startRedis(t))
	for _, want := range []bool{true, false, false} {
		if got, err := q.Forgot(t.Context()); err != nil || got != want {
			t.Fatalf("%t, %v, want %t", got, err, want)
		}
	}
	client, ok := q.RedisConnOpt().MakeRedisClient().(redis.UniversalClient)
	if !ok {
		t.Fatal("no client")
	}
	defer func() { _ = client.Close() }()
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if got, err := q.Forgot(t.Context()); err != nil || got != want {
			t.Fatalf("after FLUSHALL: %t, %v, want %t", got, err, want)
		}
	}
}

// TestEnsureSetsAsideWhatIsInTheWay makes each state a task can be stuck in.
func TestEnsureSetsAsideWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q := open(t, url)
		inspector := asynq.NewInspector(q.RedisConnOpt())
		defer func() { _ = inspector.Close() }()
		client := asynq.NewClient(q.RedisConnOpt())
		defer func() { _ = client.Close() }()
		put := func(id string, opts ...asynq.Option) {
			t.Helper()
			opts = append(opts, asynq.TaskID(id), asynq.Queue("digitalpost"))
			if _, err := client.EnqueueContext(t.Context(), asynq.NewTask(queue.TaskType, []byte(id)), opts...); err != nil {
				t.Fatal(err)
			}
		}
		put("msg_pending")
		put("msg_archived")
		if err := inspector.ArchiveTask("digitalpost", "msg_archived"); err != nil {
			t.Fatal(err)
		}
		put("msg_scheduled", asynq.ProcessIn(time.Hour))
		ids := []string{"msg_pending", "msg_archived", "msg_scheduled", "msg_new"}
		for range 2 {
			for _, id := range ids {
				if err := q.Ensure(t.Context(), gateway.DueMessage{ID: id, Channel: "digitalpost", DueAt: time.Now().Add(-time.Minute)}); err != nil {
					t.Fatalf("%s: %v", id, err)
				}
			}
		}
		d := newDispatcher(done)
		run(t, q, d)
		seen := make(map[string]bool)
		for len(seen) < len(ids) {
			seen[d.next(t).id] = true
		}
		select {
		case c := <-d.calls:
			t.Fatalf("%s came twice", c.id)
		default:
		}
	})
}

// TestEnsureRevivesATaskOfADeadWorker takes a task like a worker that dies with it. asynq would leave it for a minute.
func TestEnsureRevivesATaskOfADeadWorker(t *testing.T) {
	t.Parallel()
	url := startRedis(t)
	q := open(t, url)
	m := gateway.DueMessage{ID: "msg_1", Channel: "digitalpost"}
	if err := q.Ensure(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	client, ok := q.RedisConnOpt().MakeRedisClient().(redis.UniversalClient)
	if !ok {
		t.Fatal("no client")
	}
	defer func() { _ = client.Close() }()
	// What asynq's dequeue script does: pending to active, a lease, and the state in the task's hash.
	if err := client.RPopLPush(t.Context(), "asynq:{digitalpost}:pending", "asynq:{digitalpost}:active").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.HSet(t.Context(), "asynq:{digitalpost}:t:msg_1", "state", "active").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.ZAdd(t.Context(), "asynq:{digitalpost}:lease", redis.Z{Score: float64(time.Now().Add(30 * time.Second).Unix()), Member: "msg_1"}).Err(); err != nil {
		t.Fatal(err)
	}
	d := newDispatcher(done)
	run(t, q, d)
	if err := q.Ensure(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if c := d.next(t); c.id != "msg_1" {
		t.Fatal(c.id)
	}
}

func TestRedisHoldsIdsOnly(t *testing.T) {
	t.Parallel()
	q := open(t, startRedis(t))
	if err := q.Ensure(t.Context(), gateway.DueMessage{ID: "msg_01JABC", Channel: "digitalpost", DueAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	inspector := asynq.NewInspector(q.RedisConnOpt())
	defer func() { _ = inspector.Close() }()
	info, err := inspector.GetTaskInfo("digitalpost", "msg_01JABC")
	if err != nil || string(info.Payload) != "msg_01JABC" {
		t.Fatalf("%q, %v", info.Payload, err)
	}
}

func TestShutdownLetsALetterFinish(t *testing.T) {
	t.Parallel()
	q := open(t, startRedis(t))
	began, finish, finished := make(chan struct{}), make(chan struct{}), make(chan struct{})
	d := newDispatcher(func(string, int) error {
		close(began)
		<-finish
		close(finished)
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- q.Run(ctx, queue.Workers{Dispatcher: d, Concurrency: map[string]int{"digitalpost": 1}, Shutdown: 20 * time.Second})
	}()
	if err := q.Enqueue(t.Context(), gateway.DueMessage{ID: "msg_1", Channel: "digitalpost"}); err != nil {
		t.Fatal(err)
	}
	<-began
	stop()
	close(finish)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	select {
	case <-finished:
	default:
		t.Fatal("Run returned before the letter was finished")
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://x", "redis://127.0.0.1:1/notanumber", "amqp://x", "redis://:pass word@x:1%zz"} {
		_, err := queue.Open(t.Context(), queue.Config{URL: url, Now: time.Now})
		if !errors.Is(err, queue.ErrURL) {
			t.Errorf("%q: %v", url, err)
		}
	}
	_, err := queue.Open(t.Context(), queue.Config{URL: "redis://user:s3cret@127.0.0.1:1/x", Now: time.Now})
	if err == nil || strings.Contains(fmt.Sprint(err), "s3cret") {
		t.Errorf("the password is in the error, or there is none: %v", err == nil)
	}
	if _, err := queue.Open(t.Context(), queue.Config{URL: "redis://127.0.0.1:1", Now: time.Now}); err == nil {
		t.Error("a Redis that does not answer was taken")
	}
}

// TestNoPriorityStarvesAnother fills a channel with bulk letters that stand still, and wants a normal and an urgent one
// to pass them; then with normal ones, and wants an urgent one to pass.
func TestNoPriorityStarvesAnother(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q := open(t, url)
		hold := make(chan struct{})
		var once sync.Once
		t.Cleanup(func() { once.Do(func() { close(hold) }) })
		d := newDispatcher(func(id string, _ int) error {
			if strings.HasPrefix(id, "slow") {
				<-hold
			}
			return nil
		})
		run(t, q, d)
		put := func(id string, p gateway.Priority) {
			t.Helper()
			if err := q.Ensure(t.Context(), gateway.DueMessage{ID: id, Channel: "digitalpost", Priority: p}); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 20 { // more than the 8 seats; 6 get one
			put(fmt.Sprintf("slow_bulk_%d", n), gateway.Bulk)
		}
		for range 6 {
			d.next(t)
		}
		put("normal", gateway.Normal)
		if c := d.next(t); c.id != "normal" {
			t.Fatalf("%s went first", c.id)
		}
		put("slow_normal", gateway.Normal) // the seventh of seven
		if c := d.next(t); c.id != "slow_normal" {
			t.Fatalf("%s went first", c.id)
		}
		put("blocked", gateway.Normal)
		put("urgent", gateway.Urgent)
		if c := d.next(t); c.id != "urgent" {
			t.Fatalf("%s went first", c.id)
		}
		once.Do(func() { close(hold) })
		seen := make(map[string]bool)
		for !seen["blocked"] || !seen["slow_bulk_19"] {
			seen[d.next(t).id] = true
		}
	})
}

// TestPacerIsShared lets two processes share one rate, and one go on when Redis is gone.
func TestPacerIsShared(t *testing.T) {
	t.Parallel()
	url := startRedis(t)
	first, second := open(t, url).Pacer("digitalpost", 20), open(t, url).Pacer("digitalpost", 20)
	began := time.Now()
	var wg sync.WaitGroup
	for _, pace := range []func(context.Context) error{first, second} {
		wg.Go(func() {
			for range 15 {
				if err := pace(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// 30 letters at 20 a second, with two at once in the beginning: no sooner than 1.4 seconds.
	if took := time.Since(began); took < 1300*time.Millisecond {
		t.Fatalf("30 letters at 20/s left within %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 5 {
		if err := first(ctx); err != nil {
			return // it gives way to a context that has ended
		}
	}
	t.Fatal("an ended context waits for nobody, yet the pacer let five through")
}
