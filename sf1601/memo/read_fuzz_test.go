package memo_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// fragments are what may stand in a message: short seeds go further than whole messages.
var fragments = []string{
	`<m:MessageHeader><m:label>a&amp;b</m:label><m:reply>1</m:reply><m:mandatory/></m:MessageHeader>`,
	`<m:MessageHeader><m:replyByDateTime>2026-12-01T08:00:00.5+01:00</m:replyByDateTime></m:MessageHeader>`,
	`<m:MessageHeader><m:doNotDeliverUntilDate>2026-12-01Z</m:doNotDeliverUntilDate></m:MessageHeader>`,
	`<m:MessageHeader><m:ReplyData><m:messageUUID>x</m:messageUUID></m:ReplyData><m:ReplyData/></m:MessageHeader>`,
	`<m:MessageHeader><m:ContentData><g:PropertyNumber>1<![CDATA[2]]></g:PropertyNumber></m:ContentData></m:MessageHeader>`,
	`<m:MessageHeader><m:Sender><m:Representative/><m:x y="z"/>t</m:Sender></m:MessageHeader>`,
	`<m:MessageBody><m:MainDocument><m:File><m:language> da </m:language><m:content>QU JD
RA==</m:content></m:File></m:MainDocument></m:MessageBody>`,
}

// whole makes a message of a fragment; what declares its own root is left alone.
func whole(document []byte) []byte {
	if bytes.Contains(document, []byte("xmlns")) {
		return document
	}
	return slices.Concat([]byte(`<m:Message xmlns:m="`+memo.NamespaceMemo+`" xmlns:g="`+memo.NamespaceGrd+`" memoVersion="1.2">`), document, []byte(`</m:Message>`))
}

// FuzzRead: nothing makes the reader panic; how the bytes come changes nothing; what it reads can be written, unless its
// version has no place for it, and read again to the same message.
func FuzzRead(f *testing.F) {
	f.Add(render(f, nemSMS(memo.V1_1)))
	f.Add(render(f, minimum(memo.V1_2)))
	for _, fragment := range fragments {
		f.Add([]byte(fragment))
	}
	f.Add([]byte(lines))
	f.Add([]byte("<kombi_request><KombiValgKode>Digital Post</KombiValgKode>" + lines + "<x/></kombi_request>"))
	f.Fuzz(func(t *testing.T, document []byte) {
		document = whole(document)
		options := memo.ReadOptions{Sink: memo.InMemory()}
		kombi, err := memo.ReadKombi(t.Context(), bytes.NewReader(document), options)
		again, slow := memo.ReadKombi(t.Context(), iotest.HalfReader(iotest.DataErrReader(bytes.NewReader(document))), options)
		if (err == nil) != (slow == nil) || err != nil && err.Error() != slow.Error() {
			t.Fatalf("%v at once, %v in halves", err, slow)
		}
		if err != nil {
			var e *memo.ReadError
			if !errors.As(err, &e) || e.Offset > int64(len(document)) || e.Line < 1 || e.Column < 1 {
				t.Errorf("got %+v", err)
			}
			readPast(t, document)
			return
		}
		if kombi.Message == nil {
			return
		}
		written := rewrite(t, kombi.Message)
		if !bytes.Equal(written, rewrite(t, again.Message)) {
			t.Error("another message in halves")
		}
		if written == nil {
			return
		}
		m := read(t, written)
		normalise(kombi.Message)
		if !reflect.DeepEqual(m, kombi.Message) {
			t.Errorf("got\n%+v\nwant\n%+v", m, kombi.Message)
		}
	})
}

// rewrite writes a message that was read; nil when its version has no place for something.
func rewrite(t *testing.T, m *memo.Message) []byte {
	t.Helper()
	if _, err := m.Document(); errors.Is(err, memo.ErrVersion) {
		return nil
	}
	for _, f := range filesOf(m) {
		if f.Content == nil {
			return nil // a File that had no content cannot be written
		}
	}
	return render(t, m)
}

// filesOf lists all files of a message.
func filesOf(m *memo.Message) []memo.File {
	if m.Body == nil {
		return nil
	}
	list := append([]memo.File(nil), m.Body.MainDocument.Files...)
	for _, d := range m.Body.AdditionalDocuments {
		list = append(list, d.Files...)
	}
	for _, d := range m.Body.TechnicalDocuments {
		list = append(list, d.Files...)
	}
	return list
}

// normalise drops what is read and not written: parts of seconds, and idTypeLabel in 1.2.
func normalise(m *memo.Message) {
	cut(reflect.ValueOf(m))
	if m.Version == memo.V1_2 {
		m.Header.Sender.IDTypeLabel, m.Header.Recipient.IDTypeLabel = "", ""
	}
}

func cut(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			cut(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			cut(v.Index(i))
		}
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[*time.Time](v.Addr()); ok {
			*t = t.Truncate(time.Second)
			return
		}
		for _, field := range v.Fields() {
			cut(field)
		}
	default:
	}
}

// readPast reads the document with every hook, past all faults.
func readPast(t *testing.T, document []byte) {
	t.Helper()
	end := int64(len(document))
	_, _ = memo.ReadKombi(t.Context(), bytes.NewReader(document), memo.ReadOptions{
		Fault: func(e *memo.ReadError) error {
			if !e.Reason.Passable() {
				t.Errorf("asked about %s", e.Reason)
			}
			return nil
		},
		Notice: func(n memo.Notice) {
			if n.Offset > end || n.Line < 1 || n.Column < 1 {
				t.Errorf("got %+v", n)
			}
		},
		Observe: func(e memo.Event) {
			if e.Offset > e.Limit || e.Limit > end || e.Line < 1 || e.Column < 1 {
				t.Errorf("got %+v", e)
			}
		},
	})
}
