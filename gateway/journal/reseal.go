package journal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// resealPage is how many rows are read, and sealed anew in one transaction.
const resealPage = 50

// vault is a table with secrets.
type vault struct {
	table   string
	from    string  // what a page is read from
	order   []field // key of a page's rows
	key     []field // key of the table
	row     []field // what tells rows apart in places
	secrets []field
}

// field is a column.
type field struct {
	name string
	kind kind
}

type kind int

const (
	isText kind = iota
	isNumber
	isTime
	isDigest
	isBytes
)

// vaults lists every secret of the journal.
func vaults() []vault {
	one := func(table, key string, secrets ...field) vault {
		id := []field{{key, isText}}
		return vault{table: table, from: table, order: id, key: id, row: id, secrets: secrets}
	}
	placed := func(table, owner string, secrets ...field) vault {
		id := []field{{owner, isText}, {"n", isNumber}}
		return vault{table: table, from: table, order: id, key: id, row: id, secrets: secrets}
	}
	seq := []field{{"seq", isNumber}}
	return []vault{
		one("intent_contents", "intent_id", field{"recipient", isBytes}, field{"content", isBytes}),
		placed("intent_documents", "intent_id", field{"filename", isText}, field{"inline", isBytes}),
		{
			table: "exhibits", from: "attempts JOIN exhibits ON exhibits.id = attempts.exhibit_id",
			order: []field{{"attempts.id", isText}}, key: []field{{"exhibits.id", isNumber}},
			row: []field{{"attempts.digest", isDigest}}, secrets: []field{{"skeleton", isBytes}},
		},
		one("attempts", "id", field{"text", isText}, field{"answer", isBytes}),
		one("receipts", "id", field{"text", isText}, field{"raw", isBytes}),
		one("unreadable", "id", field{"raw", isBytes}),
		{
			table: "events", from: "events", order: seq, key: seq,
			row: []field{{"intent_id", isText}, {"message_id", isText}, {"at", isTime}}, secrets: []field{{"text", isText}},
		},
		one("uploads", "id", field{"filename", isText}),
		one("post_contents", "post_id", field{"facts", isBytes}),
		placed("post_documents", "post_id", field{"filename", isText}, field{"safe_name", isText}),
		{
			table: "post_events", from: "post_events", order: seq, key: seq,
			row: []field{{"post_id", isText}, {"at", isTime}}, secrets: []field{{"text", isText}},
		},
		{table: "audit_reasons", from: "audit_reasons", order: seq, key: seq, row: seq, secrets: []field{{"reason", isText}}},
		one("holds", "id", field{"recipient", isBytes}, field{"reason", isText}),
	}
}

// In: keyed hash, intent id.
const updateRecipientHash = `UPDATE intent_contents SET recipient_hash = ? WHERE intent_id = ?`

// resealQueries lists what Reseal writes with.
func resealQueries() []string {
	queries := []string{updateRecipientHash}
	for _, v := range vaults() {
		for _, secret := range v.secrets {
			queries = append(queries, v.update(secret))
		}
	}
	return queries
}

// update is the statement that stores a secret anew. In: what is stored, key, what was stored. Writes nothing when that is no
// longer what was stored.
func (v vault) update(secret field) string {
	bare := make([]string, len(v.key))
	for n, k := range v.key {
		bare[n] = strings.TrimPrefix(k.name, v.table+".") + " = ?"
	}
	return "UPDATE " + v.table + " SET " + secret.name + " = ? WHERE " + strings.Join(bare, " AND ") + " AND " + secret.name + " = ?"
}

// page is the question for the next rows. In: the order's fields of the last row, page size; of the first page the size alone.
// Out: order, key, row, secrets.
func (v vault) page(first bool) string {
	where := ""
	if !first {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(v.order)), ", ")
		where = " WHERE (" + names(v.order) + ") > (" + marks + ")"
	}
	all := slices.Concat(v.order, v.key, v.row, v.secrets)
	return "SELECT " + names(all) + " FROM " + v.from + where + " ORDER BY " + names(v.order) + " LIMIT ?"
}

func names(fields []field) string {
	out := make([]string, len(fields))
	for n, f := range fields {
		out[n] = f.name
	}
	return strings.Join(out, ", ")
}

// cell is a value of a field. The one of its kind is set.
type cell struct {
	field field

	text   string
	number int64
	time   time.Time
	bytes  []byte
}

func cells(fields []field) []cell {
	out := make([]cell, len(fields))
	for n, f := range fields {
		out[n].field = f
	}
	return out
}

