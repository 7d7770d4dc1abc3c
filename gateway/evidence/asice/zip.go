package asice

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// What a container may weigh. Evidence of a letter has some tens of files, the largest of 100 MB.
const (
	MaxFiles = 10_000 // files, beside mimetype and META-INF
	maxName  = 200    // bytes of a name
	maxOwn   = 16 << 20
	maxSize  = 1<<32 - 1 // of the whole: no ZIP64
)

// The records of a ZIP file. [src: ZIP-APPNOTE sections 4.3.7, 4.3.12, 4.3.16]
const (
	sigLocal     = 0x04034b50
	sigCentral   = 0x02014b50
	sigEnd       = 0x06054b50
	lenLocal     = 30
	lenCentral   = 46
	lenEnd       = 22
	zipVersion   = 20 // 2.0: files in folders
	typeMimetype = "application/vnd.etsi.asic-e+zip"

	nameMimetype   = "mimetype"
	folderMeta     = "META-INF/"
	nameManifest   = folderMeta + "manifest.xml"
	nameSignatures = folderMeta + "signatures.xml"
)

// entry is one file in a ZIP file. Everything else in its two headers follows from the container.
type entry struct {
	name   string
	crc    uint32
	size   int64
	offset int64 // of the local header
}

// data is where the content begins.
func (e *entry) data() int64 { return e.offset + lenLocal + int64(len(e.name)) }

// end is where the next record begins.
func (e *entry) end() int64 { return e.data() + e.size }

// stamp is a time as ZIP has it: two seconds are its unit, and it has no zone; here it is UTC.
type stamp struct{ time, date uint16 }

func newStamp(t time.Time) (stamp, error) {
	t = t.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		return stamp{}, errors.New("asice: a ZIP file knows the years 1980 to 2107 only")
	}
	return stamp{
		time: uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2),      //nolint:gosec // 16 bits by construction
		date: uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()), //nolint:gosec // as above
	}, nil
}

// common is what both headers of a file have in common: from the version needed to the length of the extra field.
func (e *entry) common(b []byte, at stamp) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, zipVersion)
	b = le.AppendUint16(b, 0) // flags: the name is ASCII, lengths stand here
	b = le.AppendUint16(b, 0) // stored
	b = le.AppendUint16(b, at.time)
	b = le.AppendUint16(b, at.date)
	b = le.AppendUint32(b, e.crc)
	b = le.AppendUint32(b, uint32(e.size))      //nolint:gosec // layout bounds it
	b = le.AppendUint32(b, uint32(e.size))      //nolint:gosec // as above
	b = le.AppendUint16(b, uint16(len(e.name))) //nolint:gosec // checkName bounds it
	return le.AppendUint16(b, 0)                // no extra field
}

// local is the header before the content.
func (e *entry) local(at stamp) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, lenLocal+len(e.name)), sigLocal)
	return append(e.common(b, at), e.name...)
}

// central is the header in the directory.
func (e *entry) central(b []byte, at stamp) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, sigCentral)
	b = le.AppendUint16(b, zipVersion)
	b = e.common(b, at)
	b = append(b, make([]byte, 10)...)       // no comment, first disk, no attributes
	b = le.AppendUint32(b, uint32(e.offset)) //nolint:gosec // layout bounds it
	return append(b, e.name...)
}

// directory is everything after the last content: the directory and the record at the end.
func directory(entries []entry, at stamp) []byte {
	var b []byte
	for i := range entries {
		b = entries[i].central(b, at)
	}
	size, start := len(b), int64(0)
	if len(entries) > 0 {
		start = entries[len(entries)-1].end()
	}
	le := binary.LittleEndian
	b = le.AppendUint32(b, sigEnd)
	b = le.AppendUint32(b, 0)                    // one disk
	b = le.AppendUint16(b, uint16(len(entries))) //nolint:gosec // MaxFiles bounds it
	b = le.AppendUint16(b, uint16(len(entries))) //nolint:gosec // as above
	b = le.AppendUint32(b, uint32(size))         //nolint:gosec // MaxFiles and maxName bound it
	b = le.AppendUint32(b, uint32(start))
	return le.AppendUint16(b, 0) // no comment
}

// layout gives every entry its place, one after the other from the first byte on.
func layout(entries []entry) error {
	next := int64(0)
	for i := range entries {
		entries[i].offset = next
		next = entries[i].end()
		if entries[i].size > maxSize || next > maxSize-(maxOwn/2) {
			return errors.New("asice: the files are too large for a ZIP file without ZIP64 (4 GiB)")
		}
	}
	return nil
}

// CheckName refuses names that a container does not hold: a name is a path of folders and a file with / between them, in
// ASCII letters, digits, dots, hyphens and underscores; no part is empty or begins with a dot or a hyphen. So no name
// leaves the folder it is unpacked in, and each is its own relative URI.
func CheckName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("asice: a name has 1 to %d bytes", maxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' || part[len(part)-1] == '.' {
			return errors.New("asice: a part of a name is empty, begins with a dot or hyphen, or ends with a dot")
		}
		for i := range len(part) {
			c := part[i]
			switch {
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			default:
				return errors.New("asice: a name has other characters than A-Z a-z 0-9 . - _ and /")
			}
		}
	}
	return nil
}

// checkNames refuses a list of files that would overwrite each other, or what belongs to the container, on any file
// system.
func checkNames(names []string) error {
	if len(names) > MaxFiles {
		return fmt.Errorf("asice: more than %d files", MaxFiles)
	}
	taken := map[string]bool{nameMimetype: true}
	folders := map[string]bool{strings.ToLower(strings.TrimSuffix(folderMeta, "/")): true}
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return err
		}
		folded := strings.ToLower(name)
		if strings.HasPrefix(folded, strings.ToLower(folderMeta)) {
			return errors.New("asice: a file in META-INF")
		}
		if taken[folded] {
			return errors.New("asice: two files of the same name")
		}
		taken[folded] = true
		for at, c := range folded {
			if c == '/' {
				folders[folded[:at]] = true
			}
		}
	}
	for folder := range folders {
		if taken[folder] {
			return errors.New("asice: a file and a folder of the same name")
		}
	}
	return nil
}
