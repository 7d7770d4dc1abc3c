package sf1601test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// step of a document as both parsers tell it.
type told struct{ kind, uri, local, text string }

// ours reads doc with the scanner; adjoining text is one step.
func ours(doc []byte) ([]told, error) {
	scan, err := newScanner(doc)
	if err != nil {
		return nil, err
	}
	var out []told
	for {
		ev, err := scan.next()
		switch {
		case err != nil:
			return nil, err
		case ev == eventEOF:
			return out, nil
		case ev == eventStart:
			out = append(out, told{"start", scan.uri, string(scan.local), ""})
			for _, a := range scan.attrs {
				out = append(out, told{"attr", a.uri, string(a.local), string(a.value)})
			}
		case ev == eventEnd:
			out = append(out, told{"end", scan.uri, string(scan.local), ""})
		default:
			out = addText(out, string(scan.text))
		}
	}
}

func addText(out []told, text string) []told {
	if text == "" {
		return out
	}
	if n := len(out); n > 0 && out[n-1].kind == "text" {
		out[n-1].text += text
		return out
	}
	return append(out, told{"text", "", "", text})
}

// theirs reads doc with encoding/xml.
func theirs(doc []byte) ([]told, error) {
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf"))))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var out []told
	depth := 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
			out = append(out, told{"start", tok.Name.Space, tok.Name.Local, ""})
			for _, a := range tok.Attr {
				if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
					continue
				}
				value := strings.NewReplacer("\t", " ", "\n", " ").Replace(a.Value)
				out = append(out, told{"attr", a.Name.Space, a.Name.Local, value})
			}
		case xml.EndElement:
			depth--
			out = append(out, told{"end", tok.Name.Space, tok.Name.Local, ""})
		case xml.CharData:
			if depth > 0 {
				out = addText(out, string(tok))
			}
		}
	}
}

