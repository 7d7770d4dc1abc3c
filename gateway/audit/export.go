package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// line is an entry, or in the last line the head, as NDJSON has it. Times are RFC 3339 with microseconds, bytes lower-case
// hexadecimal.
type line struct {
	Seq          int64  `json:"seq"`
	At           string `json:"at,omitempty"`
	Who          string `json:"who,omitempty"`
	How          string `json:"how,omitempty"`
	Action       string `json:"action,omitempty"`
	Object       string `json:"object,omitempty"`
	From         string `json:"from,omitempty"`
	Reason       string `json:"reason,omitempty"`
	Salt         string `json:"salt,omitempty"`
	ReasonDigest string `json:"reasonDigest,omitempty"`
	Previous     string `json:"previous,omitempty"`
	Hash         string `json:"hash,omitempty"`
	Head         bool   `json:"head,omitempty"`
}

// stamp is the form of a time.
const stamp = "2006-01-02T15:04:05.000000Z"

// Export writes the chain to w, one entry a line, while it verifies it; the last line is the head. Reasons are left out unless
// they are asked for. It ends with the first entry that is broken.
func Export(ctx context.Context, j gateway.AuditReader, w io.Writer, reasons bool) (gateway.AuditHead, error) {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	walk := NewWalk()
	err := each(ctx, j, func(e *gateway.AuditEntry) error {
		if err := walk.Next(e); err != nil {
			return err
		}
		l := line{
			Seq: e.Seq, At: e.At.UTC().Format(stamp), Who: e.Who, How: e.How, Action: e.Action, Object: e.Object, From: e.From,
			ReasonDigest: hex.EncodeToString(e.ReasonDigest[:]), Previous: hex.EncodeToString(e.Previous[:]),
			Hash: hex.EncodeToString(e.Hash[:]),
		}
		if reasons {
			l.Reason, l.Salt = e.Reason, hex.EncodeToString(e.Salt)
		}
		return enc.Encode(l)
	})
	if err == nil {
		err = enc.Encode(line{Seq: walk.head.Seq, Hash: hex.EncodeToString(walk.head.Hash[:]), Head: true})
	}
	return walk.head, errors.Join(err, out.Flush())
}

// maxLine bounds a line of an export, in bytes.
const maxLine = 64 << 10

// ReadExport verifies what Export wrote and returns its end. An export without its last line is cut off. Kept heads are those
// of [Verify].
func ReadExport(r io.Reader, kept ...gateway.AuditHead) (gateway.AuditHead, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 4096), maxLine)
	walk := NewWalk(kept...)
	for n := 1; scanner.Scan(); n++ {
		var l line
		dec := json.NewDecoder(bytes.NewReader(scanner.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			return walk.head, fmt.Errorf("audit: line %d is not one of an export", n)
		}
		if l.Head {
			if FormatHead(walk.head) != fmt.Sprintf("%d:%s", l.Seq, l.Hash) {
				return walk.head, &gateway.AuditBreak{Seq: walk.head.Seq + 1, Why: "the export's last line is another chain's"}
			}
			if scanner.Scan() {
				return walk.head, &gateway.AuditBreak{Seq: l.Seq + 1, Why: "something follows the export's last line"}
			}
			return walk.End()
		}
		e, err := l.entry()
		if err != nil {
			return walk.head, fmt.Errorf("audit: line %d: %w", n, err)
		}
		if err := walk.Next(e); err != nil {
			return walk.head, err
		}
	}
	if err := scanner.Err(); err != nil {
		return walk.head, fmt.Errorf("audit: %w", err)
	}
	return walk.head, &gateway.AuditBreak{Seq: walk.head.Seq + 1, Why: "the export's last line is missing"}
}

func (l *line) entry() (*gateway.AuditEntry, error) {
	at, err := time.Parse(stamp, l.At)
	if err != nil {
		return nil, errors.New("at is not a time")
	}
	e := &gateway.AuditEntry{
		Seq: l.Seq, At: at, Who: l.Who, How: l.How, Action: l.Action, Object: l.Object, From: l.From, Reason: l.Reason,
	}
	if e.Salt, err = hex.DecodeString(l.Salt); err != nil {
		return nil, errors.New("salt is not hexadecimal")
	}
	for _, f := range []struct {
		name, hex string
		to        *[32]byte
	}{{"reasonDigest", l.ReasonDigest, &e.ReasonDigest}, {"previous", l.Previous, &e.Previous}, {"hash", l.Hash, &e.Hash}} {
		raw, err := hex.DecodeString(f.hex)
		if err != nil || len(raw) != len(f.to) {
			return nil, fmt.Errorf("%s is not a SHA-256", f.name)
		}
		*f.to = [32]byte(raw)
	}
	return e, nil
}
