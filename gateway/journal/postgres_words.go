package journal

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Queries are written once, in the words of SQLite. Most are understood by PostgreSQL when their arguments are numbered; the
// others stand here.

// ownWords are queries that PostgreSQL wants said differently.
func ownWords() map[string]string {
	return map[string]string{
		selectMessagesOfMany: `SELECT ` + messageColumns + ` FROM messages
WHERE intent_id IN (SELECT jsonb_array_elements_text(?::jsonb)) ORDER BY intent_id, leg, step`,
		upsertWorker: `INSERT INTO workers (worker, seen_at) VALUES (?, ?)
ON CONFLICT (worker) DO UPDATE SET seen_at = greatest(workers.seen_at, excluded.seen_at)`,
		saveCallback: strings.Replace(saveCallback, "ELSE ? END", "ELSE ?::timestamptz END", 1),
		selectCallbackTally: `SELECT coalesce(sum(delivered), 0)::bigint, max(delivered_at), max(failed_at),
	coalesce((array_agg(http_status ORDER BY failed_at DESC NULLS LAST))[1], 0),
	coalesce((array_agg(failure ORDER BY failed_at DESC NULLS LAST))[1], '')
FROM callback_tallies WHERE producer = ?`,
	}
}

// lockingWords are the questions of a transaction that keep what they find for it. A message is locked after its intent, and
// so is everything else that an update of it touches: whoever changes one message of an intent sees what others made of its
// others. KEY SHARE locks, which rows that point here take, go beside these.
func lockingWords() map[string]string {
	return map[string]string{
		selectMessage: `SELECT ` + of("m", messageColumns) + ` FROM intents AS i JOIN messages AS m ON m.intent_id = i.id
WHERE m.id = ? FOR NO KEY UPDATE OF i, m`,
		selectIntentHead: selectIntentHead + ` FOR NO KEY UPDATE`,
		selectPost:       selectPost + ` FOR NO KEY UPDATE`,
		// The session has taken the number.
		insertEvent: strings.NewReplacer("(at, producer", "(seq, at, producer", "VALUES (", "VALUES (?, ").Replace(insertEvent),
		// Another process looks at the next one meanwhile.
		selectCallbackDue: strings.Replace(selectCallbackDue, "LIMIT 1", "LIMIT 1 FOR NO KEY UPDATE OF c SKIP LOCKED", 1),
		// Each connection counts for itself.
		tallyDelivered: `INSERT INTO callback_tallies (producer, delivered, delivered_at, http_status, failure, slot)
VALUES (?, 1, ?, 0, '', pg_backend_pid() % 256)
ON CONFLICT (producer, slot) DO UPDATE SET delivered = callback_tallies.delivered + 1, delivered_at = excluded.delivered_at`,
		tallyFailed: `INSERT INTO callback_tallies (producer, delivered, failed_at, http_status, failure, slot)
VALUES (?, 0, ?, ?, ?, pg_backend_pid() % 256)
ON CONFLICT (producer, slot) DO UPDATE
	SET failed_at = excluded.failed_at, http_status = excluded.http_status, failure = excluded.failure`,
	}
}

// of puts the name of a table before each column of a list.
func of(table, columns string) string {
	names := strings.Split(columns, ",")
	for i, name := range names {
		names[i] = table + "." + strings.TrimSpace(name)
	}
	return strings.Join(names, ", ")
}

// numbered are the statements whose row gets a number, with the column that holds it.
func numbered() map[string]string {
	return map[string]string{insertPostEvent: "seq", insertExhibit: "id"}
}

// hint is what SQLite is told about an index.
var hint = regexp.MustCompile(` INDEXED BY \w+`)

// postgresWords is a query of this package as PostgreSQL understands it.
func postgresWords(query string) string {
	if own, there := ownWords()[query]; there {
		query = own
	}
	return numberArgs(hint.ReplaceAllString(query, ""))
}

// writerWords are the statements of a transaction, by the words of SQLite.
func writerWords() map[string]string {
	words := make(map[string]string)
	locking, returning := lockingWords(), numbered()
	for _, query := range txQueries() {
		words[query] = postgresWords(query)
		if own, there := locking[query]; there {
			words[query] = postgresWords(own)
		}
		if column, there := returning[query]; there {
			words[query] += " RETURNING " + column
		}
	}
	words[headOfMessage] = postgresWords(headOfMessage)
	return words
}

// numberArgs writes $1, $2 ... for every question mark.
func numberArgs(query string) string {
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// postgresArgs are the arguments of a statement as pgx takes them.
func postgresArgs(args []any) []any {
	own := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case micro:
			own[i] = time.UnixMicro(int64(v)).UTC()
		case string:
			if !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
				v = clean(v)
			}
			own[i] = v
		default:
			own[i] = a
		}
	}
	return own
}