// What the scanner takes, encoding/xml takes, and both read the same.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		`<a/>`, `<a>x</a>`, `<?xml version="1.0" encoding='utf8'?><a xmlns="u:1" b="1&amp;2"><c:d xmlns:c="u:2" c:e='f'/>&#xE6;]]&gt;</a>`,
		"\ufeff<a><!-- c --><![CDATA[<&]]>x\r\ny</a><?pi x?>", `<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="da"/>`,
		`<!DOCTYPE a><a/>`, `<a></b>`, `<a b="1" b="2"/>`, `<a>&x;</a>`, `<a>]]></a>`, `<a b=1/>`, `<æ.ø>å</æ.ø>`, `<a:b/>`, `<a/><b/>`, `<a`, `<`,
		`<kombi_request><KombiValgKode>Digital Post</KombiValgKode><memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"/></kombi_request>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := ours(doc)
		if err != nil {
			return
		}
		want, err := theirs(doc)
		if err != nil {
			// encoding/xml refuses attribute and element names and processing
			// instructions by older name tables; nothing else may differ.
			if strings.Contains(err.Error(), "invalid XML name") || strings.Contains(err.Error(), "expected") {
				return
			}
			t.Fatalf("taken here, refused by encoding/xml: %v", err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d steps, encoding/xml has %d\n%q\n%q", len(got), len(want), got, want)
		}
		for i := range got {
			if got[i] != want[i] && got[i].kind != "attr" {
				t.Fatalf("step %d is %q, encoding/xml has %q", i, got[i], want[i])
			}
		}
	})
}

func TestScannerRejects(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"nothing": "", "only space": " \n", "text first": "x<a/>", "text last": "<a/>x", "not closed": "<a>", "wrong end": "<a></b>", "two roots": "<a/><b/>",
		"DTD": "<!DOCTYPE a><a/>", "entity": "<a>&b;</a>", "reference to nothing": "<a>&#0;</a>", "reference to a surrogate": "<a>&#xD800;</a>",
		"reference without end": "<a>&amp</a>", "reference with sign": "<a>&#+65;</a>", "control": "<a>\x02</a>", "control in comment": "<a><!--\x02--></a>",
		"control in CDATA": "<a><![CDATA[\x02]]></a>", "U+FFFF": "<a>\uffff</a>", "not UTF-8": "<a>\xff</a>", "end of CDATA": "<a>]]></a>",
		"hyphens": "<a><!-- -- --></a>", "open comment": "<a/><!--", "open CDATA": "<a><![CDATA[", "CDATA outside": "<![CDATA[x]]><a/>",
		"attribute twice": `<a b="" b=""/>`, "attribute twice by namespace": `<a xmlns:x="u" xmlns:y="u" x:b="" y:b=""/>`, "attribute unquoted": "<a b=c/>",
		"attribute without value": "<a b/>", "attribute with <": `<a b="<"/>`, "attribute open": `<a b="`, "attributes unspaced": `<a b=""c=""/>`, "attribute entity": `<a b="&c;"/>`,
		"prefix unknown": "<x:a/>", "attribute prefix unknown": `<a x:b=""/>`, "prefix to nothing": `<a xmlns:x=""/>`, "xmlns bound": `<a xmlns:xmlns="u"/>`,
		"xml rebound": `<a xmlns:xml="u"/>`, "declared twice": `<a xmlns:x="u" xmlns:x="v"/>`, "two colons": `<a:b:c xmlns:a="u"/>`, "no name": "< a/>", "digit name": "<1/>",
		"PI open": "<a/><?x", "PI xml": "<a/><?xml version='1.0'?>", "declaration late": " <?xml version='1.0'?><a/>", "version 1.1": "<?xml version='1.1'?><a/>",
		"declaration open": "<?xml version='1.0'", "declaration order": "<?xml encoding='utf-8' version='1.0'?><a/>", "latin-1": "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
		"standalone": "<?xml version='1.0' standalone='maybe'?><a/>", "deep": strings.Repeat("<a>", 65) + strings.Repeat("</a>", 65), "prefix left its scope": `<a><b xmlns:x="u"/><x:c/></a>`,
	} {
		_, err := ours([]byte(doc))
		var ill *scanError
		if !errors.As(err, &ill) || ill.line < 1 || ill.column < 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScannerPosition(t *testing.T) {
	t.Parallel()
	_, err := ours([]byte("<a>\n <b>\n</a>"))
	if want := "ill-formed XML at line 3, column 1: an end tag does not match its start tag"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`<kombi_request><KombiValgKode>Digital Post</KombiValgKode><memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"><memo:MessageHeader><memo:messageType>DIGITALPOST</memo:messageType><memo:messageUUID>8C2EA15D-61FB-4BA9-9366-42F8B194C114</memo:messageUUID><memo:label>x</memo:label></memo:MessageHeader></memo:Message></kombi_request>`))
	f.Add([]byte(`<kombi_request><KombiValgKode>NemSMS</KombiValgKode></kombi_request>`))
	f.Add([]byte(`<kombi_request><KombiValgKode>Fysisk Post</KombiValgKode><ForsendelseISamling xmlns="urn:oio:fjernprint:1.0.0" xmlns:d="urn:oio:dkal:1.0.0"><ForsendelseI>` +
		`<AfsendelseIdentifikator>1</AfsendelseIdentifikator><ForsendelseModtager><ModtagerAdresse><PersonName xmlns="http://rep.oio.dk/itst.dk/xml/schemas/2006/01/17/">x 9986</PersonName>` +
		`<c:CountryIdentificationCode xmlns:c="http://rep.oio.dk/ebxml/xml/schemas/dkcc/2003/02/13/" scheme="imk">5100</c:CountryIdentificationCode></ModtagerAdresse></ForsendelseModtager>` +
		`<d:FilformatNavn>PDF</d:FilformatNavn><d:MeddelelseIndholdData>JVBERi0x</d:MeddelelseIndholdData><DokumentParametre><MeddelelsesFormatObjekt><a/></MeddelelsesFormatObjekt></DokumentParametre>` +
		`<BilagSamling><Bilag><BilagNavn>x</BilagNavn></Bilag></BilagSamling></ForsendelseI></ForsendelseISamling></kombi_request>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		req, err := readRequest(doc, rules{paper: 100})
		switch {
		case err != nil:
		case req.KombiValgKode == ValgFysiskPost && req.AfsendelseIdentifikator == "",
			req.KombiValgKode != ValgFysiskPost && !uuid4(req.MessageUUID):
			t.Fatalf("accepted without identity: %+v", req)
		case req.printable() && req.shipment == nil:
			t.Fatalf("printed without a shipment: %+v", req)
		}
	})
}
