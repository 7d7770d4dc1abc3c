package journal

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// micro is a time as it is stored: microseconds since 1970 UTC.
type micro int64

// Value implements driver.Valuer.
func (m micro) Value() (driver.Value, error) { return int64(m), nil }

// microOf is the argument that stores or compares a time that is never NULL.
func microOf(t time.Time) micro { return micro(t.UnixMicro()) }

// moment reads a time column, NULL for the zero time.
type moment time.Time

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m = moment(time.Time{})
	case int64: // of SQLite
		*m = moment(time.UnixMicro(v).UTC())
	case time.Time: // of PostgreSQL
		*m = moment(v.UTC())
	default:
		return fmt.Errorf("a time is stored as %T", src)
	}
	return nil
}

// micros is the argument that stores t.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return microOf(t)
}

// orNull is the argument that stores s where an empty text is NULL.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// blob is the argument that stores b where no bytes are an empty blob, not NULL.
func blob(b []byte) any {
	if b == nil {
		return []byte{}
	}
	return b
}

// blobOrNull is the argument that stores b where no bytes are NULL.
func blobOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// priority is what is stored of a priority: one that says nothing is normal.
func priority(p gateway.Priority) gateway.Priority { return cmp.Or(p, gateway.Normal) }

// nullText reads a text column whose NULL is "".
type nullText string

// Scan implements sql.Scanner.
func (t *nullText) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = nullText(v)
	default:
		return fmt.Errorf("a text is stored as %T", src)
	}
	return nil
}

// digest reads a SHA-256.
type digest [32]byte

// Scan implements sql.Scanner.
func (d *digest) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(d) {
		return fmt.Errorf("a digest is stored as %T of another length", src)
	}
	copy(d[:], b)
	return nil
}
