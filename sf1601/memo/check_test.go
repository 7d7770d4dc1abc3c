package memo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
)

// broken are our broken files with everything that is to be found in each: severity, rule, path and line.
func broken() map[string][]string {
	const (
		main   = "MessageBody/MainDocument"
		file   = main + "/File[1]"
		action = main + "/Action[1]"
		sender = "MessageHeader/Sender"
	)
	return map[string][]string{
		"additional.xml": {"error count MessageBody/AdditionalDocument[11] 115"},
		"attributes.xml": {
			"error unknown " + main + "/label/b 20", "error attribute " + file + " 21", "error text " + file + " 22",
		},
		"base64.xml":       {"error base64 " + file + "/content 27"},
		"choice.xml":       {"error action.target " + action + " 27", "warning time.order " + action + "/Reservation/endDateTime 36"},
		"entity.xml":       {"error xml.entity " + main + "/label 20"},
		"filename.xml":     {"error filename " + file + "/filename 25 fixable"},
		"http.xml":         {"error https " + action + "/EntryPoint/url 31"},
		"namespace.xml":    {"error namespace  2"},
		"new-in-1.2.xml":   {"error required memoSchVersion 2 fixable", "error version " + sender + "/Representative 13"},
		"notification.xml": {"error length MessageHeader/notification 7"},
		"offset.xml":       {"error time.utc MessageBody/createdDateTime 18 fixable"},
		"order.xml":        {"error order MessageHeader/label 7 fixable"},
		"prefix.xml":       {"warning prefix  2 fixable", "warning prefix MessageHeader/ContentData/CPRdata 17 fixable"},
		"required.xml":     {"error required MessageHeader/legalNotification 3", "error required " + sender + "/label 8"},
		"root.xml":         {"error root Envelope 2", "error length MessageHeader/label 7"},
		"truncated.xml":    {"error xml.truncated " + file + "/content 25"},
		"two-main.xml":     {"error count MessageBody/MainDocument[2] 35"},
		"utf8.xml":         {"warning encoding  1 fixable", "note bom  1 fixable"},
		"uuid.xml":         {"error uuid4 MessageHeader/messageUUID 5"},
		"version10.xml":    {"error version memoVersion 2"},
		"zone.xml":         {"error time MessageBody/createdDateTime 18"},
		"forms.xml": {
			"note uuid4.case MessageHeader/messageUUID 5 fixable", "note boolean MessageHeader/mandatory 7 fixable",
			"note empty MessageHeader/legalNotification 8 fixable", "note empty MessageHeader/postType 9 fixable",
			"error language " + file + "/language 27",
		},
		"identifications.xml": {
			"warning required MessageHeader/label 6", "warning code " + sender + "/idType 9",
			"warning number MessageHeader/Recipient/recipientID 13",
		},
		"kombi.xml": {"warning code kombi_request/KombiValgKode 3", "error required " + file + "/language 26"},
		"mixed-versions.xml": {
			"error version memoSchVersion 3 fixable", "warning version " + sender + "/idTypeLabel 11 fixable",
		},
		"nemsms.xml": {"error required MessageHeader/notification 4", "error forbidden MessageBody 17"},
		"unknown.xml": {
			"error unknown " + main + "/documentID 22", "error required " + file + "/filename 23",
			"error unknown " + file + "/fileName 25",
		},
	}
}

func listed(r *memo.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s %s %d", f.Severity, f.Rule, f.Path, f.Line)
		if f.Fixable {
			b.WriteString(" fixable")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func check(t testing.TB, document []byte) *memo.Report {
	t.Helper()
	// The reader gives one byte at a time where that is not too slow, so that nothing depends on how a file is cut.
	var r io.Reader = bytes.NewReader(document)
	if len(document) < 1<<16 {
		r = iotest.OneByteReader(r)
	}
	report, err := memo.Check(t.Context(), r, memo.CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func brokenFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "broken", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEachFaultIsNamedAtItsLine(t *testing.T) {
	t.Parallel()
	for name, want := range broken() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, brokenFile(t, name))
			if got, want := listed(r), strings.Join(want, "\n")+"\n"; got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if n := r.Errors + r.Warnings + r.Notes; n != len(want) {
				t.Errorf("%d findings are counted, want %d", n, len(want))
			}
		})
	}
}

func TestEveryBrokenFileIsExpected(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/broken/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	known := broken()
	for _, name := range names {
		if known[filepath.Base(name)] == nil {
			t.Errorf("nothing is expected of %s", name)
		}
	}
	if len(names) != len(known) || len(names) < 10 {
		t.Errorf("%d files for %d expectations", len(names), len(known))
	}
}

