package memo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// recordingSink notes what happens to each content.
type recordingSink struct {
	log     []string
	refuse  error // of File
	onWrite error
	onClose error
}

func (s *recordingSink) File(_ context.Context, f memo.FileInfo) (io.WriteCloser, error) {
	s.log = append(s.log, fmt.Sprintf("%s %s %d/%d %s %s %s", f.Path, f.Document, f.DocumentIndex, f.FileIndex, f.EncodingFormat, f.Filename, f.Language))
	return &recordingWriter{sink: s}, s.refuse
}

type recordingWriter struct {
	sink *recordingSink
	bytes.Buffer
}

func (w *recordingWriter) Write(p []byte) (int, error) {
	if w.sink.onWrite != nil {
		return 0, w.sink.onWrite
	}
	return w.Buffer.Write(p)
}

func (w *recordingWriter) Close() error {
	w.sink.log = append(w.sink.log, "closed with "+w.String())
	return w.sink.onClose
}

func (w *recordingWriter) CloseWithError(err error) error {
	w.sink.log = append(w.sink.log, "given up: "+err.Error())
	return nil
}

func TestSinkIsToldOfEveryFile(t *testing.T) {
	t.Parallel()
	sink := new(recordingSink)
	m, err := memo.Read(t.Context(), bytes.NewReader(render(t, full(memo.V1_1))), memo.ReadOptions{Sink: sink})
	if err != nil {
		t.Fatal(err)
	}
	const pdf = "application/pdf"
	want := []string{
		"MessageBody/MainDocument/File[1]/content MainDocument 1/1 " + pdf + " Pladsanvisning.pdf da", "closed with pdf",
		"MessageBody/MainDocument/File[2]/content MainDocument 1/2 " + pdf + " Pladsanvisning.txt da", "closed with tekst",
		"MessageBody/AdditionalDocument[1]/File[1]/content AdditionalDocument 1/1 " + pdf + " Bilag.pdf da", "closed with bilag",
		"MessageBody/AdditionalDocument[2]/File[1]/content AdditionalDocument 2/1 " + pdf + " Kort.pdf da", "closed with kort",
		"MessageBody/TechnicalDocument[1]/File[1]/content TechnicalDocument 1/1 " + pdf + " data.xml da", "closed with <data/>",
	}
	if got := strings.Join(sink.log, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
	f := m.Body.MainDocument.Files[1]
	if f.Content != nil || f.Size != 5 || f.SHA256 != sha256.Sum256([]byte("tekst")) {
		t.Errorf("the file is %+v", f)
	}
}

func TestNoSinkStillCountsAndHashes(t *testing.T) {
	t.Parallel()
	nothing := memo.SinkFunc(func(context.Context, memo.FileInfo) (io.WriteCloser, error) {
		return nil, nil //nolint:nilnil // a nil writer discards
	})
	for name, sink := range map[string]memo.Sink{"nil sink": nil, "nil writer": nothing} {
		m, err := memo.Read(t.Context(), bytes.NewReader(render(t, minimum(memo.V1_1))), memo.ReadOptions{Sink: sink})
		if err != nil {
			t.Fatal(err)
		}
		f := m.Body.MainDocument.Files[0]
		if f.Content != nil || f.Size != 12 || f.SHA256 != sha256.Sum256([]byte("Kære borger")) {
			t.Errorf("%s: the file is %+v", name, f)
		}
	}
}

func TestSinkFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	for name, tt := range map[string]struct {
		sink *recordingSink
		last string
	}{
		"File":  {&recordingSink{refuse: broken}, "MessageBody/MainDocument/File[1]/content MainDocument 1/1 application/pdf Indkaldelse.pdf da"},
		"Write": {&recordingSink{onWrite: broken}, "given up: memo: line"},
		"Close": {&recordingSink{onClose: broken}, "closed with Kære borger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := memo.Read(t.Context(), bytes.NewReader(render(t, minimum(memo.V1_1))), memo.ReadOptions{Sink: tt.sink})
			var e *memo.ReadError
			if !errors.Is(err, broken) || !errors.As(err, &e) || e.Reason != memo.ReasonSink || e.Path != "MessageBody/MainDocument/File[1]/content" {
				t.Errorf("got %v", err)
			}
			if last := tt.sink.log[len(tt.sink.log)-1]; !strings.HasPrefix(last, tt.last) {
				t.Errorf("the sink was last told %s", last)
			}
		})
	}
}

