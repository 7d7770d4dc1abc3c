package download

import (
	"errors"
	"fmt"
	"io"
)

var errSeek = errors.New("download: seek outside the document, or back in it")

// seeker lets a stream be read from a later place, as a range wants it. http.ServeContent seeks before it reads.
type seeker struct {
	size    int64
	at      int64 // where the next Read reads
	read    int64 // where content stands
	content io.ReadCloser
}

// Seek implements io.Seeker. It does no work: Read does.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.size
	default:
		return 0, errSeek
	}
	if offset < s.read || offset > s.size {
		return 0, errSeek
	}
	s.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	if s.read < s.at {
		if err := s.skip(); err != nil {
			return 0, err
		}
	}
	n, err := s.content.Read(p[:min(int64(len(p)), s.size-s.at)])
	s.read += int64(n)
	s.at = s.read
	return n, err
}

// skip jumps to the place asked for when the content can, and reads on to it otherwise.
func (s *seeker) skip() error {
	if jump, ok := s.content.(io.Seeker); ok {
		if n, err := jump.Seek(s.at, io.SeekStart); err == nil {
			s.read = n
			return nil
		}
	}
	n, err := io.CopyN(io.Discard, s.content, s.at-s.read)
	s.read += n
	if err != nil {
		return fmt.Errorf("download: skip: %w", err)
	}
	return nil
}

func (s *seeker) close() { _ = s.content.Close() }
