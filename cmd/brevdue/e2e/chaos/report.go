package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// verdict is one word.
func (r *result) verdict() string {
	if len(r.found) > 0 {
		return "BROKEN"
	}
	return "ok"
}

// counted lists counts by name, the names in order.
func counted[K ~string](counts map[K]int) string {
	parts := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

func sum[K comparable](counts map[K]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// line is one seed on one line.
func (r *result) line() string {
	return fmt.Sprintf("seed %d %s: %d faults (%s); %d intents (%s); far end %d letters, %d calls again, %d mails; "+
		"%d processes started, %d ended by themselves; %d posts repeated; %d callbacks, %d again; settled in %s, took %s: %s",
		r.seed, r.engine, sum(r.injected), counted(r.injected), r.posted, counted(r.statuses), r.letters, r.again, r.mails,
		r.lives, r.crashes, r.retries, r.calls, r.recalls, r.settling.Round(time.Second), r.took.Round(time.Second), r.verdict())
}

// trouble is what broke and how to see it again.
func (r *result) trouble(f *flags) string {
	if len(r.found) == 0 {
		return ""
	}
	var b strings.Builder
	for _, text := range r.found {
		fmt.Fprintf(&b, "  BROKEN: %s\n", text)
	}
	fmt.Fprintf(&b, "  again: make chaos SEEDS=1 SEED=%d DURATION=%s ENGINE=%s\n", r.seed, f.duration, r.engine)
	b.WriteString(r.logs)
	return b.String()
}

// table sums results up by engine.
func table(results []*result) string {
	var b strings.Builder
	b.WriteString("| on | seeds | faults | intents | delivered | failed | held | other ends | letters at the far end | " +
		"mails | callbacks | processes started | broken |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, engine := range engines() {
		t, statuses, faults, seeds, broken := result{}, map[string]int{}, 0, 0, 0
		for _, r := range results {
			if r.engine != engine {
				continue
			}
			seeds++
			faults += sum(r.injected)
			t.posted, t.letters, t.mails = t.posted+r.posted, t.letters+r.letters, t.mails+r.mails
			t.calls, t.lives = t.calls+r.calls, t.lives+r.lives
			for status, n := range r.statuses {
				statuses[status] += n
			}
			if len(r.found) > 0 {
				broken++
			}
		}
		if seeds == 0 {
			continue
		}
		other := sum(statuses) - statuses["delivered"] - statuses["failed"] - statuses["held"]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", engine, seeds, faults, t.posted,
			statuses["delivered"], statuses["failed"], statuses["held"], other, t.letters, t.mails, t.calls, t.lives, broken)
	}
	kinds := map[Kind]int{}
	for _, r := range results {
		for kind, n := range r.injected {
			kinds[kind] += n
		}
	}
	fmt.Fprintf(&b, "\nFaults: %s.\n", counted(kinds))
	return b.String()
}
