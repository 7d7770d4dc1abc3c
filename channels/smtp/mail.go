package smtp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

// mail is a letter as it goes over the wire: the envelope, and pieces of text between which the documents stream.
type mail struct {
	from, to string // envelope
	utf8     bool   // an address needs SMTPUTF8
	id       string // Message-ID, without its brackets
	pieces   []piece
	size     int64 // bytes of the whole mail
	open     func(ctx context.Context, n int) (io.ReadCloser, error)
	digest   *[sha256.Size]byte                           // of the whole mail, when it was sealed
	whole    func(ctx context.Context, w io.Writer) error // writes the whole mail, which then has no pieces; nil: it has
}

// piece is text, or a document that is read when its turn comes.
type piece struct {
	text     []byte
	document int
	length   int64 // of the document, before base64; negative: this piece is text
}

func (m *mail) text(b []byte) {
	m.pieces = append(m.pieces, piece{text: b, length: -1})
	m.size += int64(len(b))
}

func (m *mail) document(n int, length int64) {
	m.pieces = append(m.pieces, piece{document: n, length: length})
	m.size += encodedSize(length)
}

// documentError is a document that could not be read. It is ours, not the server's.
type documentError struct{ cause error }

func (e *documentError) Error() string { return "smtp: a document cannot be read" }
func (e *documentError) Unwrap() error { return e.cause }

var errChanged = errors.New("the document is not what it was")

// seal reads the mail once and remembers its digest: sendTo sends no other.
func (m *mail) seal(ctx context.Context) error {
	h := sha256.New()
	if err := m.writeTo(ctx, h); err != nil {
		return err
	}
	m.digest = (*[sha256.Size]byte)(h.Sum(nil))
	return nil
}

// sendTo is writeTo that fails at its end when a sealed mail is not what it was.
func (m *mail) sendTo(ctx context.Context, w io.Writer) error {
	if m.digest == nil {
		return m.writeTo(ctx, w)
	}
	h := sha256.New()
	if err := m.writeTo(ctx, io.MultiWriter(h, w)); err != nil {
		return err
	}
	if [sha256.Size]byte(h.Sum(nil)) != *m.digest {
		return &documentError{errChanged}
	}
	return nil
}

// parts is the mail for whoever keeps it.
func (m *mail) parts(documents []gateway.Document) []gateway.Part {
	parts := make([]gateway.Part, len(m.pieces))
	for i, p := range m.pieces {
		if p.length < 0 {
			parts[i].Text = p.text
			continue
		}
		parts[i] = gateway.Part{
			Open:   func(ctx context.Context) (io.ReadCloser, error) { return m.open(ctx, p.document) },
			SHA256: documents[p.document].SHA256, Size: p.length, Lines: true,
		}
	}
	return parts
}

var errLength = errors.New("the document is not as long as it was")

// writeTo writes the mail. What fails in a document is a *documentError; anything else failed in w.
func (m *mail) writeTo(ctx context.Context, w io.Writer) error {
	if m.whole != nil {
		return m.whole(ctx, w)
	}
	for _, p := range m.pieces {
		if p.length < 0 {
			if _, err := w.Write(p.text); err != nil {
				return err
			}
			continue
		}
		if err := m.writeDocument(ctx, w, p); err != nil {
			return err
		}
	}
	return nil
}

func (m *mail) writeDocument(ctx context.Context, w io.Writer, p piece) error {
	r, err := m.open(ctx, p.document)
	if err != nil {
		return &documentError{err}
	}
	defer func() { _ = r.Close() }()
	n, err := writeBase64(w, r, p.length)
	if err == nil && n != p.length {
		err = &documentError{errLength}
	}
	return err
}

// The lines of base64 in a mail. [src: RFC-2045 6.8]
const (
	lineBytes = 57
	lineChars = 76
	blockSize = 511 * lineBytes
)

// encodedSize is the size of n bytes in base64, line ends included.
func encodedSize(n int64) int64 {
	return (n+2)/3*4 + (n+lineBytes-1)/lineBytes*2
}

// writeBase64 copies r, which is about length long, to w in base64 and returns how many bytes it read.
func writeBase64(w io.Writer, r io.Reader, length int64) (int64, error) {
	lines := min(blockSize, length)/lineBytes + 1
	in, out := make([]byte, lines*lineBytes), make([]byte, 0, lines*(lineChars+2))
	var total int64
	for {
		n, err := io.ReadFull(r, in)
		total += int64(n)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return total, &documentError{err}
		}
		out = out[:0]
		for at := 0; at < n; at += lineBytes {
			out = base64.StdEncoding.AppendEncode(out, in[at:min(at+lineBytes, n)])
			out = append(out, "\r\n"...)
		}
		if _, werr := w.Write(out); werr != nil {
			return total, werr
		}
		if err != nil {
			return total, nil //nolint:nilerr // the end of the document
		}
	}
}

