package preflight

import (
	"bytes"
	"strconv"
)

// open follows the cross-reference from the end of the file. [src: ISO-32000-1 §7.5.4, §7.5.5, §7.5.8]
func (r *reader) open() error {
	tail := r.b[max(0, len(r.b)-1024):]
	at := bytes.LastIndex(tail, []byte("startxref"))
	if at < 0 {
		return fault("its end is missing")
	}
	o, err := r.at(tail, at+len("startxref")).object(0)
	if err != nil {
		return err
	}
	next, ok := o.(int64)
	seen := make(map[int64]bool)
	for ok {
		if next < 0 || next >= int64(len(r.b)) {
			return fault("its table of objects is missing")
		}
		if seen[next] {
			return fault("its table of objects leads to itself")
		}
		seen[next] = true
		trailer, err := r.section(int(next))
		if err != nil {
			return err
		}
		for key, value := range trailer {
			if _, known := r.trailer[key]; !known { // the newest section comes first
				r.trailer[key] = value
			}
		}
		if hybrid, is := trailer["XRefStm"].(int64); is && hybrid > 0 && hybrid < int64(len(r.b)) {
			if _, err := r.section(int(hybrid)); err != nil {
				return err
			}
		}
		next, ok = previous(trailer["Prev"])
	}
	if r.trailer["Encrypt"] != nil {
		return errEncrypted
	}
	if r.trailer["Root"] == nil {
		return fault("its catalog is missing")
	}
	return nil
}

// previous reads an offset, which some writers give as a real number.
func previous(o any) (int64, bool) {
	switch v := o.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), v >= 0 && v < 1<<40
	default:
		return 0, false
	}
}

// section reads a cross-reference table or stream and returns its trailer.
func (r *reader) section(offset int) (dict, error) {
	l := r.at(r.b, offset)
	l.blanks()
	if bytes.HasPrefix(l.b[l.pos:], []byte("xref")) {
		l.pos += len("xref")
		return r.table(l)
	}
	return r.crossReferenceStream(l.pos)
}

// note keeps an entry unless a newer section has one for the same number.
func (r *reader) note(num int, e entry) {
	if _, known := r.entries[num]; !known && num <= maxObject {
		r.entries[num] = e
	}
}

func (r *reader) table(l *lexer) (dict, error) {
	for {
		if err := r.spend(); err != nil {
			return nil, err
		}
		l.blanks()
		if bytes.HasPrefix(l.b[l.pos:], []byte("trailer")) {
			l.pos += len("trailer")
			o, err := l.object(0)
			if err != nil {
				return nil, err
			}
			if d, ok := o.(dict); ok {
				return d, nil
			}
			return nil, fault("its trailer cannot be read")
		}
		first, count, err := l.pair()
		if err != nil {
			return nil, err
		}
		for k := range count {
			if err := r.spend(); err != nil {
				return nil, err
			}
			offset, _, err := l.pair()
			if err != nil {
				return nil, err
			}
			l.blanks()
			switch string(l.word()) {
			case "n":
				r.note(first+k, entry{offset: offset})
			case "f":
				r.note(first+k, entry{free: true})
			default:
				return nil, fault("its table of objects cannot be read")
			}
		}
	}
}

// pair reads two whole numbers.
func (l *lexer) pair() (a, b int, err error) {
	var v [2]int
	for k := range v {
		l.blanks()
		n, err := strconv.Atoi(string(l.word()))
		if err != nil || n < 0 {
			return 0, 0, fault("its table of objects cannot be read")
		}
		v[k] = n
	}
	return v[0], v[1], nil
}

func (r *reader) crossReferenceStream(offset int) (dict, error) {
	l := r.at(r.b, offset)
	num, _, err := l.pair()
	if err != nil {
		return nil, err
	}
	o, err := r.indirect(num, offset)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*stream)
	if !ok || s.dict["Type"] != name("XRef") {
		return nil, fault("its table of objects is missing")
	}
	if _, encrypted := s.dict["Encrypt"]; encrypted {
		return s.dict, nil
	}
	data, err := r.unpack(s)
	if err != nil {
		return nil, err
	}
	return s.dict, r.rows(s.dict, data)
}

// rows reads the entries of a cross-reference stream.
func (r *reader) rows(d dict, data []byte) error {
	list, ok := d["W"].(array)
	if !ok || len(list) < 3 {
		return fault("its table of objects cannot be read")
	}
	var widths [3]int
	total := 0
	for k := range widths {
		w, ok := list[k].(int64)
		if !ok || w < 0 || w > 8 {
			return fault("its table of objects cannot be read")
		}
		widths[k] = int(w)
		total += int(w)
	}
	index, ok := d["Index"].(array)
	if !ok {
		index = array{int64(0), d["Size"]}
	}
	for k := 0; k+1 < len(index); k += 2 {
		first, ok1 := index[k].(int64)
		count, ok2 := index[k+1].(int64)
		if !ok1 || !ok2 || first < 0 || first > maxObject || count < 0 || total == 0 {
			return fault("its table of objects cannot be read")
		}
		for n := range count {
			if len(data) < total {
				return fault("its table of objects is too short")
			}
			if err := r.spend(); err != nil {
				return err
			}
			r.row(int(first+n), data[:total], widths)
			data = data[total:]
		}
	}
	return nil
}

func (r *reader) row(num int, data []byte, widths [3]int) {
	field := func(w, absent int) int {
		if w == 0 {
			return absent
		}
		v := uint64(0)
		for _, b := range data[:w] {
			v = v<<8 | uint64(b)
		}
		data = data[w:]
		return int(min(v, 1<<40))
	}
	kind, second, third := field(widths[0], 1), field(widths[1], 0), field(widths[2], 0)
	switch kind {
	case 0:
		r.note(num, entry{free: true})
	case 1:
		r.note(num, entry{offset: second})
	case 2:
		r.note(num, entry{inside: second, index: third})
	}
}
