package asice

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// File is one file of a container.
type File struct {
	Name      string // see CheckName
	MediaType string // type/subtype, without parameters
	// Open reads it from its first byte; it is called twice, and must give the same bytes both times.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Bytes is a file that is in memory.
func Bytes(name, mediaType string, content []byte) File {
	return File{Name: name, MediaType: mediaType, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

// Options say who signs a container, and when.
type Options struct {
	// Certificate is the RSA certificate that signs, with its key and, after it, what its chain needs below the root.
	Certificate tls.Certificate
	// At is the SigningTime, which is in whole seconds, and the time of the files.
	At time.Time
}

// Write writes a container of the files, in their order. Nothing is written when a file cannot be read, a name cannot
// stand or the certificate cannot sign; an error after that leaves w with a part of a container. Each file is read twice.
func Write(ctx context.Context, w io.Writer, files []File, opts Options) error {
	at, err := newStamp(opts.At)
	if err != nil {
		return err
	}
	buffer := make([]byte, 64<<10)
	s := &signed{at: opts.At.UTC().Truncate(time.Second), files: make([]signedFile, len(files))}
	entries := make([]entry, 0, len(files)+3)
	own := Bytes(nameMimetype, "", []byte(typeMimetype))
	entries = append(entries, entry{name: nameMimetype, size: int64(len(typeMimetype)), crc: crc32.ChecksumIEEE([]byte(typeMimetype))})
	for i, f := range files {
		s.files[i] = signedFile{name: f.Name, mediaType: f.MediaType}
	}
	if err := s.checkFiles(); err != nil {
		return err
	}
	for i, f := range files {
		sum, err := copyFile(ctx, io.Discard, f, buffer)
		if err != nil {
			return err
		}
		s.files[i].digest = sum.sha
		entries = append(entries, entry{name: f.Name, size: sum.size, crc: sum.crc})
	}
	if err := s.sign(opts.Certificate); err != nil {
		return err
	}
	all := append(append([]File{own}, files...),
		Bytes(nameManifest, "", s.manifest()), Bytes(nameSignatures, "", s.document()))
	for _, f := range all[len(files)+1:] {
		sum, err := copyFile(ctx, io.Discard, f, buffer)
		if err != nil {
			return err
		}
		entries = append(entries, entry{name: f.Name, size: sum.size, crc: sum.crc})
	}
	if err := layout(entries); err != nil {
		return err
	}
	for i, f := range all {
		if _, err := w.Write(entries[i].local(at)); err != nil {
			return fmt.Errorf("asice: write: %w", err)
		}
		sum, err := copyFile(ctx, w, f, buffer)
		if err != nil {
			return err
		}
		signedAlready := i >= 1 && i <= len(files)
		if sum.size != entries[i].size || sum.crc != entries[i].crc || signedAlready && sum.sha != s.files[i-1].digest {
			return fmt.Errorf("asice: %s was another one when it was read again", f.Name)
		}
	}
	if _, err := w.Write(directory(entries, at)); err != nil {
		return fmt.Errorf("asice: write: %w", err)
	}
	return nil
}

// sign makes the signature over what the files and the time are set to.
func (s *signed) sign(cert tls.Certificate) error {
	if len(cert.Certificate) == 0 || len(cert.Certificate) > maxChain {
		return fmt.Errorf("asice: the certificate has a chain of %d, want 1 to %d", len(cert.Certificate), maxChain)
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return fmt.Errorf("asice: certificate: %w", err)
	}
	public, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("asice: the certificate's key is %s, want RSA", leaf.PublicKeyAlgorithm)
	}
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || !public.Equal(signer.Public()) {
		return errors.New("asice: the private key does not belong to the certificate")
	}
	s.chain = cert.Certificate
	s.props = sha256.Sum256(s.properties())
	sum := sha256.Sum256(s.info())
	if s.value, err = signer.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil { // PKCS#1 v1.5
		return fmt.Errorf("asice: sign: %w", err)
	}
	return nil
}

// sums is what reading a file tells.
type sums struct {
	size int64
	crc  uint32
	sha  [sha256.Size]byte
}

// copyFile reads a file once.
func copyFile(ctx context.Context, w io.Writer, f File, buffer []byte) (sums, error) {
	r, err := f.Open(ctx)
	if err != nil {
		return sums{}, fmt.Errorf("asice: %s: %w", f.Name, err)
	}
	s, err := copySums(ctx, w, r, buffer)
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return sums{}, fmt.Errorf("asice: %s: %w", f.Name, err)
	}
	return s, nil
}

// copySums copies r to w in pieces of the buffer's length, and looks at ctx between them.
func copySums(ctx context.Context, w io.Writer, r io.Reader, buffer []byte) (sums, error) {
	var s sums
	sha, crc := sha256.New(), crc32.NewIEEE()
	for {
		if ctx.Err() != nil {
			return s, context.Cause(ctx)
		}
		n, err := r.Read(buffer)
		if n > 0 {
			s.size += int64(n)
			_, _ = sha.Write(buffer[:n]) // hash.Hash never fails
			_, _ = crc.Write(buffer[:n])
			if _, err := w.Write(buffer[:n]); err != nil {
				return s, err
			}
		}
		if errors.Is(err, io.EOF) {
			s.crc, s.sha = crc.Sum32(), [sha256.Size]byte(sha.Sum(nil))
			return s, nil
		}
		if err != nil {
			return s, err
		}
	}
}
