package sf1601test

// letterReader reads memo:Message: it checks the table and keeps what the
// simulator needs.
type letterReader struct {
	tableReader
	under value // the leaf under test

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
			l.between()
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

// value reads a leaf.
func (l *letterReader) value(c *child) error {
	at := l.scan.at
	text, err := l.text(c)
	if err != nil {
		return err
	}
	l.under.text = text
	if code, wrong := c.check(&l.under); code != "" {
		l.find(code, "element '"+c.name+"' "+wrong, at)
	}
	l.keep(l.top().class.name, c.name, text)
	return nil
}
