package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// storeError is a file of the post that could not be read as it was stored. It is ours, not the far end's.
type storeError struct{ cause error }

func (*storeError) Error() string   { return "a stored file of the post cannot be read" }
func (e *storeError) Unwrap() error { return e.cause }

var errChanged = errors.New("a stored file is not what it was")

// bare is what of an error may be logged: the operation and what the system said of it. Names of files and hosts, and
// whatever a far end wrote, stay behind.
func bare(operation string, err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return fmt.Errorf("%s: %w", operation, errno)
	}
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.ErrUnexpectedEOF, io.EOF, errChanged,
	} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s: %w", operation, known)
		}
	}
	return fmt.Errorf("%s: an error of the type %T", operation, err)
}

// early is the outcome of an attempt that failed for a reason of our own: the post cannot be read, or ctx has ended. ok is
// false for any other error.
func early(ctx context.Context, err error) (o inbound.Outcome, ok bool) {
	if s, is := errors.AsType[*storeError](err); is && ctx.Err() == nil {
		return outcome(codeStore, bare("read", s.cause)), true
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return outcome(codeStopped, context.Canceled), true
	}
	return inbound.Outcome{}, false
}
