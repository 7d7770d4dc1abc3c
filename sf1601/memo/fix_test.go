package memo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
)

// fix corrects a document that is read as a file is, and once more as a pipe is; both give the same.
func fix(t testing.TB, document []byte) (string, []memo.Change) {
	t.Helper()
	var out, again bytes.Buffer
	changes, err := memo.Fix(t.Context(), bytes.NewReader(document), &out)
	if err != nil {
		t.Fatal(err)
	}
	piped, err := memo.Fix(t.Context(), iotest.HalfReader(bytes.NewReader(document)), &again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) || fmt.Sprint(changes) != fmt.Sprint(piped) {
		t.Errorf("a file and a pipe are corrected differently:\n%s\n%s", out.Bytes(), again.Bytes())
	}
	return out.String(), changes
}

func fixed(changes []memo.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %s %d\n", c.Rule, c.Path, c.Line)
	}
	return b.String()
}

// TestWhatIsCertainIsCorrected corrects every broken file: what is announced as fixable is gone, everything else is
// there still, and correcting once more changes nothing.
func TestWhatIsCertainIsCorrected(t *testing.T) {
	t.Parallel()
	for name, findings := range broken() {
		if strings.Contains(findings[0], "xml.") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := brokenFile(t, name)
			after, changes := fix(t, before)
			fixable := 0
			for _, f := range findings {
				if strings.HasSuffix(f, " fixable") {
					fixable++
				}
			}
			if len(changes) != fixable {
				t.Errorf("%d changes, %d fixable findings:\n%s", len(changes), fixable, fixed(changes))
			}
			if (fixable == 0) != (after == string(before)) {
				t.Errorf("%d fixable findings, and the copy is\n%s", fixable, after)
			}
			r := check(t, []byte(after))
			if got := listed(r); strings.Contains(got, "fixable") || len(r.Findings) != len(findings)-fixable {
				t.Errorf("left are\n%s", got)
			}
			if twice, more := fix(t, []byte(after)); twice != after || len(more) > 0 {
				t.Errorf("corrected twice:\n%s\n%s", fixed(more), twice)
			}
			if r.Errors == 0 && r.Version == memo.V1_1 {
				memotest.ValidateXSD(t, []byte(after))
			}
			if r.Errors == 0 && r.Version == memo.V1_2 {
				memotest.ValidateXSD12(t, []byte(after))
			}
		})
	}
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	const head = `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.2">`
	message := func(body string) string { return head + body + "</memo:Message>" }
	header := func(body string) string { return message("<memo:MessageHeader>" + body + "</memo:MessageHeader>") }
	for name, c := range map[string]struct{ before, after, changes string }{
		"each run becomes one hyphen": {
			message(`<memo:MessageBody><memo:MainDocument><memo:File><memo:filename>a:/b &lt;&amp; "c"?.pdf</memo:filename></memo:File></memo:MainDocument></memo:MessageBody>`),
			message(`<memo:MessageBody><memo:MainDocument><memo:File><memo:filename>a-b -&amp; -c-.pdf</memo:filename></memo:File></memo:MainDocument></memo:MessageBody>`),
			"filename MessageBody/MainDocument/File[1]/filename 1\n",
		},
		"a file name in a CDATA section": {
			message(`<memo:MessageBody><memo:MainDocument><memo:File><memo:filename><![CDATA[a<b>.pdf]]></memo:filename></memo:File></memo:MainDocument></memo:MessageBody>`),
			message(`<memo:MessageBody><memo:MainDocument><memo:File><memo:filename>a-b-.pdf</memo:filename></memo:File></memo:MainDocument></memo:MessageBody>`),
			"filename MessageBody/MainDocument/File[1]/filename 1\n",
		},
		"a comment in a value is not lost": {
			header(`<memo:reply>1<!-- yes --></memo:reply>`), header(`<memo:reply>1<!-- yes --></memo:reply>`), "",
		},
		"an offset says when it is": {
			header(`<memo:replyByDateTime>2026-03-29T03:30:00.999+02:00</memo:replyByDateTime>`),
			header(`<memo:replyByDateTime>2026-03-29T01:30:00Z</memo:replyByDateTime>`),
			"time.utc MessageHeader/replyByDateTime 1\n",
		},
		"no zone says nothing": {
			header(`<memo:replyByDateTime>2026-03-29T03:30:00</memo:replyByDateTime>`),
			header(`<memo:replyByDateTime>2026-03-29T03:30:00</memo:replyByDateTime>`), "",
		},
		"parts of a second": {
			header(`<memo:replyByDateTime>2026-03-29T03:30:59.999Z</memo:replyByDateTime>`),
			header(`<memo:replyByDateTime>2026-03-29T03:30:59Z</memo:replyByDateTime>`),
			"time.fraction MessageHeader/replyByDateTime 1\n",
		},
		"booleans": {
			header(`<memo:reply> 1 </memo:reply><memo:mandatory>0</memo:mandatory>`),
			header(`<memo:reply>true</memo:reply><memo:mandatory>false</memo:mandatory>`),
			"boolean MessageHeader/reply 1\nboolean MessageHeader/mandatory 1\n",
		},
		"empty elements": {
			header("\n\t<memo:postType/>\n\t<memo:ContentData>\n\t\t<memo:CaseID></memo:CaseID>\n\t</memo:ContentData>\n"),
			header("\n\t<memo:ContentData>\n\t\t<memo:CaseID></memo:CaseID>\n\t</memo:ContentData>\n"),
			"empty MessageHeader/postType 2\n",
		},
		"what is empty when its parts are gone": {
			header("\n\t<memo:Sender>\n\t\t<memo:AttentionData> <memo:AttentionPerson><memo:label/></memo:AttentionPerson></memo:AttentionData>\n\t</memo:Sender>"),
			header("\n\t<memo:Sender>\n\t</memo:Sender>"),
			"empty MessageHeader/Sender/AttentionData 3\nempty MessageHeader/Sender/AttentionData/AttentionPerson 3\n" +
				"empty MessageHeader/Sender/AttentionData/AttentionPerson/label 3\n",
		},
		"order within order": {
			message("<memo:MessageHeader>\n<memo:Sender>\n <memo:label>C</memo:label>\n <memo:idType>B</memo:idType>\n <!--id--><memo:senderID>A</memo:senderID>\n</memo:Sender>\n<memo:label>Æ</memo:label>\n</memo:MessageHeader>"),
			message("<memo:MessageHeader>\n<memo:label>Æ</memo:label>\n<memo:Sender>\n <!--id--><memo:senderID>A</memo:senderID>\n <memo:idType>B</memo:idType>\n <memo:label>C</memo:label>\n</memo:Sender>\n</memo:MessageHeader>"),
			"order MessageHeader 1\norder MessageHeader/Sender 2\n",
		},
		"no order among what is unknown": {
			header("<memo:Sender/><memo:due/><memo:label>x</memo:label>"), header("<memo:Sender/><memo:due/><memo:label>x</memo:label>"), "",
		},
		"another prefix, and one that is taken": {
			`<m:Message xmlns:m="https://DigitalPost.dk/MeMo-1" xmlns:grd="urn:due" memoVersion='1.2' memoSchVersion='x'><m:MessageHeader/><m:MessageBody/></m:Message>`,
			`<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" xmlns:m="https://DigitalPost.dk/MeMo-1" xmlns:grd="urn:due" memoVersion='1.2'><memo:MessageHeader/><memo:MessageBody/></memo:Message>`,
			"prefix  1\nversion memoSchVersion 1\n",
		},
		"a class moves with its new prefix": {
			`<Message xmlns="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"><MessageBody>` + "\n" + `</MessageBody><MessageHeader/></Message>`,
			`<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" xmlns="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"><memo:MessageHeader/><memo:MessageBody>` + "\n" + `</memo:MessageBody></memo:Message>`,
			"prefix  1\norder  1\n",
		},
		"an empty mandatory boolean of 1.1": {
			strings.Replace(header(`<memo:mandatory/>`), `"1.2"`, `"1.1"`, 1),
			strings.Replace(header(`<memo:mandatory>false</memo:mandatory>`), `<memo:Message `, `<memo:Message memoSchVersion="1.1.0" `, 1),
			"required memoSchVersion 1\nempty MessageHeader/mandatory 1\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "an empty mandatory boolean of 1.1" {
				c.after = strings.Replace(c.after, `"1.2"`, `"1.1"`, 1)
			}
			got, changes := fix(t, []byte(c.before))
			if got != c.after {
				t.Errorf("got\n%s\nwant\n%s", got, c.after)
			}
			if fixed(changes) != c.changes {
				t.Errorf("got\n%s\nwant\n%s", fixed(changes), c.changes)
			}
		})
	}
}

