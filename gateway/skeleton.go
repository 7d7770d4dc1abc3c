package gateway

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	_ "embed" // the dictionary
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// A skeleton is stored as
//
//	version  one byte: 1
//	words    one byte: which of the version's dictionaries: 0 requests, 1 mails
//	body     DEFLATE (RFC 1951) with that preset dictionary, of
//	           name         length (uvarint), bytes
//	           contentType  length (uvarint), bytes
//	           parts        one after the other to the end, each
//	             kind       one byte; +8: the base64 stands in lines of 76 characters
//	             0 text     length (uvarint), bytes
//	             1 content  length (uvarint), bytes, to be put in as base64
//	             2 again    index (uvarint) of an earlier content, counted from 0
//	             3 document length (uvarint), SHA-256 (32 bytes), to be read elsewhere and put in as base64
//
// and is read for ever: a change of anything, the dictionary included, is a new version beside this one.
const (
	skeletonVersion = 1
	// maxSkeleton bounds a body: what SF1601 takes as a whole letter is less.
	maxSkeleton = 128 << 20
	// skeletonLevel of compress/flate: a letter takes 29 µs instead of 25 and a tenth less room than at level 2, the lowest
	// that makes use of a dictionary.
	skeletonLevel = 6
)

// errSkeleton is a stored skeleton that cannot be read.
var errSkeleton = errors.New("the skeleton is damaged")

// The dictionaries are text that letters have in common, the most common last. They say nothing about what a letter may be:
// another one only takes more room.
var (
	//go:embed skeleton1.request.dict
	requestDictionary []byte
	//go:embed skeleton1.mail.dict
	mailDictionary []byte
)

const (
	requestWords byte = iota
	mailWords
	allWords
)

// dictionary is that of a number below allWords.
func dictionary(words byte) []byte {
	if words == mailWords {
		return mailDictionary
	}
	return requestDictionary
}

// words is the dictionary for what is of a media type.
func words(contentType string) byte {
	if strings.HasPrefix(contentType, "message/") {
		return mailWords
	}
	return requestWords
}

type boneKind byte

const (
	boneText boneKind = iota
	boneContent
	boneAgain
	boneDocument
)

// boneLines is added to a kind whose base64 stands in lines.
const boneLines boneKind = 8

// bone is a part of a skeleton. Of a decoded one no kind is boneAgain.
type bone struct {
	kind  boneKind
	lines bool
	text  []byte // of boneText and boneContent
	size  int64  // before base64
	sum   [sha256.Size]byte
}

// length is how many bytes the bone stands for.
func (b *bone) length() int64 {
	switch {
	case b.kind == boneText:
		return b.size
	case b.lines:
		return (b.size+2)/3*4 + (b.size+lineBytes-1)/lineBytes*int64(len(lineEnd))
	default:
		return (b.size + 2) / 3 * 4
	}
}

type skeleton struct {
	name, contentType string
	parts             []bone
}

func (s *skeleton) size() int64 {
	var n int64
	for i := range s.parts {
		n += s.parts[i].length()
	}
	return n
}

// flater compresses one skeleton after the other in the same memory.
type flater struct {
	*flate.Writer

	out  bytes.Buffer
	body []byte
}

// The pools save making half a megabyte for each letter. A pool is not state: it changes no result.
var (
	requestFlaters = sync.Pool{New: func() any { return newFlater(requestWords) }}
	mailFlaters    = sync.Pool{New: func() any { return newFlater(mailWords) }}
)

func newFlater(words byte) *flater {
	f := new(flater)
	w, err := flate.NewWriterDict(&f.out, skeletonLevel, dictionary(words))
	if err != nil {
		panic("gateway: the level of compression is a constant: " + err.Error())
	}
	f.Writer = w
	return f
}

// pooledFlater is the most bytes of buffers that are kept for the next letter.
const pooledFlater = 1 << 20

// flaters are those with a dictionary.
func flaters(words byte) *sync.Pool {
	if words == mailWords {
		return &mailFlaters
	}
	return &requestFlaters
}

