package documents

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brevdue/brevdue/gateway"
)

// Sealed documents lie in a folder of their own, so that no content, whoever chose it, can be taken for one that is sealed:
//
//	sealed/ab/cd/abcd...   the name is a keyed hash of the content's SHA-256
//	12/34/1234...          not sealed; the name is the SHA-256
const sealedFolder = "sealed"

// sealedPlace is what a document is sealed for. Its name is not known before its last byte; that it is the right one is told
// by its SHA-256 when it is read.
const sealedPlace = "document"

// refuseSealed refuses a folder with documents that nobody here could read.
func (f *Folder) refuseSealed() error {
	if f.sealer != nil {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(f.dir, sealedFolder)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("documents: the folder holds sealed documents, and no keys are configured (keys.file): %w", gateway.ErrNoKey)
	}
	return nil
}

// seal returns what a new document is written to. Only Close makes it whole; it leaves the file open.
func (f *Folder) seal(file io.Writer) (io.WriteCloser, error) {
	if f.sealer == nil {
		return unsealed{file}, nil
	}
	return f.sealer.SealTo(file, sealedPlace)
}

type unsealed struct{ io.Writer }

// Close implements io.Closer.
func (unsealed) Close() error { return nil }

// newPath is where a document is put.
func (f *Folder) newPath(sum string) (string, error) {
	if f.sealer == nil {
		return f.path(sum), nil
	}
	paths, err := f.sealedPaths(sum)
	if err != nil {
		return "", err
	}
	return paths[0], nil
}

// sealedPaths is where a document may lie sealed, the present place first.
func (f *Folder) sealedPaths(sum string) ([]string, error) {
	raw, err := hex.DecodeString(sum)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	hashes, err := f.sealer.Hashes(sealedPlace, raw)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	paths := make([]string, len(hashes))
	for n, h := range hashes {
		name := hex.EncodeToString(h)
		paths[n] = filepath.Join(f.dir, sealedFolder, name[:2], name[2:4], name)
	}
	return paths, nil
}

// openSealed opens a document that is sealed, nil when none of that SHA-256 is.
func (f *Folder) openSealed(sum string) (io.ReadCloser, error) {
	if f.sealer == nil {
		return nil, nil //nolint:nilnil // none is no error: it may lie there unsealed
	}
	for range 2 { // one that is sealed anew lies in the new place before it leaves the old
		paths, err := f.sealedPaths(sum)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			file, err := os.Open(path) //nolint:gosec // a hash in the store's own folder
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("documents: %w", err)
			}
			return f.unseal(file, sum)
		}
	}
	return nil, nil //nolint:nilnil // as above
}

// unseal reads the content of a sealed file, and closes the file when it is not one.
func (f *Folder) unseal(file *os.File, sum string) (io.ReadCloser, error) {
	plain, err := f.sealer.OpenFrom(file, sealedPlace)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("documents: %s: %w", sum, err)
	}
	return &verified{sum: sum, plain: plain, file: file, hash: sha256.New()}, nil
}

// verified reads a sealed document and holds it to its name.
type verified struct {
	sum   string
	plain io.Reader
	file  io.Closer
	hash  hash.Hash
}

// Read implements io.Reader. The end is told only when the whole was the document asked for.
func (v *verified) Read(p []byte) (int, error) {
	n, err := v.plain.Read(p)
	_, _ = v.hash.Write(p[:n]) // never fails: hash.Hash
	switch {
	case errors.Is(err, io.EOF):
		if hex.EncodeToString(v.hash.Sum(nil)) != v.sum {
			return 0, fmt.Errorf("documents: %s: %w: another document lies in its place", v.sum, gateway.ErrSealed)
		}
		return n, io.EOF
	case err != nil:
		return n, fmt.Errorf("documents: %s: %w", v.sum, err)
	}
	return n, nil
}

// Close implements io.Closer.
func (v *verified) Close() error { return v.file.Close() }
