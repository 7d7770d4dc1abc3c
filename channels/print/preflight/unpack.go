package preflight

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
)

// inflater returns a reader of what s unpacks to, when s is packed with FlateDecode alone; nil when it is not packed at
// all. ok is false for every other filter.
func (r *reader) inflater(s *stream) (in io.Reader, ok bool, err error) {
	filter, err := r.resolve(s.dict["Filter"])
	if err != nil {
		return nil, false, err
	}
	if list, is := filter.(array); is {
		switch len(list) {
		case 0:
			filter = nil
		case 1:
			if filter, err = r.resolve(list[0]); err != nil {
				return nil, false, err
			}
		default:
			return nil, false, nil
		}
	}
	switch filter {
	case nil:
		return nil, true, nil
	case name("FlateDecode"), name("Fl"):
	default:
		return nil, false, nil
	}
	const zlibHeader = 2 // its checksum at the end is not asked for: readers do not mind a wrong one
	if len(s.raw) < zlibHeader || s.raw[0]&0x0f != 8 {
		return nil, false, fault("a compressed part cannot be unpacked")
	}
	r.scanned += len(s.raw)
	return flate.NewReader(bytes.NewReader(s.raw[zlibHeader:])), true, nil
}

// budgeted counts what is read against the limit of unpacked bytes.
type budgeted struct {
	in io.Reader
	r  *reader
}

func (b budgeted) Read(p []byte) (int, error) {
	if b.r.limits.Unpacked <= 0 {
		return 0, errLimit
	}
	if err := b.r.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p)) > b.r.limits.Unpacked {
		p = p[:b.r.limits.Unpacked]
	}
	n, err := b.in.Read(p)
	b.r.limits.Unpacked -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fault("a compressed part cannot be unpacked")
	}
	return n, err
}

// maxHeld is how many bytes an object stream or a cross-reference stream may unpack to: they are held in memory.
const maxHeld = 16 << 20

// unpack returns what an object stream or a cross-reference stream holds.
func (r *reader) unpack(s *stream) ([]byte, error) {
	in, ok, err := r.inflater(s)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault("its objects are packed in an unusual way")
	}
	if in == nil {
		return s.raw, nil
	}
	data, err := io.ReadAll(io.LimitReader(budgeted{in, r}, maxHeld+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxHeld {
		return nil, errLimit
	}
	return r.unpredict(s, data)
}

// unpredict undoes the PNG predictors, which cross-reference streams use. [src: ISO-32000-1 §7.4.4.4]
func (r *reader) unpredict(s *stream, data []byte) ([]byte, error) {
	o, err := r.resolve(s.dict["DecodeParms"])
	if err != nil {
		return nil, err
	}
	if list, is := o.(array); is && len(list) == 1 {
		o = list[0]
	}
	parms, err := r.dictionary(o)
	if err != nil {
		return nil, err
	}
	predictor := r.integer(parms["Predictor"])
	if parms["Predictor"] == nil || predictor == 1 {
		return data, nil
	}
	columns := r.integer(parms["Columns"])
	if parms["Columns"] == nil {
		columns = 1
	}
	if predictor < 10 || columns < 1 || columns > 1<<16 || parms["Colors"] != nil && parms["Colors"] != int64(1) ||
		parms["BitsPerComponent"] != nil && parms["BitsPerComponent"] != int64(8) {
		return nil, fault("its objects are packed in an unusual way")
	}
	return unfilter(data, columns)
}

// unfilter undoes the filter of each row, of bytes of one component. [src: PNG §9]
func unfilter(data []byte, columns int) ([]byte, error) {
	rows := len(data) / (columns + 1)
	out := make([]byte, 0, rows*columns)
	above := make([]byte, columns)
	for k := range rows {
		row := data[k*(columns+1) : (k+1)*(columns+1)]
		kind, row := row[0], bytes.Clone(row[1:])
		for x := range row {
			var left, corner byte
			if x > 0 {
				left, corner = row[x-1], above[x-1]
			}
			switch kind {
			case 0:
			case 1:
				row[x] += left
			case 2:
				row[x] += above[x]
			case 3:
				row[x] += byte((uint16(left) + uint16(above[x])) / 2) //nolint:gosec // half of two bytes is a byte
			case 4:
				row[x] += paeth(left, above[x], corner)
			default:
				return nil, fault("a compressed part cannot be unpacked")
			}
		}
		out = append(out, row...)
		above = row
	}
	return out, nil
}

func paeth(left, above, corner byte) byte {
	p := int(left) + int(above) - int(corner)
	distance := func(b byte) int { return max(p-int(b), int(b)-p) }
	switch {
	case distance(left) <= distance(above) && distance(left) <= distance(corner):
		return left
	case distance(above) <= distance(corner):
		return above
	default:
		return corner
	}
}

// readable unpacks a stream and throws it away, to see whether it can be. What is not packed with FlateDecode alone is not
// judged.
func (r *reader) readable(s *stream) error {
	in, ok, err := r.inflater(s)
	if err != nil || !ok || in == nil {
		return err
	}
	_, err = io.Copy(io.Discard, budgeted{in, r})
	return err
}
