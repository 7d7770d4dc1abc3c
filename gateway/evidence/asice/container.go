package asice

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrMalformed is the family of errors of [Open]: the file is no container that Write has written, or was changed between
// its files.
var ErrMalformed = errors.New("the file is not a container of this program, or was changed between its files")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrMalformed, fmt.Errorf(format, args...))
}

// Container is a container whose structure holds: every byte of it is either a header that can only be what it is, or in
// one of the files. What is in the files is [Container.Verify]'s to say.
type Container struct {
	r       io.ReaderAt
	entries []entry
	at      stamp
	byName  map[string]*entry
}

// Open reads the directory of a container of the given length, and compares every header with the only one that could
// stand there. It reads no file. Errors of the structure are of ErrMalformed, others those of r.
func Open(r io.ReaderAt, size int64) (*Container, error) {
	if size < lenEnd {
		return nil, malformed("it has %d bytes only", size)
	}
	if size > math.MaxUint32 {
		return nil, malformed("it is larger than a ZIP file without ZIP64 can be")
	}
	count, start, err := readEnd(r, size)
	if err != nil {
		return nil, err
	}
	tail := make([]byte, size-start) // bounded by readEnd
	if err := readAt(r, tail, start); err != nil {
		return nil, err
	}
	c := &Container{r: r, byName: make(map[string]*entry, count)}
	if err := c.readDirectory(tail[:len(tail)-lenEnd], count); err != nil {
		return nil, err
	}
	if err := c.compare(tail, start); err != nil {
		return nil, err
	}
	return c, nil
}

// readEnd reads the record at the end: how many files there are, and where the directory starts.
func readEnd(r io.ReaderAt, size int64) (count int, start int64, err error) {
	var end [lenEnd]byte
	if err := readAt(r, end[:], size-lenEnd); err != nil {
		return 0, 0, err
	}
	le := binary.LittleEndian
	if le.Uint32(end[:]) != sigEnd {
		return 0, 0, malformed("it does not end with the end record of a ZIP file")
	}
	count = int(le.Uint16(end[10:]))
	length, start := int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	if count < 3 || count > MaxFiles+3 {
		return 0, 0, malformed("it has %d files", count)
	}
	if length > int64(count)*(lenCentral+maxName) || start+length+lenEnd != size {
		return 0, 0, malformed("its directory does not lie between the files and the end record")
	}
	return count, start, nil
}

// readDirectory reads names, lengths, CRCs and places; what else stands in the directory is compared later.
func (c *Container) readDirectory(b []byte, count int) error {
	le := binary.LittleEndian
	names := make([]string, 0, count)
	for i := range count {
		if len(b) < lenCentral {
			return malformed("its directory ends within entry %d", i+1)
		}
		length := int(le.Uint16(b[28:]))
		if length > maxName || len(b) < lenCentral+length {
			return malformed("the name of entry %d in its directory is too long", i+1)
		}
		e := entry{
			name: string(b[lenCentral : lenCentral+length]),
			crc:  le.Uint32(b[16:]), size: int64(le.Uint32(b[24:])), offset: int64(le.Uint32(b[42:])),
		}
		c.at = stamp{time: le.Uint16(b[12:]), date: le.Uint16(b[14:])}
		c.entries, names = append(c.entries, e), append(names, e.name)
		b = b[lenCentral+length:]
	}
	if len(b) > 0 {
		return malformed("its directory has something after the last entry")
	}
	if names[0] != nameMimetype || names[count-2] != nameManifest || names[count-1] != nameSignatures {
		return malformed("mimetype is not its first file, or META-INF/manifest.xml and META-INF/signatures.xml not its last")
	}
	if err := checkNames(names[1 : count-2]); err != nil {
		return malformed("%w", err)
	}
	for i := range c.entries {
		c.byName[c.entries[i].name] = &c.entries[i]
	}
	return nil
}

// compare writes the headers again, from what was read, and compares them with those that are there.
func (c *Container) compare(tail []byte, start int64) error {
	again := make([]entry, len(c.entries))
	copy(again, c.entries)
	if err := layout(again); err != nil {
		return malformed("%w", err)
	}
	for i := range again {
		if again[i] != c.entries[i] {
			return malformed("entry %d does not begin where the one before it ends", i+1)
		}
	}
	if again[len(again)-1].end() != start {
		return malformed("something lies between the last file and the directory")
	}
	if !bytes.Equal(tail, directory(again, c.at)) {
		return malformed("its directory holds something that does not belong there")
	}
	header := make([]byte, lenLocal+maxName)
	for i := range again {
		want := again[i].local(c.at)
		got := header[:len(want)]
		if err := readAt(c.r, got, again[i].offset); err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return malformed("the header of %s is not the one that the directory tells of", again[i].name)
		}
	}
	return nil
}

// Names are the names of the files, without mimetype and META-INF.
func (c *Container) Names() []string {
	names := make([]string, 0, len(c.entries)-3)
	for i := 1; i < len(c.entries)-2; i++ {
		names = append(names, c.entries[i].name)
	}
	return names
}

// Open reads a file from its first byte; nil when there is none of that name. Only what [Container.Verify] said of it makes
// its content worth anything.
func (c *Container) Open(name string) *io.SectionReader {
	e := c.byName[name]
	if e == nil {
		return nil
	}
	return io.NewSectionReader(c.r, e.data(), e.size)
}

// ErrTooLarge is what Read refuses a file with.
var ErrTooLarge = errors.New("the file is larger than it may be")

// ErrAbsent is what Read gives for a file that is not there.
var ErrAbsent = errors.New("there is no such file in the container")

// Read gives a file of at most limit bytes.
func (c *Container) Read(name string, limit int64) ([]byte, error) {
	e := c.byName[name]
	switch {
	case e == nil:
		return nil, ErrAbsent
	case e.size > limit:
		return nil, ErrTooLarge
	}
	b := make([]byte, e.size)
	return b, readAt(c.r, b, e.data())
}

// readAt fills b. A file that ends too early was cut while it was read.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("asice: read: %w", err)
}
