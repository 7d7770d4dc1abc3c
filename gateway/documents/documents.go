// Package documents keeps files in a folder under the SHA-256 of their content.
//
// The job, in the order it happens:
//
//  1. [Open] makes the folder, and removes what a crash left half written there.
//  2. [Folder.Put] streams a document into a temporary file on the same file system while it hashes it, flushes the
//     file to the disk, gives it its final name and flushes the folders that hold the name. Only then does it return,
//     so a document that was answered for is there after a power cut. The same content again is the same file.
//  3. [Folder.Open] gives a document back from its first byte.
//
// A document of any size costs one buffer of memory. The folder's files are readable by this user alone. Names in it
// are hashes, never filenames, so nothing that a producer sends can become a path.
//
// With [Options.Sealer] what is put is sealed, under a keyed hash of its SHA-256, so that neither content nor name tells
// which document it is. What lay there before is read as ever, and [Folder.Reseal] seals it. See seal.go.
package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// staleAfter is how old a temporary file is before Open takes it for what a crash left.
const staleAfter = time.Hour

// bufferSize is the memory that one Put needs, in bytes.
const bufferSize = 64 << 10

// Options says how a folder is opened. The zero value is fit for production.
type Options struct {
	// Now tells which temporary files are old. Default time.Now.
	Now func() time.Time
	// Sealer seals what is put. nil: it is stored as it is, and a folder that holds sealed documents is not opened.
	Sealer gateway.StreamSealer
}

// Folder is a gateway.Documents in a folder. It is safe for concurrent use, also by several processes.
type Folder struct {
	dir     string
	sealer  gateway.StreamSealer // nil: none
	buffers sync.Pool
}

var _ gateway.Documents = (*Folder)(nil)

// Open opens the store at url, "file:DIR", and makes the folder (mode 0700) when there is none.
func Open(url string, opts Options) (*Folder, error) {
	dir, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	f := &Folder{dir: dir, sealer: opts.Sealer}
	if err := f.refuseSealed(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.temporary(), 0o700); err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	if err := syncFolder(dir); err != nil {
		return nil, err
	}
	if err := f.clean(opts.Now().Add(-staleAfter)); err != nil {
		return nil, err
	}
	return f, nil
}

func parseURL(url string) (string, error) {
	scheme, dir, _ := strings.Cut(url, ":")
	switch {
	case scheme == "s3":
		return "", errors.New("documents: S3 is not in this version; use file:DIR")
	case scheme != "file" || dir == "":
		return "", errors.New("documents: the url must be file:DIR") // not the url itself: others carry passwords
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("documents: %w", err)
	}
	return dir, nil
}

// temporary is the folder of files that are being written: on the same file system, so that a file moves in one step.
func (f *Folder) temporary() string { return filepath.Join(f.dir, "tmp") }

// clean removes temporary files that were last written before the given time.
func (f *Folder) clean(before time.Time) error {
	entries, err := os.ReadDir(f.temporary())
	if err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // another process finished it
			continue
		}
		if err != nil {
			return fmt.Errorf("documents: %w", err)
		}
		if !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		if err := os.Remove(filepath.Join(f.temporary(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("documents: %w", err)
		}
	}
	return nil
}

// Put implements gateway.Documents. It stops when ctx ends, between two reads of r; on any error nothing is kept.
func (f *Folder) Put(ctx context.Context, r io.Reader, limit int64) (string, int64, error) {
	temp, err := os.CreateTemp(f.temporary(), "put-*") // mode 0600
	if err != nil {
		return "", 0, fmt.Errorf("documents: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already when it got its name

	sum, size, err := f.fill(ctx, temp, r, limit)
	if errClose := temp.Close(); err == nil && errClose != nil {
		err = fmt.Errorf("documents: %w", errClose)
	}
	if err != nil {
		return "", 0, err
	}
	if err := f.name(temp.Name(), sum); err != nil {
		return "", 0, err
	}
	return sum, size, nil
}

// fill copies r into temp, at most limit bytes, flushes it and returns the hash and the size of what it wrote.
func (f *Folder) fill(ctx context.Context, temp *os.File, r io.Reader, limit int64) (string, int64, error) {
	buffer, ok := f.buffers.Get().(*[bufferSize]byte)
	if !ok {
		buffer = new([bufferSize]byte)
	}
	defer f.buffers.Put(buffer)
	hash := sha256.New()
	to, err := f.seal(temp)
	if err != nil {
		return "", 0, fmt.Errorf("documents: %w", err)
	}
	// Neither side has a method that would make io.CopyBuffer go around the buffer.
	size, err := io.CopyBuffer(io.MultiWriter(to, hash), &limited{ctx: ctx, r: r, left: limit}, buffer[:])
	if err == nil {
		err = to.Close()
	}
	if err != nil {
		return "", 0, fmt.Errorf("documents: %w", err)
	}
	if err := temp.Sync(); err != nil {
		return "", 0, fmt.Errorf("documents: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), size, nil
}

// name gives a finished temporary file its place. When the content is there already, it stays as it is.
func (f *Folder) name(temp, sum string) error {
	path, err := f.newPath(sum)
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	if err := os.Rename(temp, path); err != nil { // over the same content, if it is there
		return fmt.Errorf("documents: %w", err)
	}
	// The name is in the last folder, that folder's name in the one above, and so on: all are flushed, since another
	// Put may have made them just now and not flushed them yet.
	return f.syncAbove(path)
}

// syncAbove flushes the names of a file and of the folders above it.
func (f *Folder) syncAbove(path string) error {
	for dir := filepath.Dir(path); len(dir) >= len(f.dir); dir = filepath.Dir(dir) {
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	return nil
}

// path is where a document lies: ab/cd/abcd... keeps the folders small.
func (f *Folder) path(sum string) string { return filepath.Join(f.dir, sum[:2], sum[2:4], sum) }

// Open implements gateway.Documents; the reader is an *os.File when the document is not sealed. Anything but 64 lower-case
// hexadecimal digits is ErrNotFound: no document has such a name, and no path can be made of it. Reading one that was changed
// or exchanged ends in gateway.ErrSealed, not io.EOF.
func (f *Folder) Open(ctx context.Context, sum string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !isDigest(sum) {
		return nil, fmt.Errorf("documents: not a SHA-256 in lower-case hexadecimal: %w", gateway.ErrNotFound)
	}
	file, err := f.openSealed(sum)
	if err != nil || file != nil {
		return file, err
	}
	plain, err := os.Open(f.path(sum))
	switch {
	case err == nil:
		return plain, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("documents: %w", err)
	}
	if file, err = f.openSealed(sum); err != nil || file != nil { // it was sealed between the two
		return file, err
	}
	return nil, fmt.Errorf("documents: %s: %w", sum, gateway.ErrNotFound)
}

func isDigest(s string) bool {
	return len(s) == hex.EncodedLen(sha256.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

// syncFolder flushes the names in a folder.
func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a folder of the store
	if err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	return nil
}

// limited reads from r until it has given more than left bytes, or ctx ends.
type limited struct {
	ctx  context.Context //nolint:containedctx // lives as long as the Put whose context it is
	r    io.Reader
	left int64
}

// Read implements io.Reader. ErrTooLarge when there is more than was allowed.
func (l *limited) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, gateway.ErrTooLarge
	}
	return n, err
}
