package hygiene

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
)

// The records of a zip. [src: APPNOTE 4.3.7 to 4.3.16]
const (
	localHeader      = "PK\x03\x04"
	localHeaderLen   = 30
	centralHeader    = 0x02014b50
	centralHeaderLen = 46
	endRecord        = "PK\x05\x06"
	endRecordLen     = 22
	locator64        = 0x07064b50
	locator64Len     = 20
	endRecord64      = 0x06064b50
	endRecord64Len   = 56
	maxComment       = 1<<16 - 1
	maxEntryName     = 1024 // bytes of a name that are looked at
)

// entries is what is learnt from the entries of a zip, one by one.
type entries struct {
	found map[Code]bool
	Archive
}

// entry takes one file of the archive.
func (e *entries) entry(name string, encrypted bool, expanded int64) {
	e.path(name)
	if strings.HasSuffix(name, "/") || strings.HasSuffix(name, `\`) {
		return
	}
	e.Entries++
	if encrypted {
		e.Encrypted++
		e.found[Encrypted] = true
	}
	if e.Expanded > math.MaxInt64-expanded {
		e.Expanded = math.MaxInt64
	} else {
		e.Expanded += expanded
	}
	end := ending(name)
	switch {
	case slices.Contains(archiveEndings, end):
		e.Nested++
		e.found[ArchiveNested] = true
	case slices.Contains(programEndings, end):
		e.found[ArchiveProgram] = true
	}
	e.office(strings.ToLower(strings.ReplaceAll(name, `\`, "/")))
}

// path looks for a name that leads out of the folder, or to another one.
func (e *entries) path(name string) {
	slashed := strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(slashed, "/") || slices.Contains(strings.Split(slashed, "/"), "..") ||
		len(slashed) > 1 && slashed[1] == ':' || strings.Contains(slashed, "\x00") {
		e.found[ArchivePath] = true
	}
}

// office looks for the parts of an office document that act.
func (e *entries) office(name string) {
	switch {
	case strings.HasSuffix(name, "vbaproject.bin"), strings.HasPrefix(name, "basic/"), strings.HasPrefix(name, "scripts/"),
		strings.Contains(name, "/macrosheets/"):
		e.found[Macro] = true
	case strings.Contains(name, "/embeddings/"), strings.Contains(name, "/activex/"), strings.HasPrefix(name, "object "):
		e.found[OfficeEmbedded] = true
	case strings.Contains(name, "/externallinks/"):
		e.found[OfficeExternal] = true
	}
}

// zipScan counts the entries of a zip by the headers that stand before them, where the directory cannot be read.
type zipScan struct {
	entries
	buf []byte
}

func newZipScan() *zipScan { return &zipScan{entries: entries{found: make(map[Code]bool)}} }

func (s *zipScan) feed(p []byte) {
	const piece = 16 << 10
	for len(p) > 0 {
		n := min(len(p), piece)
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		s.look()
	}
}

// look takes the headers that are complete and keeps the beginning of one that is not.
func (s *zipScan) look() {
	at := 0
	for {
		next := bytes.Index(s.buf[at:], []byte(localHeader))
		if next < 0 {
			at = max(at, len(s.buf)-len(localHeader)+1)
			break
		}
		at += next
		h := s.buf[at:]
		if len(h) < localHeaderLen {
			break
		}
		name := int(binary.LittleEndian.Uint16(h[26:]))
		end := localHeaderLen + min(name, maxEntryName)
		if len(h) < end {
			break
		}
		flags := binary.LittleEndian.Uint16(h[6:])
		s.entry(string(h[localHeaderLen:end]), flags&1 != 0, 0)
		at += end // no byte is looked at twice, whatever stands there
	}
	s.buf = append(s.buf[:0], s.buf[at:]...)
}

var errZip = errors.New("hygiene: no directory of a zip")

// directory is where the directory of a zip stands.
type directory struct {
	offset, size int64
}

// findDirectory reads the records at the end of a zip.
func findDirectory(r io.ReaderAt, size int64) (directory, error) {
	tail := make([]byte, min(size, endRecordLen+maxComment))
	start := size - int64(len(tail))
	if _, err := r.ReadAt(tail, start); err != nil && !errors.Is(err, io.EOF) {
		return directory{}, err
	}
	at := bytes.LastIndex(tail, []byte(endRecord))
	for at >= 0 && len(tail)-at < endRecordLen {
		at = bytes.LastIndex(tail[:at], []byte(endRecord))
	}
	if at < 0 {
		return directory{}, errZip
	}
	end := tail[at:]
	endAt := start + int64(at)
	d := directory{
		size:   int64(binary.LittleEndian.Uint32(end[12:])),
		offset: int64(binary.LittleEndian.Uint32(end[16:])),
	}
	if d.size == math.MaxUint32 || d.offset == math.MaxUint32 || binary.LittleEndian.Uint16(end[10:]) == math.MaxUint16 {
		var err error
		if endAt, d, err = findDirectory64(r, endAt, d); err != nil {
			return directory{}, err
		}
	}
	if d.size < 0 || d.offset < 0 || d.size > endAt {
		return directory{}, errZip
	}
	// Something may stand before the zip, such as a program that unpacks it: the directory ends where its end record begins.
	if before := endAt - d.size; before != d.offset && isCentral(r, before) {
		d.offset = before
	}
	if d.offset > size-d.size {
		return directory{}, errZip
	}
	return d, nil
}

// findDirectory64 reads the records of a large zip, where the smaller ones refer to them.
func findDirectory64(r io.ReaderAt, endAt int64, small directory) (int64, directory, error) {
	locator := make([]byte, locator64Len)
	if endAt < locator64Len {
		return endAt, small, nil
	}
	if _, err := r.ReadAt(locator, endAt-locator64Len); err != nil {
		return 0, directory{}, err
	}
	if binary.LittleEndian.Uint32(locator) != locator64 {
		return endAt, small, nil // a small zip with that many entries
	}
	at := int64(binary.LittleEndian.Uint64(locator[8:])) //nolint:gosec // looked at below
	if at < 0 || at > endAt-endRecord64Len {
		return 0, directory{}, errZip
	}
	end := make([]byte, endRecord64Len)
	if _, err := r.ReadAt(end, at); err != nil {
		return 0, directory{}, err
	}
	if binary.LittleEndian.Uint32(end) != endRecord64 {
		return 0, directory{}, errZip
	}
	return at, directory{
		size:   int64(binary.LittleEndian.Uint64(end[40:])), //nolint:gosec // looked at by the caller
		offset: int64(binary.LittleEndian.Uint64(end[48:])), //nolint:gosec // looked at by the caller
	}, nil
}

func isCentral(r io.ReaderAt, at int64) bool {
	sign := make([]byte, 4)
	_, err := r.ReadAt(sign, at)
	return err == nil && binary.LittleEndian.Uint32(sign) == centralHeader
}

// readDirectory reads the entries of the directory of a zip, one at a time.
func readDirectory(at io.ReaderAt, size int64) (*entries, error) {
	d, err := findDirectory(at, size)
	if err != nil {
		return nil, err
	}
	e := &entries{found: make(map[Code]bool), Archive: Archive{Exact: true}}
	r := bufio.NewReaderSize(io.NewSectionReader(at, d.offset, d.size), 64<<10)
	header := make([]byte, centralHeaderLen)
	rest := make([]byte, 0, 4096)
	for {
		if _, err := io.ReadFull(r, header); errors.Is(err, io.EOF) {
			return e, nil
		} else if err != nil || binary.LittleEndian.Uint32(header) != centralHeader {
			return nil, errors.Join(errZip, err)
		}
		name := int(binary.LittleEndian.Uint16(header[28:]))
		extra := int(binary.LittleEndian.Uint16(header[30:]))
		comment := int(binary.LittleEndian.Uint16(header[32:]))
		rest = slices.Grow(rest[:0], name+extra)[:name+extra]
		if _, err := io.ReadFull(r, rest); err != nil {
			return nil, errors.Join(errZip, err)
		}
		if _, err := r.Discard(comment); err != nil {
			return nil, errors.Join(errZip, err)
		}
		expanded := int64(binary.LittleEndian.Uint32(header[24:]))
		if expanded == math.MaxUint32 {
			expanded = expanded64(rest[name:])
		}
		flags := binary.LittleEndian.Uint16(header[8:])
		e.entry(string(rest[:min(name, maxEntryName)]), flags&1 != 0, expanded)
	}
}

// expanded64 reads the size of a large entry, which is the first value of the extra field 1.
func expanded64(extra []byte) int64 {
	for len(extra) >= 4 {
		id, length := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; length > len(extra) {
			break
		}
		if id == 1 && length >= 8 {
			if n := binary.LittleEndian.Uint64(extra); n <= math.MaxInt64 {
				return int64(n)
			}
			return math.MaxInt64
		}
		extra = extra[length:]
	}
	return math.MaxUint32
}
