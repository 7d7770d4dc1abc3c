package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
)

// binary is brevdue, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "brevdue-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if binary, err = harness.Build(ctx, dir, os.Getenv("BREVDUE_E2E_RACE") == "1"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// setup starts a world that ends with the test; when the test fails its logs are shown.
func setup(t *testing.T, patience time.Duration, o harness.Options) (context.Context, *harness.World) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w, err := harness.NewWorld(ctx, binary, t.TempDir(), o)
	if errors.Is(err, harness.ErrNoRedis) && os.Getenv("CI") != "true" {
		t.Skip("NOT TESTED: redis-server is not installed; this test needs a real one (apt-get install redis-server)")
	}
	if errors.Is(err, rabbittest.ErrNoRabbit) && os.Getenv("CI") != "true" {
		t.Skip("NOT TESTED: rabbitmq-server is not installed; this test needs a real one (apt-get install rabbitmq-server)")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		if t.Failed() {
			t.Log(w.Logs(40))
		}
	})
	return ctx, w
}
