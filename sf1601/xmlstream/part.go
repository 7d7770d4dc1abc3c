package xmlstream

// Part is a piece of a Document: text that stands in it as it is, or a content that stands in it as padded base64.
type Part struct {
	Text    []byte  // must not be changed
	Content Content // nil: the part is Text
	Size    int64   // of the content, raw bytes
}

// Parts lists what Open streams, in order: whoever keeps the texts, and knows where the contents are kept, can put the
// document together again byte for byte. A content that is kept under a name implements Named. No text is empty.
func (d *Document) Parts() []Part {
	parts := make([]Part, 0, 2*len(d.cuts)+2)
	text := func(b []byte) {
		if len(b) > 0 {
			parts = append(parts, Part{Text: b})
		}
	}
	text([]byte(d.declaration))
	at := 0
	for _, c := range d.cuts {
		text(d.text[at:c.at])
		parts = append(parts, Part{Content: d.contents[c.content], Size: d.sizes[c.content]})
		at = c.at
	}
	text(d.text[at:])
	return parts
}

// Named is a Content whose bytes are kept elsewhere under a name.
type Named interface {
	Content
	// Name is where they are kept; "" when they are not.
	Name() string
}