func (s *skeleton) encode() ([]byte, error) {
	words := words(s.contentType)
	pool := flaters(words)
	f := pool.Get().(*flater) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer func() {
		if cap(f.body)+f.out.Cap() <= pooledFlater { // a rare large letter is not to be held on to
			pool.Put(f)
		}
	}()
	f.body = s.append(f.body[:0])
	if len(f.body) > maxSkeleton {
		return nil, ErrTooLarge
	}
	f.out.Reset()
	f.out.Write([]byte{skeletonVersion, words})
	f.Reset(&f.out)
	if _, err := f.Write(f.body); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return bytes.Clone(f.out.Bytes()), nil
}

func (s *skeleton) append(to []byte) []byte {
	put := func(b []byte) {
		to = binary.AppendUvarint(to, uint64(len(b)))
		to = append(to, b...)
	}
	put([]byte(s.name))
	put([]byte(s.contentType))
	contents := make(map[[sha256.Size]byte]uint64)
	for n := range s.parts {
		b := &s.parts[n]
		kind, earlier := b.kind, uint64(0)
		if kind == boneContent {
			sum := sha256.Sum256(b.text)
			if at, is := contents[sum]; is {
				kind, earlier = boneAgain, at
			} else {
				contents[sum] = uint64(len(contents))
			}
		}
		tag := kind
		if b.lines {
			tag |= boneLines
		}
		to = append(to, byte(tag))
		switch kind {
		case boneAgain:
			to = binary.AppendUvarint(to, earlier)
		case boneDocument:
			to = binary.AppendUvarint(to, uint64(b.size)) //nolint:gosec // never negative
			to = append(to, b.sum[:]...)
		default:
			put(b.text)
		}
	}
	return to
}

// decodeSkeleton reads what encode wrote. The error is errSkeleton and holds nothing of what was read.
func decodeSkeleton(stored []byte) (*skeleton, error) {
	switch {
	case len(stored) < 2:
		return nil, fmt.Errorf("%w: it is too short", errSkeleton)
	case stored[0] != skeletonVersion:
		return nil, fmt.Errorf("%w: its version is %d, known is %d", errSkeleton, stored[0], skeletonVersion)
	case stored[1] >= allWords:
		return nil, fmt.Errorf("%w: its dictionary is not known", errSkeleton)
	}
	source := bytes.NewReader(stored[2:])
	r := flate.NewReaderDict(source, dictionary(stored[1]))
	body, err := io.ReadAll(io.LimitReader(r, maxSkeleton+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errSkeleton, err)
	case len(body) > maxSkeleton:
		return nil, fmt.Errorf("%w: it is too large", errSkeleton)
	case source.Len() > 0:
		return nil, fmt.Errorf("%w: something follows its end", errSkeleton)
	}
	return bonesOf(body)
}

// bonesOf reads a decompressed body.
func bonesOf(body []byte) (*skeleton, error) {
	d := boneReader{rest: body}
	s := &skeleton{name: string(d.bytes()), contentType: string(d.bytes())}
	for !d.bad && len(d.rest) > 0 {
		s.parts = append(s.parts, d.bone())
	}
	if d.bad {
		return nil, fmt.Errorf("%w: its parts do not add up", errSkeleton)
	}
	return s, nil
}

// boneReader reads the parts of a body.
type boneReader struct {
	rest     []byte
	contents [][]byte
	bad      bool
}

func (d *boneReader) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *boneReader) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *boneReader) bytes() []byte { return d.take(d.number()) }

func (d *boneReader) bone() bone {
	tag := boneKind(d.rest[0])
	d.rest = d.rest[1:]
	b := bone{kind: tag &^ boneLines, lines: tag&boneLines != 0}
	switch b.kind {
	case boneText:
		b.text = d.bytes()
		d.bad = d.bad || b.lines
	case boneContent:
		b.text = d.bytes()
		d.contents = append(d.contents, b.text)
	case boneAgain:
		n := d.number()
		if n >= uint64(len(d.contents)) {
			d.bad = true
			return b
		}
		b.kind, b.text = boneContent, d.contents[n]
	case boneDocument:
		size := d.number()
		copy(b.sum[:], d.take(sha256.Size))
		if size > MaxDocument {
			d.bad = true
			return b
		}
		b.size = int64(size)
		return b
	default:
		d.bad = true
	}
	b.size = int64(len(b.text))
	return b
}
