package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/queue"
)

const (
	waiting     = 40 // letters that wait for the opening
	urgent      = 5  // of them
	windowsRamp = 10 * time.Second
)

// TestNothingLeavesBeforeItsWindowOpens gives a sender a window that opens at the next full minute. What is posted until then
// is scheduled in Redis for the opening; the far end sees nothing before it and everything after it, spread over the ramp.
func TestNothingLeavesBeforeItsWindowOpens(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for a minute to be full")
	}
	ctx, w := setup(t, 5*time.Minute, harness.Options{DigitalPost: map[string]any{"ramp": windowsRamp.String()}})
	opens := openAtAFullMinute(ctx, t, w)

	posted := make(map[string]string, waiting) // priority by message
	intents := make([]string, 0, waiting)
	for n := range waiting {
		letter := harness.Letter(fmt.Sprintf("window-%d", n), "2512489996")
		priority := string(gateway.Normal)
		if n < urgent {
			priority = string(gateway.Urgent)
		}
		letter.Send.Priority = priority
		answer, err := w.Gateway.Client.PostIntent(ctx, letter)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != "scheduled" {
			t.Errorf("%s was answered as %s, want scheduled", answer.ID, answer.Status)
		}
		posted[answer.Messages[0].ID], intents = priority, append(intents, answer.ID)
	}
	if left := time.Until(opens); left < 2*time.Second {
		t.Skipf("NOT TESTED: this machine is so slow that the window opens in %s", left)
	}
	due := scheduled(ctx, t, w, len(posted))
	checkDue(t, posted, due, opens)

	for time.Until(opens) > 500*time.Millisecond {
		stats, err := w.Sim.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if stats.Letters != 0 && time.Now().Before(opens) {
			t.Fatalf("%d letters arrived %s before the opening", stats.Letters, time.Until(opens))
		}
		harness.Pause(ctx, 200*time.Millisecond)
	}
	for _, id := range intents {
		view, err := w.Gateway.Await(ctx, id, "delivered")
		if err != nil {
			t.Fatal(err)
		}
		if n := view.Messages[0].Attempts; n != 1 {
			t.Errorf("%s took %d attempts, want 1", id, n)
		}
	}
	arrived, err := w.Sim.Messages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first, last := arrived[0].FirstSeen, arrived[0].FirstSeen
	for _, m := range arrived {
		if m.FirstSeen.Before(opens) {
			t.Errorf("a letter arrived %s before the opening", opens.Sub(m.FirstSeen))
		}
		if m.FirstSeen.After(last) {
			last = m.FirstSeen
		}
	}
	if len(arrived) != waiting || last.Sub(first) < windowsRamp/4 {
		t.Errorf("%d letters arrived within %s, want %d, spread over about %s", len(arrived), last.Sub(first), waiting, windowsRamp)
	}
	t.Logf("%d letters; the first arrived %s after the opening, the last %s", len(arrived),
		first.Sub(opens).Round(time.Millisecond), last.Sub(opens).Round(time.Millisecond))
}

// openAtAFullMinute stops the gateway, gives its sender a window that opens at the next full minute with time to post
// before it, and starts it again.
func openAtAFullMinute(ctx context.Context, t *testing.T, w *harness.World) time.Time {
	t.Helper()
	if code, err := w.Gateway.Terminate(ctx); err != nil || code != 0 {
		t.Fatalf("exit code %d, error %v; want 0", code, err)
	}
	raw, err := os.ReadFile(w.Gateway.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]any
	if err := yaml.Unmarshal(raw, &settings); err != nil {
		t.Fatal(err)
	}
	opens := time.Now().UTC().Add(20 * time.Second).Truncate(time.Minute).Add(time.Minute)
	settings["windows"] = map[string]any{"soon": map[string]any{
		"from": opens.Format("15:04"), "to": opens.Add(time.Hour).Format("15:04"), "zone": "UTC",
	}}
	senders, ok := settings["senders"].(map[string]any)
	if !ok {
		t.Fatalf("senders are %T", settings["senders"])
	}
	jobcenter, ok := senders["jobcenter"].(map[string]any)
	if !ok {
		t.Fatalf("the sender is %T", senders["jobcenter"])
	}
	jobcenter["window"] = "soon"
	if raw, err = yaml.Marshal(settings); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.Gateway.ConfigFile, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	return opens
}

// scheduled waits until Redis holds n tasks that wait for their time, and returns when each message's is due.
func scheduled(ctx context.Context, t *testing.T, w *harness.World, n int) map[string]time.Time {
	t.Helper()
	inspector := asynq.NewInspector(asynq.RedisClientOpt{Addr: w.Redis.Address})
	defer func() { _ = inspector.Close() }()
	due := make(map[string]time.Time, n)
	err := harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		for _, priority := range []gateway.Priority{gateway.Urgent, gateway.Normal} {
			name := queue.Name("digitalpost", priority)
			for _, list := range []func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
				inspector.ListScheduledTasks, inspector.ListRetryTasks,
			} {
				tasks, err := list(name, asynq.PageSize(2*n))
				if errors.Is(err, asynq.ErrQueueNotFound) {
					continue // its first task is still on its way
				}
				if err != nil {
					return false, fmt.Errorf("look into queue %s: %w", name, err)
				}
				for _, task := range tasks {
					due[string(task.Payload)] = task.NextProcessAt
				}
			}
		}
		return len(due) >= n, nil
	})
	if err != nil {
		t.Fatalf("%d of %d tasks in Redis: %v", len(due), n, err)
	}
	return due
}

// checkDue demands that every message waits for the opening or a moment of the ramp after it, and not all for the same.
func checkDue(t *testing.T, posted map[string]string, due map[string]time.Time, opens time.Time) {
	t.Helper()
	moments := make(map[time.Time]bool)
	for id, priority := range posted {
		at, known := due[id]
		after := at.Sub(opens)
		switch {
		case !known:
			t.Errorf("%s does not wait in Redis", id)
		case after < 0 || after > windowsRamp:
			t.Errorf("%s is due %s after the opening, want within %s", id, after, windowsRamp)
		case priority == string(gateway.Urgent) && after != 0:
			t.Errorf("%s is urgent and due %s after the opening, want at it", id, after)
		}
		moments[at] = true
	}
	if len(moments) < 4 {
		t.Errorf("%d messages are due at only %d moments", len(posted), len(moments))
	}
}
