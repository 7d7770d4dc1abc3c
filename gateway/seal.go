package gateway

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Sealer seals what is personal before it is stored, each piece for the one place where it will lie. What was sealed for one
// place cannot be opened as another's, so that nobody who can write to a store can move a letter from one person to another.
// Package gateway/keys has one. It is safe for concurrent use.
type Sealer interface {
	// Seal returns plain sealed for a place: any text that is different for every place, such as table, column and row.
	// ErrUnavailable when the keys cannot be looked at now.
	Seal(place string, plain []byte) ([]byte, error)
	// Open returns what was sealed for the place. ErrSealed, with the id of the key, when it cannot be opened: the key is not
	// here, the bytes were changed, or they are another place's.
	Open(place string, sealed []byte) ([]byte, error)
	// Current is the id of the key that seals now.
	Current() (string, error)
	// Hashes returns keyed hashes, 32 bytes each, of a value: under the key that seals now, then under those that sealed before.
	// The kind ("cpr", "document") keeps equal values of different kinds apart.
	Hashes(kind string, value []byte) ([][]byte, error)
}

// StreamSealer seals what is too large to be in memory.
type StreamSealer interface {
	Sealer
	// SealTo returns a writer that writes what it is given sealed to w. Only Close, which leaves w open, makes it whole.
	SealTo(w io.Writer, place string) (io.WriteCloser, error)
	// OpenFrom reads what SealTo wrote for the place. What it yields is verified piece by piece before it is handed out; a
	// shortened file ends in ErrSealed, not io.EOF.
	OpenFrom(r io.Reader, place string) (io.Reader, error)
}

// What is wrong with something sealed that cannot be opened.
var (
	// ErrSealed is the family of these errors.
	ErrSealed = errors.New("it is sealed and cannot be opened")
	// ErrNoKey is an ErrSealed: its key is not here.
	ErrNoKey = fmt.Errorf("%w: the key is missing", ErrSealed)
)

// What is sealed begins with four fixed bytes, the last of which is the form, and the id of its key.
const (
	// SealedHeader is how many bytes stand before what is sealed.
	SealedHeader = 8
	// SealedPiece and SealedStream are the beginnings of what Seal and SealTo make.
	SealedPiece  = "\xbdBD\x01"
	SealedStream = "\xbdBD\x02"
)

// SealedUnder returns the id of the key that b, or what begins with b, was sealed under; false when it is not sealed.
func SealedUnder(b []byte) (key string, sealed bool) {
	if len(b) < SealedHeader || !bytes.HasPrefix(b, []byte(SealedPiece)) && !bytes.HasPrefix(b, []byte(SealedStream)) {
		return "", false
	}
	return hex.EncodeToString(b[4:SealedHeader]), true
}