func (c *cell) dest() any {
	switch c.field.kind {
	case isText:
		return &c.text
	case isNumber:
		return &c.number
	case isTime:
		return (*moment)(&c.time)
	case isDigest, isBytes:
		return &c.bytes
	}
	return nil
}

// arg is the value as an argument.
func (c *cell) arg() any {
	switch c.field.kind {
	case isText:
		return c.text
	case isNumber:
		return c.number
	case isTime:
		return micros(c.time)
	case isDigest, isBytes:
		return c.bytes
	}
	return nil
}

// part is the value as a part of a place.
func (c *cell) part() any {
	switch c.field.kind {
	case isTime:
		return c.time.UnixMicro()
	case isDigest:
		return hex.EncodeToString(c.bytes)
	case isText, isNumber, isBytes:
	}
	return c.arg()
}

// empty reports whether there is nothing to seal.
func (c *cell) empty() bool { return c.text == "" && len(c.bytes) == 0 }

// key is the id of the key that the value is sealed under, "" when it is not.
func (c *cell) key() string {
	if c.field.kind == isText {
		return keyOfText(c.text)
	}
	return keyOfBytes(c.bytes)
}

func keyOfText(v string) string {
	const head = 11 // characters that hold gateway.SealedHeader bytes, and two bits more
	if len(v) < len(sealedText)+head || !strings.HasPrefix(v, sealedText) {
		return ""
	}
	b, err := base64.RawStdEncoding.DecodeString(v[len(sealedText) : len(sealedText)+head])
	if err != nil {
		return ""
	}
	return keyOfBytes(b)
}

func keyOfBytes(b []byte) string {
	if !bytes.HasPrefix(b, []byte(gateway.SealedPiece)) {
		return ""
	}
	key, _ := gateway.SealedUnder(b)
	return key
}

// stored is a row of a vault.
type stored struct{ order, key, row, secrets []cell }

func (v vault) scan(to *[]stored) func(row) error {
	return func(r row) error {
		s := stored{cells(v.order), cells(v.key), cells(v.row), cells(v.secrets)}
		var dest []any
		for _, part := range [][]cell{s.order, s.key, s.row, s.secrets} {
			for n := range part {
				dest = append(dest, part[n].dest())
			}
		}
		if err := r.Scan(dest...); err != nil {
			return err
		}
		*to = append(*to, s)
		return nil
	}
}

// Reseal seals every secret that is not sealed under the present key, and returns how many it sealed. Others read and write
// meanwhile as ever. It ends with ctx, and can begin again.
func (j *Journal) Reseal(ctx context.Context) (int, error) {
	if j.line.seals.sealer == nil {
		return 0, errors.New("journal: there are no keys to seal with")
	}
	done := 0
	for _, v := range vaults() {
		n, err := j.resealVault(ctx, v)
		done += n
		if err != nil {
			return done, fmt.Errorf("journal: seal %s anew: %w", v.table, err)
		}
	}
	return done, nil
}

func (j *Journal) resealVault(ctx context.Context, v vault) (int, error) {
	done := 0
	var after []any
	for {
		var page []stored
		args := append(slices.Clone(after), resealPage)
		if err := j.many(ctx, "page of secrets", v.page(after == nil), v.scan(&page), args...); err != nil {
			return done, err
		}
		if len(page) == 0 {
			return done, nil
		}
		after = after[:0]
		for _, c := range page[len(page)-1].order {
			after = append(after, c.arg())
		}
		n, err := j.resealPage(ctx, v, page)
		done += n
		if err != nil {
			return done, err
		}
	}
}

// resealPage seals a page anew in one transaction.
func (j *Journal) resealPage(ctx context.Context, v vault, page []stored) (int, error) {
	current, err := j.line.seals.sealer.Current()
	if err != nil {
		return 0, err
	}
	stale := func(s stored) bool {
		return slices.ContainsFunc(s.secrets, func(c cell) bool { return !c.empty() && c.key() != current })
	}
	page = slices.DeleteFunc(page, func(s stored) bool { return !stale(s) })
	if len(page) == 0 {
		return 0, nil
	}
	done := 0
	err = j.Update(ctx, func(all gateway.Tx) error {
		t, is := all.(*tx)
		if !is {
			return errOver
		}
		done = 0
		for _, s := range page {
			n, err := t.reseal(v, s, current)
			if err != nil {
				return err
			}
			done += n
		}
		return nil
	})
	return done, err
}