// A writer learns that its content is not to be used; one without CloseWithError is closed all the same.
func TestSinkIsGivenUp(t *testing.T) {
	t.Parallel()
	document, _, _ := strings.Cut(lines, "Wc=")
	sink := new(recordingSink)
	if _, err := memo.Read(t.Context(), strings.NewReader(document), memo.ReadOptions{Sink: sink}); err == nil {
		t.Fatal("no error")
	}
	if last := sink.log[len(sink.log)-1]; !strings.HasPrefix(last, "given up: ") || !strings.Contains(last, "truncated") {
		t.Errorf("the sink was last told %s", last)
	}
	plain := new(plainWriter)
	closing := memo.SinkFunc(func(context.Context, memo.FileInfo) (io.WriteCloser, error) { return plain, nil })
	if _, err := memo.Read(t.Context(), strings.NewReader(document), memo.ReadOptions{Sink: closing}); err == nil {
		t.Fatal("no error")
	}
	if !plain.closed {
		t.Error("the writer stayed open")
	}
}

type plainWriter struct{ closed bool }

func (w *plainWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *plainWriter) Close() error                { w.closed = true; return nil }

func TestNotices(t *testing.T) {
	t.Parallel()
	document := strings.NewReplacer(
		"<memo:reply>", "<memo:hemmelig><memo:label/></memo:hemmelig>\n<memo:reply>",
		"<memo:MainDocument>", "<memo:MainDocument id='1' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='x'>tekst",
		`memoVersion="1.1"`, `memoVersion="1.1" memoSchVersion="1.1.0" andet=""`,
		"da<", "da<b>x</b><",
	).Replace(lines)
	var got []string
	_, err := memo.Read(t.Context(), strings.NewReader(document), memo.ReadOptions{Notice: func(n memo.Notice) {
		got = append(got, fmt.Sprintf("%d:%d %s %s %s", n.Line, n.Column, n.Code, n.Path, n.Name))
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1:99 unknown.attribute  andet",
		"4:1 unknown.element MessageHeader hemmelig",
		"9:20 unknown.attribute MessageBody/MainDocument id",
		"9:94 stray.text MessageBody/MainDocument ",
		"11:18 unknown.element MessageBody/MainDocument/File[1]/language b",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestFaultsCanBeReadPast(t *testing.T) {
	t.Parallel()
	document := strings.NewReplacer(
		`"1.1"`, `"1.3"`, ">true<", ">sandt<", "08:00:00Z", "kl. 8", "</memo:label>", "</memo:label><memo:label>Andet</memo:label>",
		"aGVt", "aGVt!", "</memo:File>", "</memo:File><memo:File><memo:content>b2s=</memo:content></memo:File>",
	).Replace(lines)
	var got []string
	sink := new(recordingSink)
	options := memo.ReadOptions{Sink: sink, Fault: func(e *memo.ReadError) error {
		if !e.Reason.Passable() {
			t.Errorf("asked about %s", e.Reason)
		}
		got = append(got, string(e.Reason)+" "+e.Path)
		return nil
	}}
	m, err := memo.Read(t.Context(), strings.NewReader(document), options)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"version ", "duplicate MessageHeader", "value MessageHeader/reply", "value MessageBody/createdDateTime",
		"base64 MessageBody/MainDocument/File[1]/content",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	files := m.Body.MainDocument.Files
	if m.Version != "" || m.Header.Label != "Brev" || m.Header.Reply || !m.Body.CreatedDateTime.IsZero() || files[0].Size != 0 || files[1].Size != 2 {
		t.Errorf("read %+v", m)
	}
	if got := strings.Join(sink.log, ";"); !strings.Contains(got, "given up: memo: the content is not base64") || !strings.Contains(got, "closed with ok") {
		t.Errorf("the sink was told %s", got)
	}

	enough := errors.New("enough")
	options.Fault = func(*memo.ReadError) error { return enough }
	if m, err := memo.Read(t.Context(), strings.NewReader(document), options); m != nil || !errors.Is(err, enough) {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	document := "<?xml version='1.0' encoding='utf8'?><!-- her -->\n" + strings.NewReplacer(
		"<memo:reply>true</memo:reply>", "<?x y?><memo:nyt><memo:label/></memo:nyt>", "Brev", "Br&#x65;v &amp;",
	).Replace(lines)
	var got []string
	depth := 0
	_, err := memo.Read(t.Context(), strings.NewReader(document), memo.ReadOptions{Observe: func(e memo.Event) {
		token := document[e.Offset:e.Limit]
		if e.Kind == memo.EventStart {
			depth++
		}
		if e.Depth != depth {
			t.Errorf("%s %s at depth %d, want %d", e.Kind, e.Path, e.Depth, depth)
		}
		if e.Kind == memo.EventEnd {
			depth--
		}
		if e.Kind == memo.EventText && strings.TrimSpace(token) == "" {
			return
		}
		before := document[:e.Offset]
		if line := strings.Count(before, "\n") + 1; e.Line != line || e.Column != len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))+1 {
			t.Errorf("%s: line %d, column %d", token, e.Line, e.Column)
		}
		got = append(got, fmt.Sprintf("%s|%s|%s:%s|%d|%d|%s|%s", e.Kind, e.Path, e.Prefix, e.Local, e.Ordinal, e.Index, e.Text, token))
		if e.Kind == memo.EventStart && e.Path == "" {
			got = append(got, fmt.Sprint(e.Attributes, e.Declared, e.Namespace))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"declaration||:|0|0|utf8|<?xml version='1.0' encoding='utf8'?>",
		"comment||:|0|0||<!-- her -->",
		`start||memo:Message|1|0||<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.1">`,
		"[{ memoVersion  1.1 107}] [{memo https://DigitalPost.dk/MeMo-1}]https://DigitalPost.dk/MeMo-1",
		"start|MessageHeader|memo:MessageHeader|1|0||<memo:MessageHeader>",
		"start|MessageHeader/label|memo:label|5|0||<memo:label>",
		"text|MessageHeader/label|:|0|0|Brev &|Br&#x65;v &amp;",
		"end|MessageHeader/label|memo:label|5|0||</memo:label>",
		"instruction|MessageHeader|:|0|0||<?x y?>",
		"start|MessageHeader/nyt|memo:nyt|0|0||<memo:nyt>",
		"start|MessageHeader/nyt/label|memo:label|0|0||<memo:label/>",
		"end|MessageHeader/nyt/label|memo:label|0|0||",
		"end|MessageHeader/nyt|memo:nyt|0|0||</memo:nyt>",
		"end|MessageHeader|memo:MessageHeader|1|0||</memo:MessageHeader>",
		"start|MessageBody|memo:MessageBody|2|0||<memo:MessageBody>",
		"start|MessageBody/createdDateTime|memo:createdDateTime|1|0||<memo:createdDateTime>",
		"text|MessageBody/createdDateTime|:|0|0|2026-12-01T08:00:00Z|2026-12-01T08:00:00Z",
		"end|MessageBody/createdDateTime|memo:createdDateTime|1|0||</memo:createdDateTime>",
		"start|MessageBody/MainDocument|memo:MainDocument|2|0||<memo:MainDocument>",
		"start|MessageBody/MainDocument/File[1]|memo:File|3|1||<memo:File>",
		"start|MessageBody/MainDocument/File[1]/language|memo:language|3|0||<memo:language>",
		"text|MessageBody/MainDocument/File[1]/language|:|0|0|da|da",
		"end|MessageBody/MainDocument/File[1]/language|memo:language|3|0||</memo:language>",
		"start|MessageBody/MainDocument/File[1]/content|memo:content|4|0||<memo:content>",
		"text|MessageBody/MainDocument/File[1]/content|:|0|0||aGVtbWVsaWc=",
		"end|MessageBody/MainDocument/File[1]/content|memo:content|4|0||</memo:content>",
		"end|MessageBody/MainDocument/File[1]|memo:File|3|1||</memo:File>",
		"end|MessageBody/MainDocument|memo:MainDocument|2|0||</memo:MainDocument>",
		"end|MessageBody|memo:MessageBody|2|0||</memo:MessageBody>",
		"end||memo:Message|1|0||</memo:Message>",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The ordinals a checker gets never fall in a message that stands in order, and every element has one.
func TestObservedOrdinalsRise(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, v memo.Version) {
		t.Helper()
		for _, m := range corpus(v)[:50] {
			last := []int{0}
			_, err := memo.Read(t.Context(), bytes.NewReader(render(t, m)), memo.ReadOptions{Observe: func(e memo.Event) {
				switch e.Kind {
				case memo.EventStart:
					if e.Ordinal == 0 || e.Ordinal < last[len(last)-1] || e.Ordinal == last[len(last)-1] && e.Index < 2 {
						t.Errorf("%s has ordinal %d behind %d", e.Path, e.Ordinal, last[len(last)-1])
					}
					last[len(last)-1] = e.Ordinal
					last = append(last, 0)
				case memo.EventEnd:
					last = last[:len(last)-1]
				default:
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestReadKombi(t *testing.T) {
	t.Parallel()
	message := strings.TrimPrefix(string(render(t, letter(memo.V1_1))), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	outside := strings.Replace(message, ` xmlns:memo="`+memo.NamespaceMemo+`"`, "", 1)
	big := `<f:ForsendelseISamling xmlns:f="urn:f"><f:a><f:b>` + strings.Repeat("QUJD", 1<<20) + `</f:b></f:a></f:ForsendelseISamling>`
	signature := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignatureValue>x</ds:SignatureValue></ds:Signature>`
	for _, tt := range []struct {
		name, document, valg string
		message, forsendelse bool
	}{
		{"Digital Post", "<kombi_request><KombiValgKode>Digital Post</KombiValgKode>" + message + "</kombi_request>", "Digital Post", true, false},
		{"memo declared outside", `<kombi_request xmlns:memo="` + memo.NamespaceMemo + `"><KombiValgKode>Digital Post</KombiValgKode>` + outside + "</kombi_request>", "Digital Post", true, false},
		{"Automatisk Valg", "<kombi_request><KombiValgKode>Automatisk Valg</KombiValgKode>" + message + big + "</kombi_request>", "Automatisk Valg", true, true},
		{"Forsendelse first", "<kombi_request><KombiValgKode>Automatisk Valg</KombiValgKode>" + big + message + "</kombi_request>", "Automatisk Valg", true, true},
		{"Fysisk Post", "<kombi_request><KombiValgKode>Fysisk Post</KombiValgKode>" + big + "</kombi_request>", "Fysisk Post", false, true},
		{"signed", "<kombi_request><KombiValgKode>Digital Post</KombiValgKode>" + message + signature + "</kombi_request>", "Digital Post", true, false},
		{"Message alone", message, "", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := memo.ReadKombi(t.Context(), strings.NewReader(tt.document), memo.ReadOptions{
				Sink: memo.InMemory(), Notice: func(n memo.Notice) { t.Errorf("notice %+v", n) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if k.KombiValgKode != tt.valg || (k.Message != nil) != tt.message || k.Forsendelse != tt.forsendelse {
				t.Errorf("got %+v", k)
			}
			if k.Message != nil && !equal(t, k.Message, letter(memo.V1_1)) {
				t.Errorf("another message: %s", render(t, k.Message))
			}
		})
	}
}

func TestReadKombiRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, document string
		reason         memo.ReadReason
		path           string
	}{
		{"another root", "<x/>", memo.ReasonRoot, ""},
		{"another namespace", "<kombi_request xmlns='urn:x'/>", memo.ReasonRoot, ""},
		{"two messages", "<kombi_request>" + lines + lines + "</kombi_request>", memo.ReasonDuplicate, "kombi_request"},
		{"two codes", "<kombi_request><KombiValgKode/><KombiValgKode/></kombi_request>", memo.ReasonDuplicate, "kombi_request"},
		{"no version", "<kombi_request><Message xmlns='" + memo.NamespaceMemo + "'/></kombi_request>", memo.ReasonVersion, "kombi_request"},
		{"broken message", "<kombi_request>" + strings.Replace(lines, "Brev", "&x;", 1), memo.ReasonEntity, "MessageHeader/label"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := memo.ReadKombi(t.Context(), strings.NewReader(tt.document), memo.ReadOptions{})
			var e *memo.ReadError
			if k != nil || !errors.As(err, &e) || e.Reason != tt.reason || e.Path != tt.path {
				t.Errorf("got %v, %v", k, err)
			}
		})
	}
}
