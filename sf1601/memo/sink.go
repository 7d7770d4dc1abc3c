package memo

import (
	"bytes"
	"context"
	"io"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Sink takes file contents while a message is read.
//
// File is called where a content begins. The bytes of the content, base64 decoded, are written to the writer it returns,
// which is then closed. When reading fails inside the content, a writer that has CloseWithError(error) error (as
// *io.PipeWriter has) gets that instead of Close; other writers are closed. A nil writer discards this content.
//
// A writer that has Content() xmlstream.Content is asked for it after Close, and the answer becomes File.Content: with it
// the message that was read can be written.
type Sink interface {
	File(ctx context.Context, f FileInfo) (io.WriteCloser, error)
}

// SinkFunc is a function as a Sink.
type SinkFunc func(ctx context.Context, f FileInfo) (io.WriteCloser, error)

// File calls the function.
func (f SinkFunc) File(ctx context.Context, info FileInfo) (io.WriteCloser, error) {
	return f(ctx, info)
}

// DocumentKind is the class of a document.
type DocumentKind string

// The three kinds of document.
const (
	KindMain       DocumentKind = "MainDocument"
	KindAdditional DocumentKind = "AdditionalDocument"
	KindTechnical  DocumentKind = "TechnicalDocument"
)

// FileInfo says whose content begins. The texts are what the file said before its content, which the schema puts last.
type FileInfo struct {
	Path           string // of the content, as Finding.Path
	Document       DocumentKind
	DocumentIndex  int // from 1 within its kind
	FileIndex      int // from 1 within its document
	EncodingFormat string
	Filename       string // as written: not fit for a file system, see ForbiddenFilenameRunes
	Language       string
}

// InMemory is a Sink that keeps every content in memory and supplies it as File.Content. Memory grows with the message,
// which ReadLimits.Size bounds.
func InMemory() Sink {
	return SinkFunc(func(context.Context, FileInfo) (io.WriteCloser, error) { return new(memoryFile), nil })
}

type memoryFile struct{ buf bytes.Buffer }

func (f *memoryFile) Write(p []byte) (int, error) { return f.buf.Write(p) }
func (f *memoryFile) Close() error                { return nil }

// Content is the content as it was written.
func (f *memoryFile) Content() xmlstream.Content { return xmlstream.Bytes(f.buf.Bytes()) }
