package gateway_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// TestStatesAreAsDocumented holds docs/states.md and the state machine to each other.
func TestStatesAreAsDocumented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(raw), "### Every transition")
	table, _, closed := strings.Cut(table, "Five outcomes")
	if !found || !closed {
		t.Fatal("docs/states.md has lost its table")
	}
	word := regexp.MustCompile("`([a-z]+)`")
	documented := make(map[[2]gateway.MessageState]bool)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		from := word.FindStringSubmatch(cells[1])
		for _, to := range word.FindAllStringSubmatch(cells[2], -1) {
			if from != nil {
				documented[[2]gateway.MessageState{gateway.MessageState(from[1]), gateway.MessageState(to[1])}] = true
			}
		}
	}
	if len(documented) < 20 {
		t.Fatalf("only %d transitions found in the table", len(documented))
	}
	for _, from := range gateway.MessageStates() {
		for _, to := range gateway.MessageStates() {
			if pair := [2]gateway.MessageState{from, to}; from.May(to) != documented[pair] {
				t.Errorf("%s -> %s: code says %t, docs/states.md says %t", from, to, from.May(to), documented[pair])
			}
		}
	}
}
