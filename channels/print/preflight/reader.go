package preflight

import (
	"bytes"
	"context"
)

// entry is where an object is.
type entry struct {
	offset int  // of the object; in an object stream, of nothing
	inside int  // number of the object stream that holds it; 0: none
	index  int  // its place there
	free   bool // deleted
}

// reader resolves the objects of a file, each when it is asked for.
type reader struct {
	meter
	b       []byte
	entries map[int]entry
	trailer dict
	objects map[int]any
	loading map[int]bool
	packed  map[int]*objectStream
}

// objectStream is an unpacked object stream. [src: ISO-32000-1 §7.5.7]
type objectStream struct {
	data    []byte
	offsets []int // of the objects, by index
	numbers []int
}

func newReader(ctx context.Context, b []byte, limits Limits) *reader {
	return &reader{
		meter: meter{ctx: ctx, limits: limits}, b: b, entries: make(map[int]entry), trailer: make(dict),
		objects: make(map[int]any), loading: make(map[int]bool), packed: make(map[int]*objectStream),
	}
}

// at reads from a place in b.
func (r *reader) at(b []byte, pos int) *lexer { return &lexer{b: b, pos: pos, meter: &r.meter} }

// resolve follows references until there is an object. What is not in the file is nil. [src: ISO-32000-1 §7.3.10]
func (r *reader) resolve(o any) (any, error) {
	for range r.limits.Depth {
		is, ok := o.(ref)
		if !ok {
			return o, nil
		}
		if err := r.spend(); err != nil {
			return nil, err
		}
		var err error
		if o, err = r.load(is.num); err != nil {
			return nil, err
		}
	}
	return nil, fault("a reference leads to itself")
}

// load reads object num, once.
func (r *reader) load(num int) (any, error) {
	if o, known := r.objects[num]; known {
		return o, nil
	}
	e, known := r.entries[num]
	if !known || e.free {
		return nil, nil //nolint:nilnil // what is not there is the object null
	}
	if r.loading[num] {
		return nil, fault("an object contains itself")
	}
	r.loading[num] = true
	defer delete(r.loading, num)
	var o any
	var err error
	if e.inside > 0 {
		o, err = r.unpackObject(num, e)
	} else {
		o, err = r.indirect(num, e.offset)
	}
	if err != nil {
		return nil, err
	}
	r.objects[num] = o
	return o, nil
}

// indirect reads "num gen obj ..." at an offset.
func (r *reader) indirect(num, offset int) (any, error) {
	l := r.at(r.b, offset)
	var head array
	for range 3 {
		o, err := l.object(0)
		if err != nil {
			return nil, err
		}
		head = append(head, o)
	}
	if head[0] != int64(num) || head[2] != keyword("obj") {
		return nil, fault("an object is not where the table says")
	}
	o, err := l.object(0)
	if err != nil {
		return nil, err
	}
	switch v := o.(type) {
	case keyword:
		if v == "endobj" {
			return nil, nil //nolint:nilnil // an empty object is null
		}
		return nil, fault("an object cannot be read")
	case int64:
		return r.maybeRef(l, v)
	case dict:
		return r.maybeStream(l, v)
	default:
		return o, nil
	}
}

// maybeRef looks whether a number is the beginning of a reference.
func (r *reader) maybeRef(l *lexer, num int64) (any, error) {
	before := array{num}
	for range 2 {
		o, err := l.object(0)
		if err != nil {
			return num, nil //nolint:nilerr // what follows a number is not needed
		}
		if folded, err := fold(o, &before); err == nil && len(before) == 0 {
			return folded, nil
		}
		before = append(before, o)
	}
	return num, nil
}

// maybeStream looks whether bytes follow a dictionary.
func (r *reader) maybeStream(l *lexer, d dict) (any, error) {
	l.blanks()
	rest := l.b[l.pos:]
	if !bytes.HasPrefix(rest, []byte("stream")) {
		return d, nil
	}
	start := l.pos + len("stream")
	if bytes.HasPrefix(l.b[start:], []byte("\r\n")) {
		start += 2
	} else if start < len(l.b) && (l.b[start] == '\n' || l.b[start] == '\r') {
		start++
	}
	length, err := r.resolve(d["Length"])
	if err != nil {
		return nil, err
	}
	if n, ok := length.(int64); ok && n >= 0 && n <= int64(len(l.b)-start) {
		end := start + int(n)
		after := r.at(l.b, end)
		after.blanks()
		if bytes.HasPrefix(l.b[after.pos:], []byte("endstream")) {
			return &stream{dict: d, raw: l.b[start:end]}, nil
		}
	}
	return nil, fault("the length of a stream is wrong")
}

// unpackObject reads object num from the object stream that holds it.
func (r *reader) unpackObject(num int, e entry) (any, error) {
	s, known := r.packed[e.inside]
	if !known {
		var err error
		if s, err = r.openObjectStream(e.inside); err != nil {
			return nil, err
		}
		r.packed[e.inside] = s
	}
	if e.index >= len(s.numbers) || s.numbers[e.index] != num {
		return nil, fault("an object is not where the table says")
	}
	o, err := r.at(s.data, s.offsets[e.index]).object(0)
	if err != nil {
		return nil, err
	}
	if _, is := o.(keyword); is {
		return nil, fault("an object cannot be read")
	}
	return o, nil
}

func (r *reader) openObjectStream(num int) (*objectStream, error) {
	if r.entries[num].inside > 0 {
		return nil, fault("an object stream lies in another one")
	}
	o, err := r.load(num)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*stream)
	if !ok || s.dict["Type"] != name("ObjStm") {
		return nil, fault("an object stream is missing")
	}
	count, first := r.integer(s.dict["N"]), r.integer(s.dict["First"])
	data, err := r.unpack(s)
	if err != nil {
		return nil, err
	}
	if count < 0 || first < 0 || first > len(data) || count > first {
		return nil, fault("an object stream has no table")
	}
	out := &objectStream{data: data}
	l := r.at(data[:first], 0)
	for range count {
		var pair [2]int
		for k := range pair {
			o, err := l.object(0)
			if err != nil {
				return nil, err
			}
			v, ok := o.(int64)
			if !ok || v < 0 || v > int64(max(len(data), maxObject)) {
				return nil, fault("an object stream has no table")
			}
			pair[k] = int(v)
		}
		if first+pair[1] > len(data) {
			return nil, fault("an object stream has no table")
		}
		out.numbers = append(out.numbers, pair[0])
		out.offsets = append(out.offsets, first+pair[1])
	}
	return out, nil
}

// integer resolves a whole number; -1 when it is none.
func (r *reader) integer(o any) int {
	o, err := r.resolve(o)
	v, ok := o.(int64)
	if err != nil || !ok || v < 0 || v > 1<<31-1 {
		return -1
	}
	return int(v)
}

// dictionary resolves a dictionary, also that of a stream; nil when there is none.
func (r *reader) dictionary(o any) (dict, error) {
	o, err := r.resolve(o)
	if err != nil {
		return nil, err
	}
	switch v := o.(type) {
	case dict:
		return v, nil
	case *stream:
		return v.dict, nil
	default:
		return nil, nil //nolint:nilnil // no dictionary is an empty one
	}
}
