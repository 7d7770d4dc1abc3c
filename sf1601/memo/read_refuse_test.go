package memo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// lines is a message of one element a line, so that the lines of the refusals can be seen.
const lines = `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.1">
<memo:MessageHeader>
<memo:label>Brev</memo:label>
<memo:reply>true</memo:reply>
</memo:MessageHeader>
<memo:MessageBody>
<memo:createdDateTime>2026-12-01T08:00:00Z</memo:createdDateTime>
<memo:MainDocument>
<memo:File>
<memo:language>da</memo:language>
<memo:content>aGVtbWVsaWc=</memo:content>
</memo:File>
</memo:MainDocument>
</memo:MessageBody>
</memo:Message>`

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	const content = "MessageBody/MainDocument/File[1]/content"
	for _, tt := range []struct {
		name         string
		old, new     string
		reason       memo.ReadReason
		path         string
		line, column int
	}{
		{"DTD", "<memo:Message ", "<!DOCTYPE x>\n<memo:Message ", memo.ReasonDTD, "", 1, 1},
		{"entity", "Brev", "&hemmelig;", memo.ReasonEntity, "MessageHeader/label", 3, 13},
		{"entity in content", "aGVt", "aG&x;Vt", memo.ReasonEntity, content, 11, 17},
		{"wrong end tag", "</memo:label>", "</memo:hemmelig>", memo.ReasonTagMismatch, "MessageHeader/label", 3, 17},
		{"truncated", "</memo:Message>", "", memo.ReasonTruncated, "", 15, 1},
		{"truncated in content", "Wc=</memo:content>\n</memo:File>\n</memo:MainDocument>\n</memo:MessageBody>\n</memo:Message>", "", memo.ReasonTruncated, content, 11, 24},
		{"two roots", "</memo:Message>", "</memo:Message>\n<memo:Message/>", memo.ReasonSecondRoot, "", 16, 1},
		{"trailing", "</memo:Message>", "</memo:Message> hemmelig", memo.ReasonTrailing, "", 15, 17},
		{"unknown root", "memo:Message ", "memo:Hemmelig ", memo.ReasonRoot, "", 1, 1},
		{"root of another namespace", "https://DigitalPost.dk/MeMo-1", "https://DigitalPost.dk/MeMo-2", memo.ReasonRoot, "", 1, 1},
		{"kombi_request", "<memo:Message ", "<kombi_request/><memo:Message ", memo.ReasonRoot, "", 1, 1},
		{"not UTF-8", "Brev", "Br\xE6v", memo.ReasonEncoding, "MessageHeader/label", 3, 15},
		{"other encoding", "<memo:Message ", `<?xml version="1.0" encoding="ISO-8859-1"?><memo:Message `, memo.ReasonEncoding, "", 1, 1},
		{"control character", "Brev", "Br\x01v", memo.ReasonCharacter, "MessageHeader/label", 3, 15},
		{"undeclared prefix", "<memo:reply>", "<x:reply>", memo.ReasonPrefix, "MessageHeader", 4, 2},
		{"attribute twice", `memoVersion="1.1"`, `memoVersion="1.1" memoVersion="1.2"`, memo.ReasonAttribute, "", 1, 76},
		{"no version", ` memoVersion="1.1"`, "", memo.ReasonVersion, "", 1, 1},
		{"version 1.0", "1.1", "1.0", memo.ReasonVersion, "", 1, 1},
		{"version 1.11", "1.1", "1.11", memo.ReasonVersion, "", 1, 1},
		{"no boolean", ">true<", ">TRUE<", memo.ReasonValue, "MessageHeader/reply", 4, 13},
		{"no time", "2026-12-01T08:00:00Z", "i morgen", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"no zone", "08:00:00Z", "08:00:00", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"31 November", "2026-12-01", "2026-11-31", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"second 60", "08:00:00", "08:00:60", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"hour 24", "08:00:00", "24:00:01", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"offset of 15 hours", "08:00:00Z", "08:00:00+15:00", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"the zero time", "2026-12-01T08:00:00Z", "0001-01-01T00:00:00.5Z", memo.ReasonValue, "MessageBody/createdDateTime", 7, 23},
		{"no date", "<memo:reply>true</memo:reply>", "<memo:doNotDeliverUntilDate>1.2.2026</memo:doNotDeliverUntilDate>", memo.ReasonValue, "MessageHeader/doNotDeliverUntilDate", 4, 29},
		{"label twice", "<memo:reply>true</memo:reply>", " <memo:label>Andet</memo:label>", memo.ReasonDuplicate, "MessageHeader", 4, 2},
		{"header twice", "<memo:MessageBody>", "<memo:MessageHeader/><memo:MessageBody>", memo.ReasonDuplicate, "", 6, 1},
		{"content twice", "</memo:content>", "</memo:content>\n<memo:content/>", memo.ReasonDuplicate, "MessageBody/MainDocument/File[1]", 12, 1},
		{"not base64", "aGVtbWVsaWc=", "aGVt\nbW-sa", memo.ReasonBase64, content, 12, 3},
		{"base64 without padding", "aGVtbWVsaWc=", "aGVtbWVsaWc", memo.ReasonBase64, content, 11, 26},
		{"base64 of one character", "aGVtbWVsaWc=", "aGVtb", memo.ReasonBase64, content, 11, 20},
		{"base64 behind padding", "aGVtbWVsaWc=", "aGVtbWVsaWc=aGVt", memo.ReasonBase64, content, 11, 27},
		{"padding alone", "aGVtbWVsaWc=", "====", memo.ReasonBase64, content, 11, 15},
		{"three paddings", "aGVtbWVsaWc=", "a===", memo.ReasonBase64, content, 11, 16},
		{"padding inside", "aGVtbWVsaWc=", "aG=t", memo.ReasonBase64, content, 11, 18},
		{"bits that say nothing", "aGVtbWVsaWc=", "aGVtbWVsaWd=", memo.ReasonBase64, content, 11, 26},
		{"element in content", "aGVt", "aGVt<memo:x/>", memo.ReasonBase64, content, 11, 19},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(lines, tt.old) {
				t.Fatal("nothing to replace")
			}
			document := strings.Replace(lines, tt.old, tt.new, 1)
			for _, src := range []io.Reader{strings.NewReader(document), iotest.OneByteReader(strings.NewReader(document))} {
				m, err := memo.Read(t.Context(), src, memo.ReadOptions{})
				var e *memo.ReadError
				if m != nil || !errors.As(err, &e) {
					t.Fatalf("got %v, %v", m, err)
				}
				if e.Reason != tt.reason || e.Path != tt.path || e.Line != tt.line || e.Column != tt.column {
					t.Errorf("got %+v, want %s at %s, line %d, column %d", e, tt.reason, tt.path, tt.line, tt.column)
				}
				for _, secret := range []string{"emmelig", "aGVt", "morgen", "TRUE"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the error repeats the document: %v", err)
					}
				}
			}
		})
	}
}

