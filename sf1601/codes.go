package sf1601

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Outcome is what a code of the far end means for the letter.
type Outcome string

// The outcomes a code can have.
const (
	OutcomeFailed Outcome = "failed" // a person must act
	OutcomeNext   Outcome = "next"   // the next channel of the route may reach the recipient
	OutcomeRetry  Outcome = "retry"  // the same channel later
)

// Code is one row of the code table.
type Code struct {
	Code    string    // FejlId or FejlKode, exactly as received; "abc.*" is every code that begins with "abc."
	Source  string    // KildeId the row is limited to, "" for any
	Outcome Outcome   // what it means
	Hint    string    // what an operator can do
	HintDA  string    // the same in Danish
	Origin  string    // where the row was learnt
	Date    time.Time // the origin's date
}

// Table says what the codes of the far end mean. It is never changed once made, and safe for concurrent use. A nil
// *Table is the one of DefaultTable.
type Table struct{ rows map[codeKey]Code }

type codeKey struct{ source, code string }

//go:embed codes.csv
var codesCSV []byte

// defaultTable is read once from the embedded file.
var defaultTable = sync.OnceValues(func() (*Table, error) { return readCodes(codesCSV) })

// DefaultTable gives the table of the data file codes.csv, which is part of the program.
func DefaultTable() *Table {
	t, err := defaultTable()
	if err != nil { // a table that does not read cannot be released: TestCodes
		return &Table{}
	}
	return t
}

// LoadTable gives the default table with the rows of a file of the same form: a row whose source and code are in the
// table replaces that one, any other is added. The file is CSV in UTF-8 with the header line
// code,source,outcome,hint,hint_da,origin,date. Errors name the line of the file.
func LoadTable(path string) (*Table, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("table of codes: %w", err)
	}
	own, err := readCodes(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	all := &Table{rows: maps.Clone(DefaultTable().rows)}
	maps.Copy(all.rows, own.rows)
	return all, nil
}

// codesHeader is the first line of a table.
const codesHeader = "code,source,outcome,hint,hint_da,origin,date"

// readCodes reads a table: the header line, then a row per code, with the date as YYYY-MM-DD. It refuses doubles and
// unknown outcomes.
func readCodes(data []byte) (*Table, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.FieldsPerRecord = strings.Count(codesHeader, ",") + 1
	t := &Table{rows: make(map[codeKey]Code)}
	for first := true; ; first = false {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF) && !first:
			return t, nil
		case errors.Is(err, io.EOF), err == nil && first && strings.Join(row, ",") != codesHeader:
			return nil, errors.New("table of codes: line 1: the header is not " + codesHeader)
		case err != nil: // names the line
			return nil, fmt.Errorf("table of codes: %w", err)
		case first:
			continue
		}
		if err := t.add(row); err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("table of codes: line %d: %w", line, err)
		}
	}
}

// add puts one row of the file into the table.
func (t *Table) add(row []string) error {
	for i := range row {
		row[i] = strings.TrimSpace(row[i])
	}
	c := Code{Code: row[0], Source: row[1], Outcome: Outcome(row[2]), Hint: row[3], HintDA: row[4], Origin: row[5]}
	switch at := strings.IndexByte(c.Code, '*'); {
	case c.Code == "":
		return errors.New("the code is empty")
	case at >= 0 && (at == 0 || at < len(c.Code)-1): // "*" alone would give codes nobody knows a meaning
		return errors.New("a * may only end a code, behind what it begins with")
	}
	switch c.Outcome {
	case OutcomeFailed, OutcomeNext, OutcomeRetry:
	default:
		return fmt.Errorf("unknown outcome %q: use %s, %s or %s", row[2], OutcomeFailed, OutcomeNext, OutcomeRetry)
	}
	var err error
	if c.Date, err = time.Parse(time.DateOnly, row[6]); err != nil {
		return errors.New("the date is not of the form 2026-01-31")
	}
	key := codeKey{c.Source, c.Code}
	if _, double := t.rows[key]; double {
		return fmt.Errorf("code %q of source %q is listed twice", c.Code, c.Source)
	}
	t.rows[key] = c
	return nil
}

func (t *Table) orDefault() *Table {
	if t == nil {
		return DefaultTable()
	}
	return t
}

// Codes lists the table, sorted by code and source.
func (t *Table) Codes() []Code {
	return slices.SortedFunc(maps.Values(t.orDefault().rows), func(a, b Code) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Source, b.Source))
	})
}

// Lookup finds a code of the far end, from an answer (FejlId) or from a status
// (FejlKode), whose source is not told. An unlisted code is false; treat it as
// OutcomeFailed.
func (t *Table) Lookup(code string) (Code, bool) { return t.From("", code) }

// From is Lookup for a code whose source (KildeId) is known: the code itself is
// preferred to a longer pattern, that to a shorter one, and among equals a row
// of the source to a row for any. FejlId is unique only together with KildeId
// (KOMBIT HovedOplysningerSvarType.xsd).
func (t *Table) From(source, code string) (Code, bool) {
	t = t.orDefault()
	source, code = strings.TrimSpace(source), strings.TrimSpace(code)
	for _, from := range []string{source, ""} {
		if c, ok := t.rows[codeKey{from, code}]; ok {
			return c, true
		}
	}
	var best Code
	for key, c := range t.rows {
		prefix, pattern := strings.CutSuffix(key.code, "*")
		if !pattern || !strings.HasPrefix(code, prefix) || key.source != source && key.source != "" {
			continue
		}
		if longer := cmp.Compare(len(key.code), len(best.Code)); longer > 0 || longer == 0 && best.Source == "" {
			best = c
		}
	}
	return best, best.Code != ""
}

// Worst gives the outcome that decides when a letter has several: failed comes
// before next, next before retry (the precedence of KMD WorkZone's SmartPost:
// Notify, Try next, Retry). Without any, and for an outcome it does not know,
// the answer is failed.
func Worst(outcomes ...Outcome) Outcome {
	worst := OutcomeRetry
	for _, o := range outcomes {
		switch o {
		case OutcomeRetry:
		case OutcomeNext:
			worst = OutcomeNext
		default:
			return OutcomeFailed
		}
	}
	if len(outcomes) == 0 {
		return OutcomeFailed
	}
	return worst
}
