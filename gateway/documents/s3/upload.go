package s3

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// firstBuffer is the memory that a small document needs, in bytes. It grows to PartSize.
const firstBuffer = 64 << 10

// abortTimeout is how long cleaning up after a failure may take.
const abortTimeout = 10 * time.Second

// upload is an object that is being written. At most PartSize bytes of it are here; the rest is with the service already. It is
// for one goroutine.
type upload struct {
	store *Store
	ctx   context.Context //nolint:containedctx // lives as long as the Put or Stage whose context it is
	key   string          // the temporary name

	part   []byte          // what is not with the service yet
	pooled *[PartSize]byte // what part lies in when it has its full size
	id     string          // of the multipart upload, "" before there is one
	sent   int64           // bytes
	done   []types.CompletedPart
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if len(u.part) == PartSize {
			if err := u.send(); err != nil {
				return written, err
			}
		}
		n := min(len(p), PartSize-len(u.part))
		u.grow(n)
		u.part = append(u.part, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

// grow makes room for n bytes more, at most PartSize together.
func (u *upload) grow(n int) {
	need := len(u.part) + n
	if need <= cap(u.part) {
		return
	}
	size := max(firstBuffer, cap(u.part))
	for size < need {
		size *= 2
	}
	if size < PartSize {
		u.part = append(make([]byte, 0, size), u.part...)
		return
	}
	pooled, ok := u.store.parts.Get().(*[PartSize]byte)
	if !ok {
		pooled = new([PartSize]byte)
	}
	u.pooled, u.part = pooled, append(pooled[:0], u.part...)
}

// send hands the part over to the service.
func (u *upload) send() error {
	s := u.store
	if u.id == "" {
		created, err := call(u.ctx, s, "CreateMultipartUpload", s.client.CreateMultipartUpload,
			&awss3.CreateMultipartUploadInput{Bucket: &s.place.bucket, Key: &u.key, ContentType: aws.String(contentType)})
		if err != nil {
			return err
		}
		if u.id = aws.ToString(created.UploadId); u.id == "" {
			return errors.New("documents: s3 CreateMultipartUpload: the answer has no id")
		}
	}
	number := int32(len(u.done) + 1) //nolint:gosec // at most 10,000 by the service's rules
	out, err := call(u.ctx, s, "UploadPart", s.client.UploadPart, &awss3.UploadPartInput{
		Bucket: &s.place.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &number,
		Body: bytes.NewReader(u.part), ContentLength: aws.Int64(int64(len(u.part))),
	})
	if err != nil {
		return err
	}
	u.done = append(u.done, types.CompletedPart{ETag: out.ETag, PartNumber: &number})
	u.sent += int64(len(u.part))
	u.part = u.part[:0]
	return nil
}

// contentType is the same for every object: what a document is, nobody learns from the bucket.
const contentType = "application/octet-stream"

// finish gives the object its name.
func (u *upload) finish(ctx context.Context, key string) error {
	s := u.store
	if u.id == "" {
		return s.settle(ctx, key, func(ctx context.Context) error { return s.write(ctx, key, u.part) })
	}
	if err := u.stage(ctx); err != nil {
		return err
	}
	defer s.discard(ctx, u.key)
	return s.settle(ctx, key, func(ctx context.Context) error { return s.copy(ctx, u.key, key) })
}

// stage completes the object under its temporary name.
func (u *upload) stage(ctx context.Context) error {
	if u.id == "" {
		return u.store.write(ctx, u.key, u.part)
	}
	if len(u.part) > 0 {
		if err := u.send(); err != nil {
			return err
		}
	}
	s := u.store
	_, err := call(ctx, s, "CompleteMultipartUpload", s.client.CompleteMultipartUpload, &awss3.CompleteMultipartUploadInput{
		Bucket: &s.place.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.done},
	})
	if is(err, http.StatusNotFound, "NoSuchUpload") {
		// The call was repeated because the answer to the first got lost.
		head, errHead := s.head(ctx, u.key)
		if errHead != nil {
			return errHead
		}
		if head != nil && aws.ToInt64(head.ContentLength) == u.sent {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	u.id = ""
	return nil
}

// release gives the memory back, and takes back from the service what was not finished.
func (u *upload) release() {
	if u.pooled != nil {
		u.store.parts.Put(u.pooled)
		u.pooled = nil
	}
	u.part = nil
	if u.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	u.store.abort(ctx, u.key, u.id)
	u.id = ""
}

// abort takes an unfinished upload back. What could not be taken back is found again by clean.
func (s *Store) abort(ctx context.Context, key, id string) {
	_, err := call(ctx, s, "AbortMultipartUpload", s.client.AbortMultipartUpload,
		&awss3.AbortMultipartUploadInput{Bucket: &s.place.bucket, Key: &key, UploadId: &id})
	if err != nil && !is(err, http.StatusNotFound) {
		s.log.WarnContext(ctx, "an unfinished upload stays until it is cleaned up", "error", err)
	}
}

// copy gives the content of an object another name, within the service.
func (s *Store) copy(ctx context.Context, from, to string) error {
	_, err := call(ctx, s, "CopyObject", s.client.CopyObject, &awss3.CopyObjectInput{
		Bucket: &s.place.bucket, Key: &to,
		CopySource: aws.String(s.place.bucket + "/" + from), // of characters that need no escaping; see location
	})
	return err
}

// discard removes a temporary object. What could not be removed is found again by clean.
func (s *Store) discard(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	if err := s.remove(ctx, key); err != nil {
		s.log.WarnContext(ctx, "a temporary object stays until it is cleaned up", "error", err)
	}
}
