package target_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/inbound/target"
)

// TestCodesAreInTheDocs: docs/inbound.md has the table, row by row.
func TestCodesAreInTheDocs(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../docs/inbound.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, c := range target.Codes() {
		fmt.Fprintf(&table, "| %#q | %s | %s |\n", c.Word, c.Verdict, c.Text)
	}
	if !strings.Contains(string(doc), table.String()) {
		t.Errorf("docs/inbound.md lacks this table:\n%s", table.String())
	}
}
