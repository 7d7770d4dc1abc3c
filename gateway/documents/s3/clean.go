package s3

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// staleAfter is how old an unfinished object is before Open takes it for what a crash left.
const staleAfter = time.Hour

// clean removes what was begun before the given time and not finished: temporary objects, and uploads in parts.
func (s *Store) clean(ctx context.Context, before time.Time) error {
	for _, folder := range []string{s.temporary(), s.place.prefix + removingFolder} {
		if err := s.cleanObjects(ctx, folder, before); err != nil {
			return err
		}
	}
	return s.cleanUploads(ctx, before)
}

func (s *Store) cleanObjects(ctx context.Context, folder string, before time.Time) error {
	pages := awss3.NewListObjectsV2Paginator(s.client, &awss3.ListObjectsV2Input{Bucket: &s.place.bucket, Prefix: &folder})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(ctx, "ListObjectsV2", err)
		}
		for _, o := range page.Contents {
			if o.LastModified == nil || !o.LastModified.Before(before) {
				continue
			}
			if err := s.remove(ctx, aws.ToString(o.Key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// cleanUploads takes unfinished uploads back. A service that does not list them, or not for us, is expected to have a rule that
// does the same.
func (s *Store) cleanUploads(ctx context.Context, before time.Time) error {
	pages := awss3.NewListMultipartUploadsPaginator(s.client, &awss3.ListMultipartUploadsInput{
		Bucket: &s.place.bucket, Prefix: aws.String(s.temporary()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			err = failed(ctx, "ListMultipartUploads", err)
			if is(err, http.StatusForbidden) || is(err, http.StatusNotImplemented) {
				s.log.WarnContext(ctx, "unfinished uploads are not cleaned up: a rule of the bucket must do it", "error", err)
				return nil
			}
			return err
		}
		for _, u := range page.Uploads {
			old := u.Initiated != nil && u.Initiated.Before(before)
			if old && strings.HasPrefix(aws.ToString(u.Key), s.temporary()) {
				s.abort(ctx, aws.ToString(u.Key), aws.ToString(u.UploadId))
			}
		}
	}
	return nil
}
