package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// mail is a mail as it goes to the server: pieces of text, and files that stream between them.
type mail struct {
	pieces []piece
	size   int64
}

type piece struct {
	text []byte
	file *stored // nil: text
}

func (m *mail) text(b []byte) {
	m.pieces = append(m.pieces, piece{text: b})
	m.size += int64(len(b))
}

func (m *mail) file(f stored) {
	m.pieces = append(m.pieces, piece{file: &f})
	m.size += encodedSize(f.Size)
}

// copyTo writes the mail; dots are not doubled.
func (m *mail) copyTo(ctx context.Context, w io.Writer) error {
	for _, p := range m.pieces {
		if p.file == nil {
			if _, err := w.Write(p.text); err != nil {
				return err
			}
			continue
		}
		lines := &lineWriter{w: w}
		encoder := base64.NewEncoder(base64.StdEncoding, lines)
		if err := p.file.copyTo(ctx, encoder); err != nil {
			return err
		}
		if err := encoder.Close(); err != nil {
			return err
		}
		if err := lines.end(); err != nil {
			return err
		}
	}
	return nil
}

// lineChars is the length of a line of base64 in a mail. [src: RFC-2045 6.8]
const lineChars = 76

// encodedSize is the size of n bytes in base64, line ends included.
func encodedSize(n int64) int64 {
	chars := (n + 2) / 3 * 4
	return chars + (chars+lineChars-1)/lineChars*2
}

// lineWriter breaks what it gets into lines.
type lineWriter struct {
	w   io.Writer
	at  int
	out []byte
}

// Write implements io.Writer.
func (l *lineWriter) Write(p []byte) (int, error) {
	l.out = l.out[:0]
	for rest := p; len(rest) > 0; {
		n := min(lineChars-l.at, len(rest))
		l.out = append(l.out, rest[:n]...)
		rest = rest[n:]
		if l.at += n; l.at == lineChars {
			l.out, l.at = append(l.out, "\r\n"...), 0
		}
	}
	if _, err := l.w.Write(l.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *lineWriter) end() error {
	if l.at == 0 {
		return nil
	}
	_, err := io.WriteString(l.w, "\r\n")
	return err
}

// form says what a mail has in it.
type form struct{ documents, memo bool }

// mail writes one. Nothing in its header tells who wrote or about what.
func (b *mailbox) mail(p *inbound.Parcel, f form) *mail {
	m := &mail{}
	sum := sha256.Sum256([]byte(p.Post.ID))
	boundary := "=_" + hex.EncodeToString(sum[:12]) // "=_" is in neither quoted-printable nor base64 [src: RFC-2045 6.7]
	uuid := p.Post.MessageUUID
	if !isUUID(strings.ToLower(uuid)) {
		uuid = p.Post.ID
	}
	var h strings.Builder
	for _, field := range [][2]string{
		{"Date", p.Post.ReceivedAt.In(b.zone).Format("Mon, 2 Jan 2006 15:04:05 -0700")},
		{"From", "<" + b.from + ">"},
		{"To", "<" + b.to + ">"},
		{"Subject", "Digital Post modtaget: " + uuid},
		{"Message-ID", "<" + p.Post.ID + "@" + b.from[strings.LastIndexByte(b.from, '@')+1:] + ">"},
		{"Auto-Submitted", "auto-generated"}, // no holiday notes come back [src: RFC-3834 5]
		{"X-Auto-Response-Suppress", "OOF, AutoReply"},
		{"Content-Language", "da"},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/mixed; boundary="` + boundary + `"`},
	} {
		h.WriteString(field[0] + ": " + field[1] + "\r\n")
	}
	h.WriteString("\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n")
	m.text([]byte(h.String()))
	m.text(quoted(b.words(p, f)))
	attach := func(kind, name string, file stored) {
		m.text([]byte("--" + boundary + "\r\nContent-Type: " + kind +
			"\r\nContent-Disposition: " + disposition(name) + "\r\nContent-Transfer-Encoding: base64\r\n\r\n"))
		m.file(file)
	}
	if f.documents {
		for n, d := range p.Post.Documents {
			attach(mediaType(d.RealType), d.SafeName, documentOf(p, n))
		}
	}
	if f.memo {
		attach("application/xml", fileMemo, memoOf(p))
	}
	m.text([]byte("--" + boundary + "--\r\n"))
	return m
}

// quoted is text in quoted-printable.
func quoted(text string) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a bytes.Buffer does not fail
	_ = w.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

func disposition(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	if s := mime.FormatMediaType("attachment", map[string]string{"filename": name}); s != "" {
		return s
	}
	return "attachment"
}

// mediaType is the type by the bytes, without parameters. A part that claims to be mail or a set of parts would be opened
// up by programs on the way.
func mediaType(declared string) string {
	t, _, err := mime.ParseMediaType(declared)
	if err != nil || !strings.Contains(t, "/") || strings.HasPrefix(t, "multipart/") || strings.HasPrefix(t, "message/") {
		return "application/octet-stream"
	}
	return t
}
