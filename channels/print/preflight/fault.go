package preflight

import "errors"

// fault is what is wrong with a file, in words that may follow "The PDF is damaged: ". It never quotes the file.
type fault string

func (f fault) Error() string { return string(f) }

var (
	errEncrypted = errors.New("the file is encrypted")
	errLimit     = errors.New("a limit was reached")
)

func isFault(err error) bool {
	_, ok := errors.AsType[fault](err)
	return ok
}