// What is found in the official examples is justified in the documentation: identifications that are words, and a UUID
// with capital letters.
func TestOfficialExamplesHaveNoErrors(t *testing.T) {
	t.Parallel()
	numbers := "warning number MessageHeader/Sender/senderID %d\nwarning number MessageHeader/Recipient/recipientID %d\n"
	for name, want := range map[string]string{
		"attachment-1.2.xml": fmt.Sprintf(numbers, 7, 12),
		"nemsms-1.1.xml":     fmt.Sprintf(numbers, 10, 15),
		"minimum-1.1.xml":    "note uuid4.case MessageHeader/messageUUID 17 fixable\n",
		"minimum-1.2.xml":    "note uuid4.case MessageHeader/messageUUID 5 fixable\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, memotest.Example(t, name))
			if got := listed(r); got != want || r.Errors != 0 {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestWhatWeWriteHasNoErrors(t *testing.T) {
	t.Parallel()
	forEachSample(t, func(t *testing.T, name string, m *memo.Message) {
		t.Helper()
		r := check(t, render(t, m))
		if r.Errors > 0 || r.Version != m.Version || !r.Message || r.Kombi {
			t.Errorf("%s: %s", name, listed(r))
		}
		if r.Warnings > 0 && !strings.HasPrefix(name, "full") {
			t.Errorf("%s: %s", name, listed(r))
		}
	})
}

func TestAKombiRequestIsLookedInto(t *testing.T) {
	t.Parallel()
	_, inner, _ := strings.Cut(string(render(t, letter(memo.V1_2))), "?>\n")
	request := func(parts ...string) []byte {
		return []byte("<kombi_request>\n" + strings.Join(parts, "\n") + "\n</kombi_request>")
	}
	const (
		valg  = "<KombiValgKode>Digital Post</KombiValgKode>"
		paper = `<f:ForsendelseISamling xmlns:f="urn:oio:fjernprint:1.0.0" a="1"><f:Any>text<b/></f:Any></f:ForsendelseISamling>`
		sign  = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>`
	)
	for name, c := range map[string]struct {
		document []byte
		want     string
	}{
		"whole":           {request(valg, inner, paper, sign), ""},
		"order":           {request(inner, valg), "warning order kombi_request/KombiValgKode"},
		"no code":         {request(inner), "warning required kombi_request/KombiValgKode"},
		"unknown code":    {request("<KombiValgKode>Due</KombiValgKode>", inner), "warning code kombi_request/KombiValgKode"},
		"no message":      {request(valg, paper), "warning required kombi_request"},
		"print alone":     {request("<KombiValgKode>Fysisk Post</KombiValgKode>", paper), ""},
		"unknown element": {request(valg, inner, "<Due/>"), "warning unknown kombi_request/Due"},
		"two messages":    {request(valg, inner, inner), "warning count "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, c.document)
			if got := listed(r); !r.Kombi || (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	many := "<memo:Message xmlns:memo='https://DigitalPost.dk/MeMo-1' memoVersion='1.2'>" + strings.Repeat("<x/>", 5000) + "</memo:Message>"
	r, err := memo.Check(t.Context(), strings.NewReader(many), memo.CheckOptions{MaxFindings: 10})
	if err != nil || len(r.Findings) != 10 || r.Omitted != r.Errors-10 || r.Errors < 5000 {
		t.Errorf("%d kept, %d omitted, %d errors, %v", len(r.Findings), r.Omitted, r.Errors, err)
	}
	for name, c := range map[string]struct {
		opts memo.CheckOptions
		rule memo.Rule
	}{
		"bytes":    {memo.CheckOptions{MaxBytes: 1000}, "xml.limit.size"},
		"elements": {memo.CheckOptions{MaxElements: 100}, "xml.limit.count"},
	} {
		r, err := memo.Check(t.Context(), strings.NewReader(many), c.opts)
		if err != nil || r.Findings[len(r.Findings)-1].Rule != c.rule {
			t.Errorf("%s: %v, %v", name, r.Findings[len(r.Findings)-1], err)
		}
	}
}

func TestALetterMustNotBeTooLarge(t *testing.T) {
	t.Parallel()
	document := render(t, letter(memo.V1_2))
	for size, want := range map[int64]string{memo.MaxSize: "", memo.MaxSize + 1: "error size  2\n"} {
		filling := size - int64(len(document)+len("<!---->"))
		in := io.MultiReader(bytes.NewReader(document), strings.NewReader("<!--"), io.LimitReader(dots{}, filling), strings.NewReader("-->"))
		r, err := memo.Check(t.Context(), in, memo.CheckOptions{})
		if err != nil || listed(r) != want || r.Size != size {
			t.Errorf("%d bytes: got %q, %d bytes, %v", size, listed(r), r.Size, err)
		}
	}
}

// dots never end.
type dots struct{}

func (dots) Read(p []byte) (int, error) {
	for n := copy(p, "..."); n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
	return len(p), nil
}

// TestSingleRules has what no broken file shows, one line each: what stands in a 1.1 letter, what is put there, and what is
// found.
func TestSingleRules(t *testing.T) {
	t.Parallel()
	letter := string(render(t, letter(memo.V1_1)))
	full := string(render(t, full(memo.V1_1)))
	const (
		version = ` memoSchVersion="1.1.0" memoVersion="1.1"`
		reply   = ">2026-12-10T11:00:00Z</memo:replyByDateTime>"
		replied = "error %s MessageHeader/replyByDateTime"
		link    = "https://testby.example/handling?trin=1&amp;sag=2"
		url     = "MessageBody/MainDocument/Action[2]/EntryPoint/url"
	)
	for name, c := range map[string]struct{ in, old, put, want string }{
		"no version":          {letter, version, "", "error required memoVersion"},
		"a word for version":  {letter, version, ` memoSchVersion="1.1.0" memoVersion="x"`, "error version memoVersion"},
		"1.10 is 1.1":         {letter, version, ` memoSchVersion="1.1.0" memoVersion="+01.10"`, ""},
		"another 1.1":         {letter, version, ` memoSchVersion="1.1.1" memoVersion="1.1"`, "note version memoSchVersion"},
		"schema instance":     {letter, version, version + ` xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="a b"`, ""},
		"nil":                 {letter, version, version + ` xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true"`, "error attribute "},
		"attribute":           {letter, version, version + ` lang="da"`, "error attribute "},
		"no time":             {letter, reply, ">i morgen</memo:replyByDateTime>", fmt.Sprintf(replied, "time")},
		"30 February":         {letter, reply, ">2026-02-30T00:00:00Z</memo:replyByDateTime>", fmt.Sprintf(replied, "time")},
		"after the year 9999": {letter, reply, ">9999-12-31T23:59:59-14:00</memo:replyByDateTime>", fmt.Sprintf(replied, "time")},
		"empty time":          {letter, reply, "></memo:replyByDateTime>", fmt.Sprintf(replied, "empty") + " fixable"},
		"blank boolean":       {letter, ">false</memo:mandatory>", "> </memo:mandatory>", "error boolean MessageHeader/mandatory"},
		"no boolean":          {letter, ">false</memo:mandatory>", ">nej</memo:mandatory>", "error boolean MessageHeader/mandatory"},
		"no UUID":             {letter, ">5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11<", "><", "error required MessageHeader/messageUUID"},
		"user in a link":      {letter, link, "https://a:b@testby.example", "warning https " + url},
		"space in a link":     {letter, link, "https://testby.example/a b", "warning https " + url},
		"no host":             {letter, link, "https:///a", "warning https " + url},
		"long link":           {letter, link, link + strings.Repeat("a", 256), "error length " + url},
		"long file name": {
			letter, ">Bilag.pdf<", ">" + strings.Repeat("?", 257) + "<",
			"error length MessageBody/AdditionalDocument[1]/File[1]/filename\nerror filename MessageBody/AdditionalDocument[1]/File[1]/filename",
		},
		"one letter":        {letter, ">da<", ">d<", "warning language MessageBody/MainDocument/File[1]/language"},
		"empty content":     {letter, ">QmlsYWc=<", "><", "warning empty MessageBody/AdditionalDocument[1]/File[1]/content"},
		"cut content":       {letter, ">QmlsYWc=<", ">QmlsYWc<", "error base64 MessageBody/AdditionalDocument[1]/File[1]/content"},
		"element in base64": {letter, ">QmlsYWc=<", ">Qmls<b/><", "error unknown MessageBody/AdditionalDocument[1]/File[1]/content/b"},
		"unknown action":    {letter, ">AFTALE<", ">DUE<", "warning code MessageBody/MainDocument/Action[1]/actionCode"},
		"AFTALE with link":  {letter, ">TILMELDING<", ">AFTALE<", "warning action.target MessageBody/MainDocument/Action[2]"},
		"booking no AFTALE": {letter, ">AFTALE<", ">INFORMATION<", "warning action.target MessageBody/MainDocument/Action[1]"},
		"CPR of 9 digits":   {letter, ">2512489996</grd:cprNumber>", ">251248999</grd:cprNumber>", "warning number MessageHeader/ContentData/CPRdata/cprNumber"},
		"twelve digits":     {full, ">9876543210<", ">98765432101<", "error number MessageHeader/Sender/AttentionData/ProductionUnit/productionUnitNumber"},
		"leading zero":      {full, ">9876543210<", ">09876543210<", "warning number MessageHeader/Sender/AttentionData/ProductionUnit/productionUnitNumber"},
		"no number":         {full, ">9876543210<", ">otte<", "error number MessageHeader/Sender/AttentionData/ProductionUnit/productionUnitNumber"},
		"plain GLN":         {full, "<gln:globalLocationNumber>5798000123456</gln:globalLocationNumber>", "5798000123456", "error required MessageHeader/Sender/AttentionData/GlobalLocationNumber/globalLocationNumber"},
		"no date":           {full, ">2026-12-03<", ">3.12.2026<", "error date MessageHeader/doNotDeliverUntilDate"},
		"date with zone":    {full, ">2026-12-03<", ">2026-12-03Z<", ""},
		"prefix is taken":   {letter, `<grd:CPRdata xmlns:grd="`, `<x:CPRdata xmlns:grd="urn:due" xmlns:x="`, "warning prefix MessageHeader/ContentData/CPRdata"},
		"foreign namespace": {letter, "http://kle-online.dk/", "urn:due", "error namespace MessageHeader/ContentData/KLEdata"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(c.in, c.old) == 0 {
				t.Fatalf("%q is not in the letter", c.old)
			}
			document := strings.Replace(c.in, c.old, c.put, 1)
			if name == "prefix is taken" {
				document = strings.NewReplacer("grd:cpr", "x:cpr", "grd:name", "x:name", "/grd:", "/x:").Replace(document)
			}
			before, after := found(check(t, []byte(c.in))), found(check(t, []byte(document)))
			var more []string
			for _, f := range after {
				if !slices.Contains(before, f) {
					more = append(more, f)
				}
			}
			if got := strings.Join(more, "\n"); got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want+"\n")) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// found is what listed says, without the lines.
func found(r *memo.Report) []string {
	var list []string
	for _, f := range r.Findings {
		s := fmt.Sprintf("%s %s %s", f.Severity, f.Rule, f.Path)
		if f.Fixable {
			s += " fixable"
		}
		list = append(list, s)
	}
	return list
}

// What ends reading is told with its reason and place, whatever it is.
func TestWhatIsNoXMLIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                     "xml.truncated 1:1",
		"<a>\n<b></a>":                         "xml.tag.mismatch 2:4",
		"<a>\n\x01</a>":                        "xml.character 2:1",
		"<a>\n æ\xE6</a>":                      "xml.encoding 2:3",
		"<?xml version='1.0' encoding='x'?>":   "xml.encoding 1:1",
		"<a>\n<b:c/></a>":                      "xml.prefix 2:2",
		"<a b='' b=''/>":                       "xml.attribute 1:9",
		"<!DOCTYPE a><a/>":                     "xml.dtd 1:1",
		"<a>&b;</a>":                           "xml.entity 1:4",
		"<a/>x":                                "xml.trailing 1:5",
		"<a/>\n<b/>":                           "xml.root.second 2:1",
		"<a":                                   "xml.truncated 1:1",
		"<a b=>":                               "xml.syntax 1:6",
		strings.Repeat("<a>", 100):             "xml.limit.depth 1:97",
		"<a b='" + strings.Repeat("c", 1<<16):  "xml.limit.tag 1:1",
		"<a>" + strings.Repeat("<b/>", 100001): "xml.limit.count 1:400000",
	} {
		r := check(t, []byte(in))
		last := r.Findings[len(r.Findings)-1]
		if got := fmt.Sprintf("%s %d:%d", last.Rule, last.Line, last.Column); got != want || last.Detail == "" || last.Severity != memo.SeverityError {
			t.Errorf("%.40q: got %s, want %s", in, got, want)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk")
	if _, err := memo.Check(t.Context(), iotest.ErrReader(cause), memo.CheckOptions{}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := memo.Check(ctx, strings.NewReader("<a/>"), memo.CheckOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A finding repeats nothing that was written as a value.
func TestFindingsHoldNoValues(t *testing.T) {
	t.Parallel()
	const secret = "Nancy2512489996"
	for _, name := range []string{"letter-1.1.xml", "full-1.2.xml", "actions-1.2.xml"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, part := range strings.SplitAfter(string(b), ">") { // every text becomes the secret
			if i := strings.IndexByte(part, '<'); i > 0 && strings.TrimSpace(part[:i]) != "" {
				part = secret + part[i:]
			}
			out.WriteString(part)
		}
		r := check(t, []byte(out.String()))
		if r.Errors < 5 {
			t.Errorf("%s: %d errors", name, r.Errors)
		}
		for _, f := range r.Findings {
			if strings.Contains(fmt.Sprintf("%+v", f), secret) {
				t.Errorf("%s: a finding repeats a value: %s", name, f.Rule)
			}
		}
	}
}