// reseal seals the secrets of a row anew.
func (t *tx) reseal(v vault, s stored, current string) (int, error) {
	const op = "seal anew"
	done := 0
	for n := range s.secrets {
		c := &s.secrets[n]
		if c.empty() || c.key() == current {
			continue
		}
		place := placeOf(v.table+"."+c.field.name, parts(s.row)...)
		plain, err := t.seals.plain(place, c)
		if err != nil {
			return done, err
		}
		args := []any{secret{place: place, value: plain}}
		for k := range s.key {
			args = append(args, s.key[k].arg())
		}
		wrote, err := t.exec(op, v.update(c.field), append(args, c.arg())...)
		if err != nil {
			return done, err
		}
		done += int(wrote)
		if wrote > 0 && v.table == "intent_contents" && c.field.name == "recipient" {
			if err := t.rehash(s.key[0].text, plain); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

func parts(row []cell) []any {
	out := make([]any, len(row))
	for n := range row {
		out[n] = row[n].part()
	}
	return out
}

// plain opens what a cell holds, sealed or not.
func (s seals) plain(place string, c *cell) (any, error) {
	where := func() string { return place }
	if c.field.kind == isText {
		return s.openText(where, c.text)
	}
	return s.openBytes(where, c.bytes)
}

// rehash stores the keyed hash of a recipient's number anew.
func (t *tx) rehash(intentID string, recipient any) error {
	const op = "hash anew"
	content, _ := recipient.([]byte)
	var r recipientRecord
	if json.Unmarshal(content, &r) != nil {
		return fmt.Errorf("journal: intent %s: the stored recipient cannot be read", intentID)
	}
	_, err := t.exec(op, updateRecipientHash, hashed{kind: r.Scheme, value: r.Number}, intentID)
	return err
}

// SealedUnder counts the secrets by the id of their key; "" are those that are not sealed.
func (j *Journal) SealedUnder(ctx context.Context) (map[string]int, error) {
	count := make(map[string]int)
	for _, v := range vaults() {
		for _, secret := range v.secrets {
			if err := j.countKeys(ctx, v.table, secret, count); err != nil {
				return nil, err
			}
		}
	}
	return count, nil
}

func (j *Journal) countKeys(ctx context.Context, table string, secret field, count map[string]int) error {
	const op = "count secrets"
	if secret.kind == isText {
		query := "SELECT CASE WHEN substr(" + secret.name + ", 1, 9) = '" + sealedText + "' THEN substr(" + secret.name +
			", 1, 20) ELSE '' END AS head, count(*) FROM " + table + " WHERE " + secret.name + " <> '' GROUP BY 1"
		return j.many(ctx, op, query, func(r row) error {
			var head string
			var n int
			err := r.Scan(&head, &n)
			count[keyOfText(head)] += n
			return err
		})
	}
	query := "SELECT CASE WHEN substr(" + secret.name + ", 1, 4) = ? THEN substr(" + secret.name + ", 1, 8) END AS head, count(*) FROM " +
		table + " WHERE " + secret.name + " IS NOT NULL AND length(" + secret.name + ") > 0 GROUP BY 1"
	return j.many(ctx, op, query, func(r row) error {
		var head []byte
		var n int
		err := r.Scan(&head, &n)
		count[keyOfBytes(head)] += n
		return err
	}, []byte(gateway.SealedPiece))
}

// In: keyed hash. Out: ids of the intents for the recipient whose number it is.
const selectIntentsOf = `SELECT intent_id FROM intent_contents WHERE recipient_hash = ? ORDER BY intent_id`

// IntentsOf returns the ids of the intents for a person or company, oldest first, by the keyed hash of the number. Without
// keys there is no such hash, and an intent that was stored without keys is found once Reseal has sealed it.
func (j *Journal) IntentsOf(ctx context.Context, id gateway.Identifier) ([]string, error) {
	sealer := j.line.seals.sealer
	if sealer == nil || id.IsZero() {
		return nil, errors.New("journal: intents are found by the number of their recipient when keys are configured (keys.file)")
	}
	hashes, err := sealer.Hashes(string(id.Scheme()), []byte(id.Reveal()))
	if err != nil {
		return nil, wrap("intents of a recipient", err)
	}
	var found []string
	for _, hash := range hashes {
		if err := j.many(ctx, "intents of a recipient", selectIntentsOf, func(r row) error {
			var intent string
			err := r.Scan(&intent)
			found = append(found, intent)
			return err
		}, hash); err != nil {
			return nil, err
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