// quoted is text in quoted-printable. A line that starts with a dot or "From " is no matter: the session doubles dots.
func quoted(text string) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a bytes.Buffer does not fail
	_ = w.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

// boundaries are made from the message's identity, so that every attempt sends the same bytes. "=_" is what neither
// quoted-printable nor base64 can hold, so they never stand in the text. [src: RFC-2045 6.7]
func boundary(id, part string) string {
	sum := sha256.Sum256([]byte(id + "\n" + part))
	return "=_" + part + "_" + hex.EncodeToString(sum[:12])
}

// compose makes the mail of a letter. The error is of the caller's making: Check has told everything that a producer can
// do about it.
func (c *Channel) compose(l gateway.Letter) (*mail, error) {
	i := l.Intent
	from, _, err := address(l.Sender.From)
	if err != nil {
		return nil, fmt.Errorf("sender profile: %w", err)
	}
	to, needed, err := address(i.Recipient.Email.Reveal())
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	p, err := c.plan(l)
	if err != nil {
		return nil, err
	}
	m := &mail{from: from, to: to, utf8: needed, open: l.Open}
	m.id = l.Message.ID + "@" + from[strings.LastIndexByte(from, '@')+1:]

	var h header
	h.add("Date", date(p.date, c.cfg.Zone))
	h.add("From", mailbox(l.Sender.Label, from))
	h.add("To", mailbox(i.Recipient.Name.Reveal(), to))
	h.add("Subject", unstructured(i.Content.Title))
	h.add("Message-ID", "<"+m.id+">")
	h.add("Auto-Submitted", "auto-generated") // no holiday notes come back [src: RFC-3834 5]
	h.add("X-Auto-Response-Suppress", "OOF, AutoReply")
	h.add("Content-Language", "da")
	h.add("MIME-Version", "1.0")

	mixed, alternative := boundary(l.Message.ID, "mixed"), boundary(l.Message.ID, "alternative")
	if len(p.attached)+len(p.calendars) > 0 {
		h.add("Content-Type", `multipart/mixed; boundary="`+mixed+`"`)
		h.WriteString("\r\n--" + mixed + "\r\n")
	} else {
		mixed = ""
	}
	h.add("Content-Type", `multipart/alternative; boundary="`+alternative+`"`)
	h.WriteString("\r\n--" + alternative + "\r\n")
	h.add("Content-Type", "text/plain; charset=utf-8")
	h.add("Content-Transfer-Encoding", "quoted-printable")
	h.WriteString("\r\n")
	h.Write(quoted(p.plain()))
	h.WriteString("--" + alternative + "\r\n")
	h.add("Content-Type", "text/html; charset=utf-8")
	h.add("Content-Transfer-Encoding", "quoted-printable")
	h.WriteString("\r\n")
	html, err := p.html()
	if err != nil {
		return nil, err
	}
	h.Write(quoted(html))
	h.WriteString("--" + alternative + "--\r\n")
	m.text([]byte(h.String()))
	if mixed != "" {
		c.attach(m, l, p, mixed)
	}
	return m, nil
}

// attach adds the documents and calendar files, and ends the mail.
func (*Channel) attach(m *mail, l gateway.Letter, p *plan, mixed string) {
	part := func(kind, filename string) {
		var h header
		h.WriteString("--" + mixed + "\r\n")
		h.add("Content-Type", kind)
		h.add("Content-Disposition", parameters("attachment", "filename", filename))
		h.add("Content-Transfer-Encoding", "base64")
		h.WriteString("\r\n")
		m.text([]byte(h.String()))
	}
	for _, f := range p.calendars {
		part(f.kind, f.filename)
		var b bytes.Buffer
		_, _ = writeBase64(&b, bytes.NewReader(f.content), int64(len(f.content))) // neither side fails
		m.text(b.Bytes())
	}
	for _, n := range p.attached {
		d := l.Intent.Content.Documents[n]
		part(contentType(d), d.Filename)
		m.document(n, d.Size)
	}
	m.text([]byte("--" + mixed + "--\r\n"))
}