// TestEveryOrderIsMended shuffles the elements of all classes; in their order again they are the letter they were.
func TestEveryOrderIsMended(t *testing.T) {
	t.Parallel()
	once, _ := fix(t, render(t, full(memo.V1_1))) // its UUIDs have capital letters
	original := []byte(once)
	want := outline(t, original)
	random := rand.New(rand.NewPCG(4, 2))
	for range 30 {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(original); err != nil {
			t.Fatal(err)
		}
		for _, e := range append(doc.Root().FindElements(".//*"), doc.Root()) {
			shuffle(random, e)
		}
		shuffled, err := doc.WriteToBytes()
		if err != nil {
			t.Fatal(err)
		}
		got, changes := fix(t, shuffled)
		if len(changes) < 10 || outline(t, []byte(got)) != want {
			t.Fatalf("%d changes\n%s", len(changes), got)
		}
	}
}

// shuffle puts the children into another order, except that those of one name keep theirs.
func shuffle(random *rand.Rand, e *etree.Element) {
	children := e.ChildElements()
	byName := map[string][]*etree.Element{}
	var names []string
	for _, c := range children {
		byName[c.Tag] = append(byName[c.Tag], c)
		names = append(names, c.Tag)
		e.RemoveChild(c)
	}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		e.AddChild(byName[name][0])
		byName[name] = byName[name][1:]
	}
}

