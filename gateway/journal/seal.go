package journal

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

// What is personal is sealed here, for every engine: a noun's methods say which columns are (secret to store, opened to read),
// and a session and a pool that stand before the engine's own do the rest. Each piece is bound to its table, column and row.
//
// Without keys everything is stored as it is. Either way a stored value that begins like a sealed one is one: a plain value
// that happens to begin so is stored behind a mark of its own. Text columns hold what is sealed in base64.
const (
	plainPiece = "\xbdBD\x00" // the mark of such a value, in bytes
	sealedText = "sealed:1:"  // begins what is sealed, in text
	plainText  = "sealed:0:"  // the mark of such a value, in text
	maybeText  = "sealed:"    // how both begin
	maybePiece = "\xbdBD"     // as above, in bytes
)

// errNoKeys says that something is sealed and nothing is there to open it.
var errNoKeys = errors.New("no keys are configured (keys.file)")

// secret is an argument that is stored sealed.
type secret struct {
	place string
	value any // string, []byte or nil
}

// secretText and secretBytes are the arguments that store what is personal in a column of a row. Nothing stays nothing.
func secretText(place, s string) any      { return secret{place: place, value: s} }
func secretBytes(place string, b any) any { return secret{place: place, value: b} }

// placeOf names a column of a row by what tells the row from the others of its table.
func placeOf(column string, row ...any) string {
	return column + "/" + strings.TrimSuffix(fmt.Sprintln(row...), "\n")
}

// opened is a field that is read from where a secret was stored. Its place is asked for when the row has been read.
type opened struct {
	to    any // *string or *[]byte
	place func() string
}

// hashed is an argument that stores the keyed hash of a value, NULL when there are no keys.
type hashed struct {
	kind  string
	value string
}

// hashOf is the argument by which what a recipient was told is found.
func hashOf(id gateway.Identifier) hashed {
	return hashed{kind: string(id.Scheme()), value: id.Reveal()}
}

// seals is what seals and opens, with keys or without.
type seals struct{ sealer gateway.Sealer }

