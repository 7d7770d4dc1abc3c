package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// TestChaos is the short form of `make chaos`: a seed that is always the same and one that never is, on SQLite and a real
// Redis. A random seed that fails is printed with what runs it again.
func TestChaos(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	dir := t.TempDir()
	binary, err := harness.Build(t.Context(), dir, os.Getenv("BREVDUE_E2E_RACE") == "1")
	if err != nil {
		t.Fatal(err)
	}
	for name, seed := range map[string]uint64{"fixed": 1, "random": 1 + rand.Uint64N(1_000_000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			s := settings{
				engine: engineSQLite, binary: binary, dir: filepath.Join(dir, name), duration: 20 * time.Second, rate: 10,
				disk: true, progress: t.Output(), verbose: true,
			}
			r, err := run(ctx, s, seed)
			if missing(err) && os.Getenv("CI") != "true" {
				t.Skipf("NOT TESTED: %v", err)
			}
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			t.Log(r.line())
			if trouble := r.trouble(&flags{settings: s}); trouble != "" {
				t.Error("\n" + trouble)
			}
			if r.posted < 100 || sum(r.injected) < 4 || r.letters < 50 {
				t.Errorf("it proves nothing: %d intents, %d faults, %d letters at the far end", r.posted, sum(r.injected), r.letters)
			}
		})
	}
}

// A seed is worth printing only if it says what happens.
func TestASeedGivesTheSameFaultsAndLetters(t *testing.T) {
	t.Parallel()
	w := world{nodes: 3, redis: true, postgres: true, broker: true, disk: true, long: true}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, seed := range []uint64{1, 2, 77_777} {
		first, again := schedule(seed, w, 1200, 2*time.Minute), schedule(seed, w, 1200, 2*time.Minute)
		if fmt.Sprint(first) != fmt.Sprint(again) {
			t.Errorf("seed %d: %v and %v", seed, first, again)
		}
		if other := schedule(seed+1, w, 1200, 2*time.Minute); fmt.Sprint(first) == fmt.Sprint(other) {
			t.Errorf("seeds %d and %d are the same", seed, seed+1)
		}
		for n := range 50 {
			a, b := newLetter(seed, n, "x", now, now), newLetter(seed, n, "x", now, now)
			if a.cancel != b.cancel || a.ending != b.ending || fmt.Sprint(a.request.Routes, a.request.Send) != fmt.Sprint(b.request.Routes, b.request.Send) {
				t.Errorf("seed %d, letter %d: %+v and %+v", seed, n, a.request.Send, b.request.Send)
			}
		}
	}
}

// Every kind of fault is in some schedule.
func TestSchedulesHaveEveryKind(t *testing.T) {
	t.Parallel()
	w := world{nodes: 3, redis: true, postgres: true, broker: true, disk: true, clock: true, long: true}
	seen := map[Kind]bool{}
	for seed := range uint64(60) {
		for _, f := range schedule(seed, w, 1200, 2*time.Minute) {
			seen[f.Kind] = true
			if f.At < 60 || f.At >= 1200 || f.Node < 0 || f.Node > 2 || f.For < 0 || f.For > 26*time.Second {
				t.Errorf("seed %d: %v", seed, f)
			}
		}
	}
	for _, c := range choices(w) {
		if !seen[c.kind] {
			t.Errorf("no schedule has %q", c.kind)
		}
	}
}