func TestASignatureNoLongerFits(t *testing.T) {
	t.Parallel()
	const request = `<kombi_request><KombiValgKode>Digital Post</KombiValgKode>%s<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></kombi_request>`
	m := letter(memo.V1_2)
	for uuid, want := range map[string]int{m.Header.MessageUUID: 0, strings.ToUpper(m.Header.MessageUUID): 2} {
		m.Header.MessageUUID = uuid
		_, inner, _ := strings.Cut(string(render(t, m)), "?>\n")
		_, changes := fix(t, fmt.Appendf(nil, request, inner))
		if len(changes) != want || want > 0 && changes[0].Rule != memo.RuleSignature {
			t.Errorf("got %v", changes)
		}
	}
}

func TestOfficialExamplesAreCorrectedInFormOnly(t *testing.T) {
	t.Parallel()
	example := memotest.Example(t, "minimum-1.1.xml")
	const uuid = "8C2EA15D-61FB-4BA9-9366-42F8B194C114"
	want := strings.ReplaceAll(string(example), uuid, strings.ToLower(uuid))
	if got, _ := fix(t, example); got != want {
		t.Errorf("got\n%s", got)
	}
	memotest.ValidateXSD(t, []byte(want))
}

func TestBrokenXMLIsNotCopied(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"truncated.xml", "entity.xml"} {
		var out bytes.Buffer
		_, err := memo.Fix(t.Context(), bytes.NewReader(brokenFile(t, name)), &out)
		var broken *memo.ReadError
		if !errors.As(err, &broken) || broken.Line == 0 || out.Len() > 0 {
			t.Errorf("%s: %v, %d bytes written", name, err, out.Len())
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestFixFailsAsItsEndsDo(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk")
	document := render(t, letter(memo.V1_1))
	if _, err := memo.Fix(t.Context(), iotest.ErrReader(cause), io.Discard); !errors.Is(err, cause) {
		t.Errorf("reading: %v", err)
	}
	if _, err := memo.Fix(t.Context(), bytes.NewReader(document), failingWriter{cause}); !errors.Is(err, cause) {
		t.Errorf("writing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := memo.Fix(ctx, bytes.NewReader(document), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A file that was read in part is corrected from there on.
func TestFixStartsWhereTheFileStands(t *testing.T) {
	t.Parallel()
	document := render(t, letter(memo.V1_1))
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(append([]byte("junk"), document...)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := memo.Fix(t.Context(), f, &out); err != nil || !bytes.Equal(out.Bytes(), document) {
		t.Errorf("%v\n%s", err, out.Bytes())
	}
}
