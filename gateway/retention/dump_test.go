package retention_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func sha(b []byte) [32]byte { return sha256.Sum256(b) }

// dump looks for a text in every row of every table, and returns the table that has it.
func dump(t *testing.T, url, text string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	must(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "SELECT encode(convert_to(replace(t::text, '\\\\x', ''), 'UTF8'), 'escape') FROM "+table+" t")
		must(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		hex := strings.ToLower(hexOf(text))
		for _, l := range lines {
			if strings.Contains(l, text) || strings.Contains(l, hex) {
				return table
			}
		}
	}
	return ""
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for n := range len(s) {
		b.WriteByte(digits[s[n]>>4])
		b.WriteByte(digits[s[n]&15])
	}
	return b.String()
}
