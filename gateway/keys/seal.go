package keys

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/brevdue/brevdue/gateway"
)

// hashSize is the length of a keyed hash, in bytes.
const hashSize = 32

// Seal implements gateway.Sealer.
func (k *Keys) Seal(place string, plain []byte) ([]byte, error) {
	r, err := k.sealing()
	if err != nil {
		return nil, err
	}
	sealed, err := r.primary.fields.Encrypt(plain, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("keys: seal under %s: %w", r.primary.id, err)
	}
	return append(r.primary.header(gateway.SealedPiece, len(sealed)), sealed...), nil
}

// Open implements gateway.Sealer.
func (k *Keys) Open(place string, sealed []byte) ([]byte, error) {
	id, is := gateway.SealedUnder(sealed)
	if !is || string(sealed[:4]) != gateway.SealedPiece {
		return nil, fmt.Errorf("%w: it is not sealed", gateway.ErrSealed)
	}
	key, err := k.find(id)
	if err != nil {
		return nil, err
	}
	plain, err := key.fields.Decrypt(sealed[gateway.SealedHeader:], []byte(place))
	if err != nil {
		return nil, spoiled(id)
	}
	return plain, nil
}

// spoiled is the error for what a key that is here does not open. Tink's own says no more.
func spoiled(id string) error {
	return fmt.Errorf("%w: sealed under %s, it was changed or lies in another's place", gateway.ErrSealed, id)
}

// Hashes implements gateway.Sealer. It looks at the file first: what another process has just stored under a new key must be
// found.
func (k *Keys) Hashes(kind string, value []byte) ([][]byte, error) {
	k.looking.Lock()
	_ = k.refresh() // sealing tells whether that may be
	k.looking.Unlock()
	r, err := k.sealing()
	if err != nil {
		return nil, err
	}
	input := make([]byte, 0, len(kind)+1+len(value))
	input = append(append(append(input, kind...), 0), value...)
	out := make([][]byte, 0, len(r.keys))
	for _, key := range slices.Backward(r.keys) { // the newest, which is the primary, first
		hash, err := key.hashes.ComputePrimaryPRF(input, hashSize)
		if err != nil {
			return nil, fmt.Errorf("keys: hash under %s: %w", key.id, err)
		}
		out = append(out, hash)
	}
	return out, nil
}

// SealTo implements gateway.StreamSealer.
func (k *Keys) SealTo(w io.Writer, place string) (io.WriteCloser, error) {
	r, err := k.sealing()
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(r.primary.header(gateway.SealedStream, 0)); err != nil {
		return nil, err
	}
	out, err := r.primary.streams.NewEncryptingWriter(w, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("keys: seal under %s: %w", r.primary.id, err)
	}
	return out, nil
}

// OpenFrom implements gateway.StreamSealer.
func (k *Keys) OpenFrom(r io.Reader, place string) (io.Reader, error) {
	var header [gateway.SealedHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("%w: it is not sealed", gateway.ErrSealed)
		}
		return nil, err
	}
	id, is := gateway.SealedUnder(header[:])
	if !is || string(header[:4]) != gateway.SealedStream {
		return nil, fmt.Errorf("%w: it is not sealed", gateway.ErrSealed)
	}
	key, err := k.find(id)
	if err != nil {
		return nil, err
	}
	source := &noted{r: r}
	plain, err := key.streams.NewDecryptingReader(source, []byte(place))
	if err != nil {
		return nil, source.cause(id)
	}
	return &opening{id: id, source: source, plain: plain}, nil
}

// noted remembers what was wrong with a source, so that a disk's failure is not taken for a changed file.
type noted struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (n *noted) Read(p []byte) (int, error) {
	m, err := n.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return m, err
}

func (n *noted) cause(id string) error {
	if n.err != nil {
		return n.err
	}
	return spoiled(id)
}

// opening turns the stream's words into the gateway's.
type opening struct {
	id     string
	source *noted
	plain  io.Reader
	err    error
}

// Read implements io.Reader.
func (o *opening) Read(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.plain.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.source.cause(o.id)
	}
	o.err = err
	return n, err
}
