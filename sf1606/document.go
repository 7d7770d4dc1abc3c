package sf1606

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// document carries the content of one file from the reader of the XML, which writes, to a Delivery, which reads.
type document struct {
	*io.PipeWriter

	done chan struct{} // closed when Delivery.Document has ended
	err  error         // what it said; to be read when done is closed
}

// newDocument starts the delivery of one file; Close or CloseWithError ends it.
func newDocument(ctx context.Context, d Delivery, f memo.FileInfo) *document {
	reader, writer := io.Pipe()
	doc := &document{PipeWriter: writer, done: make(chan struct{})}
	go func() {
		defer close(doc.done)
		if doc.err = deliver(ctx, d, f, reader); doc.err != nil {
			_ = reader.CloseWithError(doc.err) // never fails
			return
		}
		_, _ = io.Copy(io.Discard, reader) // an error is the writer's own
	}()
	return doc
}

// deliver calls the delivery and makes an error of its panic.
func deliver(ctx context.Context, d Delivery, f memo.FileInfo, content io.Reader) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	if err := d.Document(ctx, f, content); err != nil {
		return fmt.Errorf("document: %w", err)
	}
	return nil
}

// Close ends the content well and waits until the delivery has taken it.
func (d *document) Close() error {
	_ = d.PipeWriter.Close() // never fails
	<-d.done
	return d.err
}

// errRefused is what a delivery reads when nobody said why.
var errRefused = errors.New("sf1606: the message is refused")

// CloseWithError ends the content badly and waits until the delivery knows.
func (d *document) CloseWithError(cause error) error {
	if cause == nil {
		cause = errRefused
	}
	_ = d.PipeWriter.CloseWithError(cause) // never fails
	<-d.done
	return nil
}
