package sf1601test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The official examples of MeMo pass, put into a kombi_request as they are.
func TestOfficialExamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ valg, from, to, finding string }{
		"minimum-1.1.xml": {valg: ValgDigitalPost},
		"minimum-1.2.xml": {valg: ValgDigitalPost},
		// Examples of a client library: made-up ids where numbers belong.
		"nemsms-1.1.xml":     {valg: ValgNemSMS, finding: "the id in 'Sender'"},
		"attachment-1.2.xml": {valg: ValgDigitalPost, finding: "the id in 'Sender'"},
	} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "conformance", "memo", name))
		if err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("the official examples are required in CI: %v", err)
			}
			t.Skipf("SKIPPED, NOT TESTED: the official examples are not here: %v", err)
		}
		message := string(b)
		if _, rest, ok := strings.Cut(message, "?>"); ok {
			message = rest
		}
		doc := "<kombi_request><KombiValgKode>" + c.valg + "</KombiValgKode>" + message + "</kombi_request>"
		req, err := readRequest([]byte(doc), rules{now: time.Now()})
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.finding == "" && req.Finding != nil, c.finding != "" && (req.Finding == nil || !strings.Contains(req.Finding.Text, c.finding)):
			t.Errorf("%s: finding %+v", name, req.Finding)
		}
	}
}
