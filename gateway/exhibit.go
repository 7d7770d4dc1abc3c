package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Part is a piece of what leaves: bytes that stand in it as they are, or a content in base64.
type Part struct {
	Text []byte // as it is; the part is a content when Open is not nil

	// Open reads the content from its first byte, any number of times.
	Open func(ctx context.Context) (io.ReadCloser, error)
	Size int64 // of the content, before base64
	// SHA256 names a document of the intent, in lower-case hex, which is kept already; "": the content is kept with the
	// letter.
	SHA256 string
	// Lines says that the base64 stands in lines of 76 characters, each ended by CR LF, as in mail (RFC 2045 section 6.8),
	// and not in one.
	Lines bool
}

// Skeleton is what a request is put together from again, byte for byte, whatever has become of settings, sender profiles
// and program: its own bytes, compressed, with holes where the documents of the intent go. name and contentType are those of
// the [Exhibit]. Contents that are no documents are kept in it, or in the document store when they are large.
//
// It holds personal data: it belongs into the journal, and nowhere else.
func (g *Gateway) Skeleton(ctx context.Context, name, contentType string, parts []Part) ([]byte, error) {
	s := skeleton{name: name, contentType: contentType, parts: make([]bone, 0, len(parts))}
	for n, p := range parts {
		b, err := g.bone(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("gateway: part %d of what is about to leave: %w", n, err)
		}
		s.parts = append(s.parts, b)
	}
	return s.encode()
}

func (g *Gateway) bone(ctx context.Context, p Part) (bone, error) {
	if p.Open == nil {
		return bone{kind: boneText, text: p.Text, size: int64(len(p.Text))}, nil
	}
	b := bone{kind: boneDocument, size: p.Size, lines: p.Lines}
	name := p.SHA256
	if name == "" {
		r, err := p.Open(ctx)
		if err != nil {
			return b, err
		}
		defer func() { _ = r.Close() }()
		if p.Size <= MaxInline {
			b.kind, b.text = boneContent, make([]byte, p.Size)
			_, err := io.ReadFull(r, b.text)
			return b, err
		}
		if name, _, err = g.documents.Put(ctx, r, p.Size); err != nil {
			return b, err
		}
	}
	sum, err := hex.DecodeString(name)
	if err != nil || len(sum) != sha256.Size {
		return b, errors.New("a document without its SHA-256")
	}
	b.sum = [sha256.Size]byte(sum)
	return b, nil
}

// KeepRequest stores what is about to leave in an attempt, for a channel without signed manifests. Such a channel is no
// [Witness] by it: an attempt that keeps no request may have left all the same.
func (g *Gateway) KeepRequest(ctx context.Context, k Kept) error {
	return g.journal.Update(ctx, func(tx Tx) error { return tx.KeepRequest(&k) })
}

// Dossier collects what is known about a message of the producer ("" for any). Request is read when it is opened.
// ErrNotFound.
func (g *Gateway) Dossier(ctx context.Context, producer, messageID string) (*Dossier, error) {
	d, kept, err := g.journal.Dossier(ctx, producer, messageID)
	if err != nil {
		return nil, err
	}
	d.Sender = g.senders[d.Intent.Sender]
	if kept == nil || kept.Skeleton == nil {
		return d, nil
	}
	s, err := decodeSkeleton(kept.Skeleton)
	if err != nil {
		return nil, fmt.Errorf("gateway: the request kept with %s: %w", kept.AttemptID, err)
	}
	d.Request = &Exhibit{
		Name: s.name, ContentType: s.contentType, Size: s.size(), Digest: kept.Digest,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			return &exhibitReader{
				ctx: ctx, open: g.kept(d.Intent), parts: s.parts, left: s.size(), want: kept.Digest, hash: sha256.New(),
				attempt: kept.AttemptID,
			}, nil
		},
	}
	return d, nil
}

// kept opens a document by its digest: of the intent, or of the store.
func (g *Gateway) kept(i *Intent) func(ctx context.Context, sum [sha256.Size]byte) (io.ReadCloser, error) {
	open := g.open(i)
	return func(ctx context.Context, sum [sha256.Size]byte) (io.ReadCloser, error) {
		name := hex.EncodeToString(sum[:])
		for n, d := range i.Content.Documents {
			if d.SHA256 == name {
				return open(ctx, n)
			}
		}
		return g.documents.Open(ctx, name)
	}
}

// ErrExhibit is what reading an [Exhibit] ends with when its bytes are not those that were to be sent.
var ErrExhibit = errors.New("what was kept is not what was to be sent")

// exhibitReader puts a request together. The last bytes are handed out only when the digest of the whole is the one that
// was kept.
type exhibitReader struct {
	ctx     context.Context //nolint:containedctx // an io.Reader has no other way to be cancelled
	open    func(ctx context.Context, sum [sha256.Size]byte) (io.ReadCloser, error)
	parts   []bone
	left    int64 // bytes that were not handed out
	want    [sha256.Size]byte
	attempt string
	hash    hash.Hash
	next    int
	part    io.Reader
	file    io.Closer // of the part; nil: nothing to close
	err     error
}

// Read implements io.Reader.
func (r *exhibitReader) Read(p []byte) (int, error) {
	for len(p) > 0 && r.err == nil {
		if r.err = r.ctx.Err(); r.err != nil {
			break
		}
		if r.part == nil {
			if r.next == len(r.parts) {
				r.err = r.finish()
				break
			}
			r.err = r.begin(&r.parts[r.next])
			r.next++
			continue
		}
		n, err := r.part.Read(p)
		_, _ = r.hash.Write(p[:n]) // never fails: hash.Hash
		if r.left -= int64(n); r.left == 0 && n > 0 && !r.whole() {
			n, err = 0, ErrExhibit
		}
		if errors.Is(err, io.EOF) {
			err = r.end()
		}
		if err != nil {
			r.err = r.fail(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, r.err
}

func (r *exhibitReader) begin(b *bone) error {
	switch b.kind {
	case boneText:
		r.part = bytes.NewReader(b.text)
	case boneContent:
		r.part = newBase64Reader(bytes.NewReader(b.text), b.size, b.lines)
	default:
		file, err := r.open(r.ctx, b.sum)
		if err != nil {
			return r.fail(err)
		}
		r.file, r.part = file, newBase64Reader(file, b.size, b.lines)
	}
	return nil
}

func (r *exhibitReader) end() error {
	r.part = nil
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file = nil
	return file.Close()
}

// whole says whether what was read has the digest that was kept.
func (r *exhibitReader) whole() bool { return [sha256.Size]byte(r.hash.Sum(nil)) == r.want }

func (r *exhibitReader) finish() error {
	if !r.whole() {
		return r.fail(ErrExhibit)
	}
	return io.EOF
}

func (r *exhibitReader) fail(err error) error {
	return fmt.Errorf("gateway: the request of %s: %w", r.attempt, err)
}

// Close implements io.Closer.
func (r *exhibitReader) Close() error {
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
	return r.end()
}