// args replaces secrets by what is stored.
func (s seals) args(args []any) ([]any, error) {
	own := args
	for n, a := range args {
		var stored any
		var err error
		switch a := a.(type) {
		case secret:
			stored, err = s.seal(a)
		case hashed:
			stored, err = s.hash(a)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		if &own[0] == &args[0] {
			own = slices.Clone(args)
		}
		own[n] = stored
	}
	return own, nil
}

func (s seals) seal(a secret) (any, error) {
	switch v := a.value.(type) {
	case string:
		return s.sealText(a.place, v)
	case []byte:
		if len(v) == 0 {
			return v, nil
		}
		return s.sealBytes(a.place, v)
	case nil:
		return nil, nil //nolint:nilnil // NULL
	default:
		return nil, fmt.Errorf("%s: a %T cannot be sealed", a.place, v)
	}
}

func (s seals) sealText(place, v string) (string, error) {
	switch {
	case v == "":
		return "", nil
	case s.sealer == nil && strings.HasPrefix(v, maybeText):
		return plainText + v, nil
	case s.sealer == nil:
		return v, nil
	}
	sealed, err := s.sealer.Seal(place, []byte(v))
	if err != nil {
		return "", fmt.Errorf("%s: %w", place, err)
	}
	return sealedText + base64.RawStdEncoding.EncodeToString(sealed), nil
}

func (s seals) sealBytes(place string, v []byte) ([]byte, error) {
	switch {
	case s.sealer == nil && bytes.HasPrefix(v, []byte(maybePiece)):
		return append([]byte(plainPiece), v...), nil
	case s.sealer == nil:
		return v, nil
	}
	sealed, err := s.sealer.Seal(place, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return sealed, nil
}

func (s seals) hash(h hashed) (any, error) {
	if s.sealer == nil || h.value == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	hashes, err := s.sealer.Hashes(h.kind, []byte(h.value))
	if err != nil {
		return nil, err
	}
	return hashes[0], nil
}

// open opens the fields of a row that has been read.
func (o *opened) open(s seals) error {
	switch to := o.to.(type) {
	case *string:
		v, err := s.openText(o.place, *to)
		*to = v
		return err
	case *[]byte:
		v, err := s.openBytes(o.place, *to)
		*to = v
		return err
	default:
		return fmt.Errorf("nothing is opened into a %T", to)
	}
}

func (s seals) openText(place func() string, v string) (string, error) {
	switch {
	case !strings.HasPrefix(v, maybeText):
		return v, nil
	case strings.HasPrefix(v, plainText):
		return v[len(plainText):], nil
	case !strings.HasPrefix(v, sealedText):
		return v, nil // older than sealing
	}
	sealed, err := base64.RawStdEncoding.DecodeString(v[len(sealedText):])
	if err != nil {
		return "", fmt.Errorf("%s: %w: it was changed", place(), gateway.ErrSealed)
	}
	plain, err := s.opened(place, sealed)
	return string(plain), err
}

func (s seals) openBytes(place func() string, v []byte) ([]byte, error) {
	switch {
	case !bytes.HasPrefix(v, []byte(maybePiece)):
		return v, nil
	case bytes.HasPrefix(v, []byte(plainPiece)):
		return v[len(plainPiece):], nil
	case !bytes.HasPrefix(v, []byte(gateway.SealedPiece)):
		return v, nil // older than sealing
	}
	return s.opened(place, v)
}

func (s seals) opened(place func() string, sealed []byte) ([]byte, error) {
	if s.sealer == nil {
		key, _ := gateway.SealedUnder(sealed)
		return nil, fmt.Errorf("%s: %w: sealed under %s, and %w", place(), gateway.ErrNoKey, key, errNoKeys)
	}
	plain, err := s.sealer.Open(place(), sealed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place(), err)
	}
	return plain, nil
}

// row is a row whose secrets are opened.
func (s seals) row(scan func(row) error) func(row) error {
	return func(r row) error { return scan(openedRow{row: r, seals: s}) }
}

type openedRow struct {
	row   row
	seals seals
}

// Scan implements row.
func (r openedRow) Scan(dest ...any) error {
	var closed []*opened
	for n, d := range dest {
		if o, is := d.(*opened); is {
			closed = append(closed, o)
			dest[n] = o.to
		}
	}
	if err := r.row.Scan(dest...); err != nil {
		return err
	}
	for _, o := range closed {
		if err := o.open(r.seals); err != nil {
			return err
		}
	}
	return nil
}

// sealedSession is a session that stores secrets.
type sealedSession struct {
	session
	seals seals
}

func (s sealedSession) exec(query string, args ...any) (int64, error) {
	args, err := s.seals.args(args)
	if err != nil {
		return 0, err
	}
	return s.session.exec(query, args...)
}

func (s sealedSession) insert(query string, args ...any) (int64, error) {
	args, err := s.seals.args(args)
	if err != nil {
		return 0, err
	}
	return s.session.insert(query, args...)
}

func (s sealedSession) insertUnless(query string, args ...any) (id int64, inserted bool, err error) {
	if args, err = s.seals.args(args); err != nil {
		return 0, false, err
	}
	return s.session.insertUnless(query, args...)
}

func (s sealedSession) queryRow(query string, args []any, scan func(row) error) error {
	return s.session.queryRow(query, args, s.seals.row(scan))
}

func (s sealedSession) query(query string, args []any, scan func(row) error) error {
	return s.session.query(query, args, s.seals.row(scan))
}

// sealedPool is a pool that reads secrets.
type sealedPool struct {
	pool
	seals seals
}

func (p sealedPool) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	return p.pool.query(ctx, query, args, p.seals.row(scan))
}

func (p sealedPool) snapshot(ctx context.Context, ask func(source) error) error {
	return p.pool.snapshot(ctx, func(of source) error { return ask(sealedSource{source: of, seals: p.seals}) })
}

func (p sealedPool) all(ctx context.Context, questions []question) error {
	own := make([]question, len(questions))
	for n, q := range questions {
		q.scan = p.seals.row(q.scan)
		own[n] = q
	}
	return p.pool.all(ctx, own)
}

// sealedSource is a snapshot that reads secrets.
type sealedSource struct {
	source
	seals seals
}

func (s sealedSource) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	return s.source.query(ctx, query, args, s.seals.row(scan))
}

// Out: what is stored of the newest intent's recipient.
const selectNewestRecipient = `SELECT intent_id, recipient FROM intent_contents ORDER BY intent_id DESC LIMIT 1`

// refuseOtherKeys refuses keys that are not those of the journal, before anything is sealed under them.
func (j *Journal) refuseOtherKeys(ctx context.Context) error {
	err := j.many(ctx, "look at the seals", selectNewestRecipient, func(r row) error {
		var id string
		var recipient []byte
		return r.Scan(&id, &opened{&recipient, func() string { return placeOf("intent_contents.recipient", id) }})
	})
	if errors.Is(err, gateway.ErrNoKey) {
		return err
	}
	return nil // a row that was spoiled is told to whoever asks for it
}