func TestReaderKeepsItsLimits(t *testing.T) {
	t.Parallel()
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	const open, end = `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.1"><memo:MessageHeader>`, `</memo:MessageHeader></memo:Message>`
	for _, tt := range []struct {
		name     string
		document string
		limits   memo.ReadLimits
		reason   memo.ReadReason
	}{
		{"default size", open + "<!--" + many(memo.MaxSize/100, many(100, "x")) + "-->" + end, memo.ReadLimits{}, memo.ReasonSize},
		{"size", open + end, memo.ReadLimits{Size: int64(len(open+end)) - 1}, memo.ReasonSize},
		{"size is enough", open + end, memo.ReadLimits{Size: int64(len(open + end))}, ""},
		{"default depth", open + many(31, "<x>") + many(31, "</x>") + end, memo.ReadLimits{}, memo.ReasonDepth},
		{"depth", open + "<x/>" + end, memo.ReadLimits{Depth: 2}, memo.ReasonDepth},
		{"default elements", open + many(10_000, "<x/>") + end, memo.ReadLimits{}, memo.ReasonCount},
		{"elements", open + many(3, "<x/>") + end, memo.ReadLimits{Elements: 6}, memo.ReasonCount},
		{"default attributes", open + "<x " + many(10_000, "x='' ") + "/>" + end, memo.ReadLimits{}, memo.ReasonTag},
		{"attributes", open + "<x a='' b='' c=''/>" + end, memo.ReadLimits{Attributes: 2}, memo.ReasonCount},
		{"long attribute", open + "<x a='" + many(20_000, "x") + "'/>" + end, memo.ReadLimits{}, memo.ReasonTag},
		{"default text", open + "<memo:label>" + many(65_537, "x") + "</memo:label>" + end, memo.ReadLimits{}, memo.ReasonText},
		{"text is enough", open + "<memo:label>" + many(65_536, "x") + "</memo:label>" + end, memo.ReadLimits{}, ""},
		{"text", open + "<memo:label>1234</memo:label>" + end, memo.ReadLimits{Text: 3}, memo.ReasonText},
		{"default texts", open + many(40, "<memo:ReplyData><memo:comment>"+many(60_000, "x")+"</memo:comment></memo:ReplyData>") + end, memo.ReadLimits{}, memo.ReasonText},
		{"texts", open + "<memo:label>123</memo:label><memo:messageID>12</memo:messageID>" + end, memo.ReadLimits{Texts: 4}, memo.ReasonText},
		{"plain text", open + "<memo:ContentData><grd:PropertyNumber xmlns:grd='" + memo.NamespaceGrd + "'>1234</grd:PropertyNumber></memo:ContentData>" + end, memo.ReadLimits{Text: 3}, memo.ReasonText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := memo.Read(t.Context(), strings.NewReader(tt.document), memo.ReadOptions{Limits: tt.limits})
			var e *memo.ReadError
			if errors.As(err, &e); tt.reason == "" && err != nil || tt.reason != "" && (e == nil || e.Reason != tt.reason) {
				t.Errorf("got %v, want %s", err, tt.reason)
			}
		})
	}
}

func TestReaderEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	src := &cancelling{src: bytes.NewReader(render(t, fitting(t, 1_000_000))), cancel: cancel}
	_, err := memo.Read(ctx, src, memo.ReadOptions{})
	var e *memo.ReadError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Reason != memo.ReasonRead && e.Reason != memo.ReasonSink {
		t.Errorf("got %v", err)
	}
	if src.reads > 1 {
		t.Errorf("%d reads after the end", src.reads-1)
	}
}

// cancelling ends the context during the first read.
type cancelling struct {
	src    io.Reader
	cancel func()
	reads  int
}

func (c *cancelling) Read(p []byte) (int, error) {
	c.reads++
	c.cancel()
	return c.src.Read(p)
}

func TestReaderTellsWhatTheSourceSaid(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	src := io.MultiReader(strings.NewReader(lines[:300]), iotest.ErrReader(broken))
	_, err := memo.Read(t.Context(), src, memo.ReadOptions{})
	var e *memo.ReadError
	if !errors.Is(err, broken) || !errors.As(err, &e) || e.Reason != memo.ReasonRead || e.Offset != 300 {
		t.Errorf("got %v", err)
	}
}
