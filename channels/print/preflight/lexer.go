package preflight

import (
	"bytes"
	"strconv"
)

// The objects of PDF: nil, bool, int64, float64, text, name, array, dict, ref and *stream. [src: ISO-32000-1 §7.3]
type (
	name  string
	text  struct{} // strings are not needed
	array []any
	dict  map[name]any
	ref   struct{ num, gen int }
)

// stream is a dictionary with bytes, still packed.
type stream struct {
	dict dict
	raw  []byte
}

// keyword is a word that is no object: obj, endobj, stream, R, xref, trailer.
type keyword string

// lexer reads objects from b. What it reads is counted by its meter.
type lexer struct {
	b   []byte
	pos int
	*meter
}

func isBlank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	default:
		return false
	}
}

// blanks skips white space and comments.
func (l *lexer) blanks() {
	start := l.pos
	defer func() { l.scanned += l.pos - start }()
	for l.pos < len(l.b) {
		switch c := l.b[l.pos]; {
		case isBlank(c):
			l.pos++
		case c == '%':
			end := bytes.IndexAny(l.b[l.pos:], "\r\n")
			if end < 0 {
				l.pos = len(l.b)
				return
			}
			l.pos += end
		default:
			return
		}
	}
}

// word reads up to the next delimiter.
func (l *lexer) word() []byte {
	start := l.pos
	for l.pos < len(l.b) && !isBlank(l.b[l.pos]) && !isDelimiter(l.b[l.pos]) {
		l.pos++
	}
	l.scanned += l.pos - start
	return l.b[start:l.pos]
}

// object reads one object or keyword.
func (l *lexer) object(depth int) (any, error) {
	if err := l.spend(); err != nil {
		return nil, err
	}
	if depth > l.limits.Depth {
		return nil, errLimit
	}
	l.blanks()
	if l.pos >= len(l.b) {
		return nil, fault("it ends too early")
	}
	switch c := l.b[l.pos]; c {
	case '/':
		l.pos++
		return unescape(l.word()), nil
	case '(':
		return text{}, l.literal()
	case '[':
		l.pos++
		return l.array(depth)
	case '<':
		if bytes.HasPrefix(l.b[l.pos:], []byte("<<")) {
			l.pos += 2
			return l.dict(depth)
		}
		end := bytes.IndexByte(l.b[l.pos:], '>')
		if end < 0 {
			l.scanned += len(l.b) - l.pos
			return nil, fault("a string does not end")
		}
		l.pos += end + 1
		l.scanned += end
		return text{}, nil
	}
	return l.numberOrWord()
}

// unescape reads the #xx of a name.
func unescape(b []byte) name {
	if bytes.IndexByte(b, '#') < 0 {
		return name(b)
	}
	out := make([]byte, 0, len(b))
	for k := 0; k < len(b); k++ {
		if b[k] == '#' && k+2 < len(b) {
			if v, err := strconv.ParseUint(string(b[k+1:k+3]), 16, 8); err == nil {
				out = append(out, byte(v))
				k += 2
				continue
			}
		}
		out = append(out, b[k])
	}
	return name(out)
}

// literal skips a string in parentheses.
func (l *lexer) literal() error {
	start, open := l.pos, 0
	defer func() { l.scanned += l.pos - start }()
	for ; l.pos < len(l.b); l.pos++ {
		switch l.b[l.pos] {
		case '\\':
			l.pos++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.pos++
				return nil
			}
		}
	}
	return fault("a string does not end")
}

func (l *lexer) array(depth int) (any, error) {
	var out array
	for {
		l.blanks()
		if l.pos < len(l.b) && l.b[l.pos] == ']' {
			l.pos++
			return out, nil
		}
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if o, err = fold(o, &out); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
}

// fold turns "12 0 R" into a reference, once its R is read.
func fold(o any, before *array) (any, error) {
	word, is := o.(keyword)
	if !is {
		return o, nil
	}
	n := len(*before)
	if word == "R" && n >= 2 {
		num, ok1 := (*before)[n-2].(int64)
		gen, ok2 := (*before)[n-1].(int64)
		if ok1 && ok2 && num >= 0 && num <= maxObject && gen >= 0 && gen <= 65535 {
			*before = (*before)[:n-2]
			return ref{int(num), int(gen)}, nil
		}
	}
	return nil, fault("an object cannot be read")
}

// dict reads the pairs of a dictionary. Of a key that stands twice the last value counts.
func (l *lexer) dict(depth int) (any, error) {
	var flat array // key, value, key, value
	for {
		l.blanks()
		if bytes.HasPrefix(l.b[l.pos:], []byte(">>")) {
			l.pos += 2
			break
		}
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if o, err = fold(o, &flat); err != nil {
			return nil, err
		}
		flat = append(flat, o)
	}
	if len(flat)%2 != 0 {
		return nil, fault("a dictionary is not made of pairs")
	}
	out := make(dict, len(flat)/2)
	for k := 0; k < len(flat); k += 2 {
		key, ok := flat[k].(name)
		if !ok {
			return nil, fault("a dictionary is not made of pairs")
		}
		out[key] = flat[k+1]
	}
	return out, nil
}

// maxObject is the largest object number. [src: ISO-32000-1 annex C]
const maxObject = 8388607

func (l *lexer) numberOrWord() (any, error) {
	w := l.word()
	if len(w) == 0 {
		return nil, fault("an object cannot be read")
	}
	switch string(w) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil //nolint:nilnil // the object null
	}
	if c := w[0]; c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9' {
		if len(w) > 64 {
			return nil, fault("a number is too long")
		}
		if v, err := strconv.ParseInt(string(w), 10, 64); err == nil {
			return v, nil
		}
		v, err := strconv.ParseFloat(string(w), 64)
		if err != nil {
			return nil, fault("a number cannot be read")
		}
		return v, nil
	}
	if len(w) > 16 {
		return nil, fault("an object cannot be read")
	}
	return keyword(w), nil
}
