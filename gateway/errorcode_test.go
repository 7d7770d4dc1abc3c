package gateway_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

func TestErrorCodes(t *testing.T) {
	t.Parallel()
	row := gateway.ErrorCode{Code: "E1", FarEnd: "NgDP", Outcome: gateway.Next, HintEN: "Print it.", HintDA: "Print det."}
	other := row
	other.FarEnd, other.HintEN = "Strålfors", "Correct the address."
	b := setup(t, func(c *gateway.Config) { c.ErrorCodes = []gateway.ErrorCode{row, other} })
	all := b.ErrorCodes()
	if n := len(all); all[n-2] != row || all[n-1] != other || all[0].FarEnd != "brevdue" {
		t.Fatalf("%+v", all)
	}
	for _, c := range all {
		if c.Code == "" || c.FarEnd == "" || c.HintEN == "" || c.HintDA == "" {
			t.Errorf("row %+v lacks something", c)
		}
	}
	if got, known := b.Explain("E1"); !known || got != row {
		t.Errorf("%+v, %t", got, known)
	}
	if got, known := b.Explain("E2"); known || got != (gateway.ErrorCode{}) {
		t.Errorf("%+v, %t", got, known)
	}
	if got, known := b.Explain(""); known {
		t.Errorf("%+v", got)
	}
	for name, rows := range map[string][]gateway.ErrorCode{
		"no code":    {{FarEnd: "NgDP"}},
		"no far end": {{Code: "E1"}},
		"twice":      {row, row},
		"outcome":    {{Code: "E1", FarEnd: "NgDP", Outcome: "maybe"}},
	} {
		_, err := gateway.New(gateway.Config{
			Journal: b.journal, Documents: noDocuments{}, Queue: b.queue, Now: b.clock.Now, Worker: "w",
			NewID: func(string) string { return "" }, NewUUID: func() string { return "" }, ErrorCodes: rows,
		})
		if err == nil || !strings.Contains(err.Error(), "ErrorCodes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// noDocuments is a document store that nobody asks.
type noDocuments struct{ gateway.Documents }

// TestOwnCodesAreExplained reads the package for the codes that it gives to events: each that a person may have to act on
// is in the table.
func TestOwnCodesAreExplained(t *testing.T) {
	t.Parallel()
	b := setup(t)
	needless := map[string]bool{ // they say it themselves
		"cancelled": true, "window.closed": true, "held.released": true, "held.closed": true, "shutdown": true,
	}
	given := regexp.MustCompile(`(?:(?:Cancelled|Expired|Failed|Held|Scheduled|Queued|as|m|0), |Code: |o\.Code = Fail, )"([a-z]+(?:\.[a-z]+)?)"`)
	found := 0
	for _, file := range []string{"dispatch.go", "cancel.go", "sweep.go", "held.go", "silence.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range given.FindAllStringSubmatch(string(source), -1) {
			if match[1] == "outcome.unknown" { // of a request
				continue
			}
			found++
			if _, known := b.Explain(match[1]); !known && !needless[match[1]] {
				t.Errorf("%s gives %s, which is not in the table", file, match[1])
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d codes found", found)
	}
}

func TestExplainTakesTheLongestBeginning(t *testing.T) {
	t.Parallel()
	rows := []gateway.ErrorCode{
		{Code: "file.*", FarEnd: "NgDP", HintEN: "short"}, {Code: "file.size.*", FarEnd: "NgDP", HintEN: "long"},
		{Code: "file.size.max", FarEnd: "NgDP", HintEN: "exact"},
	}
	b := setup(t, func(c *gateway.Config) { c.ErrorCodes = rows })
	for code, want := range map[string]string{"file.size.max": "exact", "file.size.min": "long", "file.empty": "short", "fil": "", "": ""} {
		if got, known := b.Explain(code); got.HintEN != want || known != (want != "") {
			t.Errorf("%q: %q, %t", code, got.HintEN, known)
		}
	}
}
