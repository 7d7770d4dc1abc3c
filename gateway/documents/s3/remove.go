package s3

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/brevdue/brevdue/gateway"
)

// A service tells when an object was written, but does not remove it on the condition that nobody wrote it since. So whoever
// removes one says so first, in a note under removing/; and whoever writes over one looks afterwards whether there is a note,
// and then whether the object is still there. One of the two sees the other.
const (
	removingFolder = "removing/"
	// removeWithin bounds a removal; a note that is older than noteAge is what a crash left.
	removeWithin = 5 * time.Minute
	noteAge      = 2 * removeWithin
	// rewrites is how often an object is written when it is being removed, and rewritePause how long apart.
	rewrites     = 10
	rewritePause = 200 * time.Millisecond
	// timeGrain is how exactly the service tells a time: HTTP has seconds.
	timeGrain = time.Second
)

var _ gateway.Remover = (*Store)(nil)

// Remove implements gateway.Remover. The times compared are the service's and the caller's: putBefore should lie further back
// than their clocks may differ. It is for one caller at a time; the lease of the erasure sees to that.
func (s *Store) Remove(ctx context.Context, sum string, putBefore time.Time) (bool, error) {
	if !isDigest(sum) {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, removeWithin)
	defer cancel()
	keys := []string{s.key(sum)}
	if s.sealer != nil {
		sealed, err := s.sealedKeys(sum)
		if err != nil {
			return false, err
		}
		keys = append(sealed, keys...)
	}
	for _, key := range keys {
		head, err := s.head(ctx, key)
		switch {
		case err != nil:
			return false, err
		case head == nil:
			continue
		case !old(head, putBefore):
			return false, nil
		}
		if removed, err := s.removeOld(ctx, key, putBefore); err != nil || !removed {
			return false, err
		}
	}
	return true, nil
}

func old(head *awss3.HeadObjectOutput, before time.Time) bool {
	return head.LastModified != nil && head.LastModified.Add(timeGrain).Before(before)
}

// removeOld removes an object, with a note, unless it was written meanwhile.
func (s *Store) removeOld(ctx context.Context, key string, before time.Time) (bool, error) {
	note := s.note(key)
	if err := s.write(ctx, note, nil); err != nil {
		return false, err
	}
	defer s.discard(ctx, note)
	head, err := s.head(ctx, key)
	switch {
	case err != nil:
		return false, err
	case head == nil:
		return true, nil
	case !old(head, before):
		return false, nil
	}
	if err := s.remove(ctx, key); err != nil {
		return false, err
	}
	return true, nil
}

// note is where it is written that an object is being removed.
func (s *Store) note(key string) string { return s.place.prefix + removingFolder + path.Base(key) }

// settle writes an object with do, so that it is there afterwards even while somebody removes what was there before. What was
// there is written again: it counts as put just now.
func (s *Store) settle(ctx context.Context, key string, do func(ctx context.Context) error) error {
	before, err := s.head(ctx, key)
	if err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for range rewrites {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if err := do(ctx); err != nil {
			return err
		}
		if before == nil {
			return nil // who removes it next sees when it was written
		}
		if stays, err := s.stays(ctx, key); err != nil || stays {
			return err
		}
		timer.Reset(rewritePause)
	}
	return fmt.Errorf("documents: %w: the same document is being removed", gateway.ErrUnavailable)
}

// stays reports whether an object that was written just now is safe from a removal that began before. The order matters.
func (s *Store) stays(ctx context.Context, key string) (bool, error) {
	note, err := s.head(ctx, s.note(key))
	if err != nil {
		return false, err
	}
	if note != nil && !old(note, s.now().Add(-noteAge)) {
		return false, nil
	}
	now, err := s.head(ctx, key)
	return now != nil, err
}

// head asks for what is known of an object, nil when it is not there.
func (s *Store) head(ctx context.Context, key string) (*awss3.HeadObjectOutput, error) {
	head, err := call(ctx, s, "HeadObject", s.client.HeadObject, &awss3.HeadObjectInput{Bucket: &s.place.bucket, Key: &key})
	if is(err, http.StatusNotFound) {
		return nil, nil //nolint:nilnil // that it is not there is an answer
	}
	return head, err
}

// write writes an object in one request.
func (s *Store) write(ctx context.Context, key string, content []byte) error {
	_, err := call(ctx, s, "PutObject", s.client.PutObject, &awss3.PutObjectInput{
		Bucket: &s.place.bucket, Key: &key, ContentType: aws.String(contentType),
		Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))),
	})
	return err
}

// remove removes an object. One that is not there is removed.
func (s *Store) remove(ctx context.Context, key string) error {
	_, err := call(ctx, s, "DeleteObject", s.client.DeleteObject, &awss3.DeleteObjectInput{Bucket: &s.place.bucket, Key: &key})
	if is(err, http.StatusNotFound, "NoSuchKey") {
		return nil
	}
	return err
}
