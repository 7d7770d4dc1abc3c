package sf1601test

import (
	"bytes"
	"strings"
)

// letterReader reads memo:Message: it checks the table and keeps what the
// simulator needs.
type letterReader struct {
	scan  *scanner
	req   *request
	rules rules
	today string

	version int // 0 for MeMo 1.1, 1 for 1.2
	frames  []frame
	leaf    []byte // text of a leaf in more than one piece

	kind    string // of the document being read
	doc     Document
	idType  string // of the party being read
	partyID string
	notify  bool   // a notification that is not blank
	body    bool   // there is a MessageBody
	code    string // actionCode of the action being read
	reserve bool
	entry   bool
}

// frame is an open class.
type frame struct {
	class *class
	next  int // index of the child that may come next
	count int // how many of that child came
	at    int // where its tag begins
}

// find notes the first broken rule.
func (l *letterReader) find(code, text string, at int) {
	if l.req.Finding != nil {
		return
	}
	line, column := l.scan.position(at)
	l.req.Finding = &Finding{Code: code, Text: text + place(line, column)}
}

func (l *letterReader) read() error {
	l.versions()
	if err := l.prefixed(); err != nil {
		return err
	}
	l.frames = append(l.frames[:0], frame{class: memoSchema(), at: l.scan.at})
	for len(l.frames) > 0 {
		ev, err := l.scan.next()
		if err != nil {
			return err
		}
		switch ev {
		case eventText:
			if len(bytes.TrimSpace(l.scan.text)) > 0 {
				l.find(CodeMemoInvalid, "text between the elements of '"+l.top().class.name+"'", l.scan.pos)
			}
		case eventStart:
			if err := l.start(); err != nil {
				return err
			}
		case eventEnd:
			l.end()
		case eventEOF: // the scanner reports an open element before this
			return nil
		}
	}
	l.afterMessage()
	return nil
}

func (l *letterReader) top() *frame { return &l.frames[len(l.frames)-1] }

// prefixed refuses an element of MeMo that is not written with the literal
// prefix memo, which SF1601 has been seen not to understand.
// [src: SP-CLIENTS itk-dev/serviceplatformen]
func (l *letterReader) prefixed() error {
	if l.scan.uri == nsMemo && string(l.scan.prefix) != "memo" {
		return &refusal{"an element of MeMo is not written with the prefix memo"}
	}
	return nil
}

// versions reads memoVersion and memoSchVersion.
func (l *letterReader) versions() {
	at := l.scan.at
	var version, schema string
	for _, a := range l.scan.attrs {
		switch {
		case a.uri == "" && string(a.local) == "memoVersion":
			version = string(a.value)
		case a.uri == "" && string(a.local) == "memoSchVersion":
			schema = string(a.value)
		case a.uri != nsXSI:
			l.find(CodeMemoInvalid, "an attribute of 'Message' is not known", at)
		}
	}
	switch {
	case version == "1.2" && schema != "":
		l.version = 1
		l.find(CodeMemoInvalid, "memoSchVersion does not exist in MeMo 1.2", at)
	case version == "1.2":
		l.version = 1
	case version != "1.1":
		l.find(CodeMemoInvalid, "memoVersion is neither 1.1 nor 1.2", at)
	case schema != "1.1.0":
		l.find(CodeMemoInvalid, "memoSchVersion is not 1.1.0", at)
	}
}

// start reads the beginning of an element inside a class, and all of a leaf.
func (l *letterReader) start() error {
	if err := l.prefixed(); err != nil {
		return err
	}
	for _, a := range l.scan.attrs {
		if a.uri != nsXSI {
			l.find(CodeMemoInvalid, "an attribute is not known", l.scan.at)
		}
	}
	c := l.expect()
	if c == nil {
		return skip(l.scan)
	}
	if c.class != nil {
		l.frames = append(l.frames, frame{class: c.class, at: l.scan.at})
		l.opened(c.class.name)
		return nil
	}
	return l.value(c)
}

// expect finds the child that just began; nil when the class has none of that
// name. One at the wrong place is a finding, but read: its messageUUID is what
// a status can be matched by.
func (l *letterReader) expect() *child {
	f := l.top()
	for i := f.next; i < len(f.class.children); i++ {
		c := &f.class.children[i]
		if c.name != string(l.scan.local) || c.uri != l.scan.uri {
			continue
		}
		if i != f.next {
			l.missing(f, i)
			f.next, f.count = i, 0
		}
		if f.count++; f.count > c.max[l.version] {
			l.find(CodeMemoInvalid, "element '"+c.name+"' occurs too often in '"+f.class.name+"'", l.scan.at)
		}
		return c
	}
	for i := range f.class.children {
		if c := &f.class.children[i]; c.name == string(l.scan.local) && c.uri == l.scan.uri {
			l.find(CodeMemoInvalid, "element '"+c.name+"' stands at the wrong place in '"+f.class.name+"'", l.scan.at)
			return c
		}
	}
	l.find(CodeMemoInvalid, "an element is not known in '"+f.class.name+"'", l.scan.at)
	return nil
}

// missing finds required children of f that did not come before index to.
func (l *letterReader) missing(f *frame, to int) {
	for i := f.next; i < to; i++ {
		c := &f.class.children[i]
		if n := c.min[l.version]; n > 0 && (i > f.next || f.count < n) {
			l.find(CodeMemoInvalid, "element '"+c.name+"' is missing in '"+f.class.name+"'", f.at)
		}
	}
}

// value reads a leaf.
func (l *letterReader) value(c *child) error {
	at := l.scan.at
	var text []byte
	pieces := 0
	for {
		ev, err := l.scan.next()
		if err != nil {
			return err
		}
		if ev == eventEnd {
			break
		}
		if ev == eventStart {
			l.find(CodeMemoInvalid, "element '"+c.name+"' holds an element", l.scan.at)
			if err := skip(l.scan); err != nil {
				return err
			}
			continue
		}
		if pieces++; pieces == 1 {
			text = l.scan.text
			continue
		}
		if pieces == 2 {
			l.leaf = append(l.leaf[:0], text...)
		}
		l.leaf = append(l.leaf, l.scan.text...)
		text = l.leaf
	}
	v := value{text: text, today: l.today, files: l.rules.files}
	if code, wrong := c.check(&v); code != "" {
		l.find(code, "element '"+c.name+"' "+wrong, at)
	}
	l.keep(l.top().class.name, c.name, text)
	return nil
}

func place(line, column int) string {
	var b strings.Builder
	b.WriteString("; lineNumber: ")
	b.WriteString(itoa(line))
	b.WriteString("; columnNumber: ")
	b.WriteString(itoa(column))
	return b.String()
}
