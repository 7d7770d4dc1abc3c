package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/brevdue/brevdue/gateway"
)

// What is sealed has the names and the place that it has in a folder.
const (
	sealedFolder = "sealed/"
	sealedPlace  = "document"
)

// refuseSealed refuses a bucket with documents that nobody here could read.
func (s *Store) refuseSealed(ctx context.Context) error {
	list, err := call(ctx, s, "ListObjectsV2", s.client.ListObjectsV2, &awss3.ListObjectsV2Input{
		Bucket: &s.place.bucket, Prefix: aws.String(s.place.prefix + sealedFolder), MaxKeys: aws.Int32(1),
	})
	if err != nil {
		return err
	}
	if s.sealer == nil && len(list.Contents) > 0 {
		return fmt.Errorf("documents: the bucket holds sealed documents, and no keys are configured (keys.file): %w", gateway.ErrSealed)
	}
	return nil
}

// seal returns what a new document is written to. Only Close makes it whole.
func (s *Store) seal(w io.Writer) (io.WriteCloser, error) {
	if s.sealer == nil {
		return unsealed{w}, nil
	}
	return s.sealer.SealTo(w, sealedPlace)
}

type unsealed struct{ io.Writer }

// Close implements io.Closer.
func (unsealed) Close() error { return nil }

// newKey is where a document is put.
func (s *Store) newKey(sum string) (string, error) {
	if s.sealer == nil {
		return s.key(sum), nil
	}
	keys, err := s.sealedKeys(sum)
	if err != nil {
		return "", err
	}
	return keys[0], nil
}

// sealedKeys is where a document may lie sealed, the present place first.
func (s *Store) sealedKeys(sum string) ([]string, error) {
	raw, err := hex.DecodeString(sum)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	hashes, err := s.sealer.Hashes(sealedPlace, raw)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	keys := make([]string, len(hashes))
	for n, h := range hashes {
		name := hex.EncodeToString(h)
		keys[n] = s.place.prefix + sealedFolder + name[:2] + "/" + name[2:4] + "/" + name
	}
	return keys, nil
}

// openSealed opens a document that is sealed, nil when none of that SHA-256 is.
func (s *Store) openSealed(ctx context.Context, sum string) (io.ReadCloser, error) {
	if s.sealer == nil {
		return nil, nil //nolint:nilnil // none is no error: it may lie there unsealed
	}
	keys, err := s.sealedKeys(sum)
	if err != nil {
		return nil, err
	}
	for range min(len(keys), 2) { // one that is sealed anew lies in the new place before it leaves the old
		for _, key := range keys {
			r, err := s.getSealed(ctx, key, sum)
			if !errors.Is(err, gateway.ErrNotFound) {
				return r, err
			}
		}
	}
	return nil, nil //nolint:nilnil // as above
}

// getSealed opens a sealed object. ErrNotFound.
func (s *Store) getSealed(ctx context.Context, key, sum string) (io.ReadCloser, error) {
	o, err := s.get(ctx, key, "")
	if err != nil {
		return nil, err
	}
	plain, err := s.sealer.OpenFrom(o, sealedPlace)
	if err != nil {
		_ = o.Close()
		return nil, fmt.Errorf("documents: %s: %w", sum, err)
	}
	return &verified{sum: sum, plain: plain, object: o, hash: sha256.New()}, nil
}

// verified reads a sealed document and holds it to its name.
type verified struct {
	sum    string
	plain  io.Reader
	object io.Closer
	hash   hash.Hash
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
		return n, inDocuments(err)
	}
	return n, nil
}

// Close implements io.Closer.
func (v *verified) Close() error { return v.object.Close() }
