package rabbittest_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is in a durable queue outlives a stop and a kill.
func TestNode(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n, err := rabbittest.Start(ctx, rabbittest.Config{Dir: t.TempDir()})
	if errors.Is(err, rabbittest.ErrNoRabbit) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Declare("q"); err != nil {
		t.Fatal(err)
	}
	if err := n.Publish(ctx, "q", []byte("a"), []byte("b")); err != nil {
		t.Fatal(err)
	}
	if err := n.Publish(ctx, "no-such-queue", []byte("a")); err == nil {
		t.Error("published to nowhere")
	}
	if err := n.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	n.Kill()
	n.Kill()
	if err := n.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if depth, err := n.Depth("q"); err != nil || depth != 2 {
		t.Errorf("depth %d, %v", depth, err)
	}
	queues, err := n.Look(ctx)
	if want := (rabbittest.Queue{Name: "q", Ready: 2}); err != nil || queues["q"] != want {
		t.Errorf("queues %v, %v", queues, err)
	}
	if err := n.Delete("q"); err != nil {
		t.Error(err)
	}
}
