//go:build !unix

package target

import (
	"io"
	"os"
)

// mapFile reads the file into memory: mapping is not known on this system.
func mapFile(f *os.File, size int64) ([]byte, func(), error) {
	content := make([]byte, size)
	_, err := io.ReadFull(f, content)
	return content, func() {}, err
}
