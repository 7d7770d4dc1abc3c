package sf1601

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/csv"
	"fmt"
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
	Code    string    // FejlId or FejlKode, exactly as received
	Source  string    // KildeId the row is limited to, "" for any
	Outcome Outcome   // what it means
	Hint    string    // what an operator can do
	HintDA  string    // the same in Danish
	Origin  string    // where the row was learnt
	Date    time.Time // the origin's date
}

//go:embed codes.csv
var codesCSV []byte

type codeKey struct{ source, code string }

// codeTable is read once from the embedded file and never changed.
var codeTable = sync.OnceValues(func() (map[codeKey]Code, error) { return readCodes(codesCSV) })

// readCodes reads the table: a header line, then code, source, outcome, hint,
// hint_da, origin, date (YYYY-MM-DD). It refuses doubles and unknown outcomes.
func readCodes(data []byte) (map[codeKey]Code, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = 7
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("code table: %w", err)
	}
	table := make(map[codeKey]Code, len(rows))
	for i, row := range rows {
		if i == 0 {
			continue
		}
		date, err := time.Parse(time.DateOnly, row[6])
		if err != nil {
			return nil, fmt.Errorf("code table, line %d: date: %w", i+1, err)
		}
		c := Code{Code: row[0], Source: row[1], Outcome: Outcome(row[2]), Hint: row[3], HintDA: row[4], Origin: row[5], Date: date}
		switch c.Outcome {
		case OutcomeFailed, OutcomeNext, OutcomeRetry:
		default:
			return nil, fmt.Errorf("code table, line %d: unknown outcome %q", i+1, row[2])
		}
		key := codeKey{c.Source, c.Code}
		if _, double := table[key]; double || c.Code == "" {
			return nil, fmt.Errorf("code table, line %d: code %q empty or listed twice", i+1, c.Code)
		}
		table[key] = c
	}
	return table, nil
}

// Codes lists the table, sorted by code.
func Codes() []Code {
	table, err := codeTable()
	if err != nil { // a table that does not read cannot be released: TestCodes
		return nil
	}
	codes := make([]Code, 0, len(table))
	for _, c := range table {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b Code) int { return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Source, b.Source)) })
	return codes
}

// Lookup finds a code of the far end, from an answer (FejlId) or from a status
// (FejlKode), whatever its source. An unlisted code is false; treat it as
// OutcomeFailed. The table is the data file codes.csv.
func Lookup(code string) (Code, bool) { return LookupFrom("", code) }

// LookupFrom is Lookup for a code whose source (KildeId) is known: a row of
// that source is preferred to a row for any source. FejlId is unique only
// together with KildeId (KOMBIT HovedOplysningerSvarType.xsd).
func LookupFrom(source, code string) (Code, bool) {
	table, err := codeTable()
	if err != nil { // a table that does not read cannot be released: TestCodes
		return Code{}, false
	}
	code = strings.TrimSpace(code)
	if c, ok := table[codeKey{strings.TrimSpace(source), code}]; ok {
		return c, true
	}
	c, ok := table[codeKey{"", code}]
	return c, ok
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
