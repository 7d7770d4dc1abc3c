package sf1601test

import "bytes"

// tableReader reads the elements of a table (see compileTable): it checks order
// and cardinality, and notes the first broken rule in req.
type tableReader struct {
	scan    *scanner
	req     *request
	invalid string // the code of a broken structure

	version int // 0 for MeMo 1.1, 1 for 1.2; 0 for tables of one version
	frames  []frame
	leaf    []byte // text of a leaf in more than one piece
}

// frame is an open class.
type frame struct {
	class *class
	next  int // index of the child that may come next
	count int // how many of that child came
	at    int // where its tag begins
}

// find notes the first broken rule.
func (t *tableReader) find(code, text string, at int) {
	if t.req.Finding != nil {
		return
	}
	line, column := t.scan.position(at)
	t.req.Finding = &Finding{Code: code, Text: text + place(line, column)}
}

func (t *tableReader) top() *frame { return &t.frames[len(t.frames)-1] }

// between is a finding when the text between two elements says something.
func (t *tableReader) between() {
	if len(bytes.TrimSpace(t.scan.text)) > 0 {
		t.find(t.invalid, "text between the elements of '"+t.top().class.name+"'", t.scan.pos)
	}
}

// expect finds the child that just began; nil when the class has none of that
// name. One at the wrong place is a finding, but read: its identity is what a
// status can be matched by.
func (t *tableReader) expect() *child {
	f := t.top()
	for i := f.next; i < len(f.class.children); i++ {
		c := &f.class.children[i]
		if c.name != string(t.scan.local) || c.uri != t.scan.uri {
			continue
		}
		if i != f.next {
			t.missing(f, i)
			f.next, f.count = i, 0
		}
		if f.count++; f.count > c.max[t.version] {
			t.find(t.invalid, "element '"+c.name+"' occurs too often in '"+f.class.name+"'", t.scan.at)
		}
		return c
	}
	for i := range f.class.children {
		if c := &f.class.children[i]; c.name == string(t.scan.local) && c.uri == t.scan.uri {
			t.find(t.invalid, "element '"+c.name+"' stands at the wrong place in '"+f.class.name+"'", t.scan.at)
			return c
		}
	}
	t.find(t.invalid, "an element is not known in '"+f.class.name+"'", t.scan.at)
	return nil
}

// missing finds required children of f that did not come before index to.
func (t *tableReader) missing(f *frame, to int) {
	for i := f.next; i < to; i++ {
		c := &f.class.children[i]
		if n := c.min[t.version]; n > 0 && (i > f.next || f.count < n) {
			t.find(t.invalid, "element '"+c.name+"' is missing in '"+f.class.name+"'", f.at)
		}
	}
}

// text reads a leaf to its end. What it gives is only borrowed.
func (t *tableReader) text(c *child) ([]byte, error) {
	var text []byte
	pieces := 0
	for {
		ev, err := t.scan.next()
		if err != nil {
			return nil, err
		}
		if ev == eventEnd {
			return text, nil
		}
		if ev == eventStart {
			t.find(t.invalid, "element '"+c.name+"' holds an element", t.scan.at)
			if err := skip(t.scan); err != nil {
				return nil, err
			}
			continue
		}
		if pieces++; pieces == 1 {
			text = t.scan.text
			continue
		}
		if pieces == 2 {
			t.leaf = append(t.leaf[:0], text...)
		}
		t.leaf = append(t.leaf, t.scan.text...)
		text = t.leaf
	}
}

func place(line, column int) string {
	return "; lineNumber: " + itoa(line) + "; columnNumber: " + itoa(column)
}
