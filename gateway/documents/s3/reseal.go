package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/brevdue/brevdue/gateway"
)

// Reseal seals every document that is not sealed under the present key, and returns how many it sealed. Documents are read and
// put meanwhile as ever: each lies in its new place before it leaves the old. It ends with ctx, and can begin again. It asks
// the service for the beginning of every document.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	if s.sealer == nil {
		return 0, errors.New("documents: there are no keys to seal with")
	}
	done := 0
	err := s.walk(ctx, func(key, under string) error {
		if strings.HasPrefix(key, s.temporary()) {
			return nil
		}
		current, err := s.sealer.Current()
		if err != nil {
			return fmt.Errorf("documents: %w", err)
		}
		if under == current {
			return nil
		}
		did, err := s.reseal(ctx, key, under != "")
		if did {
			done++
		}
		return err
	})
	return done, err
}

// reseal puts what lies at key again, and removes it there. It does nothing when it is gone.
func (s *Store) reseal(ctx context.Context, key string, sealed bool) (bool, error) {
	o, err := s.get(ctx, key, "")
	if errors.Is(err, gateway.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = o.Close() }()
	var content io.Reader = o
	if sealed {
		if content, err = s.sealer.OpenFrom(o, sealedPlace); err != nil {
			return false, fmt.Errorf("documents: %s: %w", path.Base(key), err)
		}
	}
	staged, err := s.Stage(ctx, content, gateway.MaxDocument*2) // larger than anything that was ever put
	if err != nil {
		return false, inDocuments(err)
	}
	keys, err := s.sealedKeys(staged.SHA256())
	if err != nil {
		return false, errors.Join(err, staged.Drop()) //nolint:contextcheck // it must work when ctx has ended
	}
	if key != s.key(staged.SHA256()) && !slices.Contains(keys, key) {
		err := fmt.Errorf("documents: %s: %w: another document lies in its place", path.Base(key), gateway.ErrSealed)
		return false, errors.Join(err, staged.Drop()) //nolint:contextcheck // as above
	}
	if err := staged.Keep(ctx); err != nil {
		return false, errors.Join(err, staged.Drop()) //nolint:contextcheck // it must work when ctx has ended
	}
	if key == keys[0] {
		return true, nil
	}
	return true, s.remove(ctx, key)
}

// SealedUnder counts the documents by the id of their key; "" are those that are not sealed. Staged documents are among them:
// their key must stay.
func (s *Store) SealedUnder(ctx context.Context) (map[string]int, error) {
	count := make(map[string]int)
	err := s.walk(ctx, func(_, under string) error {
		count[under]++
		return nil
	})
	return count, err
}

// walk calls do with every object of ours and the id of the key it is sealed under.
func (s *Store) walk(ctx context.Context, do func(key, under string) error) error {
	pages := awss3.NewListObjectsV2Paginator(s.client, &awss3.ListObjectsV2Input{Bucket: &s.place.bucket, Prefix: &s.place.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(ctx, "ListObjectsV2", err)
		}
		for _, object := range page.Contents {
			if err := s.visit(ctx, aws.ToString(object.Key), do); err != nil {
				return err
			}
		}
	}
	return nil
}

// visit calls do with one object, when it is ours and still there.
func (s *Store) visit(ctx context.Context, key string, do func(key, under string) error) error {
	name := strings.TrimPrefix(key, s.place.prefix)
	sealed := strings.HasPrefix(name, sealedFolder)
	if !sealed && !strings.HasPrefix(key, s.temporary()) {
		if !isDigest(path.Base(key)) || key != s.key(path.Base(key)) {
			return nil // not ours
		}
		return do(key, "")
	}
	under, err := s.keyOf(ctx, key)
	switch {
	case errors.Is(err, gateway.ErrNotFound):
		return nil
	case err != nil:
		return err
	case under == "" && sealed:
		return fmt.Errorf("documents: %s: %w: it is not sealed", path.Base(key), gateway.ErrSealed)
	}
	return do(key, under)
}

// keyOf is the id of the key that an object is sealed under, "" for none. ErrNotFound.
func (s *Store) keyOf(ctx context.Context, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out, err := s.client.GetObject(ctx, &awss3.GetObjectInput{
		Bucket: &s.place.bucket, Key: &key, Range: aws.String(fmt.Sprintf("bytes=0-%d", gateway.SealedHeader-1)),
	})
	if err != nil {
		err = failed(ctx, "GetObject", err)
		switch {
		case is(err, http.StatusRequestedRangeNotSatisfiable): // it is empty
			return "", nil
		case is(err, http.StatusNotFound):
			return "", fmt.Errorf("documents: %w", gateway.ErrNotFound)
		}
		return "", err
	}
	defer func() { _ = out.Body.Close() }()
	header, err := io.ReadAll(io.LimitReader(out.Body, gateway.SealedHeader))
	if err != nil {
		return "", fmt.Errorf("documents: %w: s3 GetObject: the download breaks off: %w", gateway.ErrUnavailable, err)
	}
	under, _ := gateway.SealedUnder(header)
	return under, nil
}
