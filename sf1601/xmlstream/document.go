// Package xmlstream writes a small XML structure around large file contents in constant memory.
//
// The job in the order it happens:
//
//  1. The caller builds the structure with etree and puts a Placeholder where the base64 of a file belongs.
//  2. New serialises the structure once, in exclusive canonical form, and cuts it at the placeholders. A Builder does
//     both steps in one, without a tree. From here on the length of the whole document is known (Size), before a byte of
//     any file has been read.
//  3. Canonical and Digest give what a signature needs, WithLastChild puts an enveloped signature in.
//  4. Open streams text and contents in turn, encoding each content to base64 through one small pooled buffer.
//
// The output is always exclusive canonical XML without comments, so the bytes that are digested are the bytes that are
// sent and nobody has to canonicalise 100 MB to verify them. [src: EXC-C14N]
//
// Not covered: documents with a DTD, processing instructions other than placeholders, comments (they are left out, as
// canonical form without comments says).
package xmlstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/beevik/etree"
)

// Declaration is the XML declaration that stands before the root of every Document that is not Canonical.
const Declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

const placeholderTarget = "content"

// Document is a small XML structure around large contents. It is immutable and safe for concurrent use as long as its
// contents are.
type Document struct {
	declaration string
	text        []byte // the canonical structure without the contents
	cuts        []cut  // ascending
	contents    []Content
	sizes       []int64 // of contents, asked once
	size        int64
}

// cut is a place in the text where a content is written.
type cut struct {
	at      int // offset in text
	content int // index of the content
}

// Placeholder returns the token that stands where the base64 of contents[n] is written: the processing instruction
// `<?content n?>`. Text cannot forge it, because `<` in text is escaped.
func Placeholder(n int) etree.Token {
	return etree.NewProcInst(placeholderTarget, strconv.Itoa(n))
}

// New serialises root and binds contents to its placeholders. The tree is not changed and not kept.
//
// Every prefix used must be declared on root or below it; every content must have exactly one placeholder. Text and
// attribute values must be UTF-8 made of characters that XML 1.0 allows (section 2.2): anything else is an error that
// names the element, never a silent replacement. No error repeats text from the tree.
func New(root *etree.Element, contents []Content) (*Document, error) {
	if root == nil {
		return nil, errors.New("xmlstream: no root element")
	}
	var w canonicalWriter
	if err := w.element(root); err != nil {
		return nil, fmt.Errorf("xmlstream: %w", err)
	}
	d := &Document{declaration: Declaration, text: w.buf, cuts: w.cuts, contents: slices.Clone(contents)}
	if err := d.bind(); err != nil {
		return nil, err
	}
	return d, nil
}

// bind checks that placeholders and contents pair up and adds up the size.
func (d *Document) bind() error {
	used := make([]bool, len(d.contents))
	for _, c := range d.cuts {
		switch {
		case c.content >= len(d.contents):
			return fmt.Errorf("xmlstream: placeholder %d has no content (%d given)", c.content, len(d.contents))
		case used[c.content]:
			return fmt.Errorf("xmlstream: placeholder %d stands twice", c.content)
		}
		used[c.content] = true
	}
	size := int64(len(d.declaration) + len(d.text))
	d.sizes = make([]int64, len(d.contents))
	for i, c := range d.contents {
		if !used[i] {
			return fmt.Errorf("xmlstream: content %d has no placeholder", i)
		}
		if c == nil {
			return fmt.Errorf("xmlstream: content %d is nil", i)
		}
		n := c.Size()
		if n < 0 || n > math.MaxInt64/4 || encodedLen(n) > math.MaxInt64-size {
			return fmt.Errorf("xmlstream: content %d has an impossible size", i)
		}
		d.sizes[i] = n
		size += encodedLen(n)
	}
	d.size = size
	return nil
}

// encodedLen is the length of n raw bytes in padded base64.
func encodedLen(n int64) int64 { return (n + 2) / 3 * 4 }

// Size is the number of bytes Open streams, the declaration included.
func (d *Document) Size() int64 { return d.size }

// Canonical returns the same document without the XML declaration: the canonical octets of the root element, which is
// what an enveloped signature digests.
func (d *Document) Canonical() *Document {
	c := *d
	c.size -= int64(len(c.declaration))
	c.declaration = ""
	return &c
}

// WithLastChild returns a document with fragment just before the root's end tag. fragment must be one element in
// exclusive canonical form that declares the prefixes it uses (a ds:Signature); it is not checked.
func (d *Document) WithLastChild(fragment []byte) *Document {
	end := bytes.LastIndexByte(d.text, '<') // the root's end tag is the last tag of a canonical document
	c := *d
	c.text = slices.Concat(d.text[:end], fragment, d.text[end:])
	c.size += int64(len(fragment))
	return &c
}

// Digest is the SHA-256 over exactly what Open streams. It reads every content once.
func (d *Document) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	body := d.Open(ctx)
	defer func() { _ = body.Close() }()
	buf := takeBuffer()
	defer buffers.Put(buf)
	h := sha256.New()
	if _, err := io.CopyBuffer(h, body, buf[:]); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// Open streams the document from its first byte. Reading fails with a *ContentError when a content cannot be read or
// yields fewer or more bytes than its Size, and with ctx's error once ctx has ended. Close closes the content that is
// open, may be called while a Read is running (it ends that Read) and more than once. A reader that is read to its end
// must be closed too.
func (d *Document) Open(ctx context.Context) io.ReadCloser {
	ctx, cancel := context.WithCancel(ctx)
	return &reader{ctx: ctx, cancel: cancel, doc: d, declaration: d.declaration}
}
