package memo_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// seed adds our own messages, whole and broken, and what they are made of.
func seed(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/*.xml", "testdata/broken/*.xml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	for _, s := range []string{
		"", "<", "\xEF\xBB\xBF<a/>", "<?xml version='1.0' encoding='utf8'?><a/>", "<Message/>", "<a:Message/>", "<kombi_request><KombiValgKode/></kombi_request>",
		`<Message xmlns="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"><MessageBody/><!----><MessageHeader><reply> 1</reply></MessageHeader></Message>`,
		`<x:Message xmlns:x="https://DigitalPost.dk/MeMo-1" memoVersion="+01.10"` + "\n" + `memoSchVersion=''><x:MessageBody><x:MainDocument><x:File><x:content>` +
			`VG8<![CDATA[=]]></x:content><x:filename>&#13;?</x:filename></x:File></x:MainDocument></x:MessageBody></x:Message>`,
	} {
		f.Add([]byte(s))
	}
}

// FuzzCheck: whatever the bytes are, every finding has a place in the file, and there are not more of them than allowed.
func FuzzCheck(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, document []byte) {
		const most = 50
		r, err := memo.Check(t.Context(), bytes.NewReader(document), memo.CheckOptions{MaxFindings: most})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Findings) > most || len(r.Findings)+r.Omitted != r.Errors+r.Warnings+r.Notes {
			t.Fatalf("%d kept, %d omitted of %d, %d, %d", len(r.Findings), r.Omitted, r.Errors, r.Warnings, r.Notes)
		}
		if r.Size > int64(len(document)) {
			t.Fatalf("%d bytes read of %d", r.Size, len(document))
		}
		rows := bytes.Split(document, []byte{'\n'})
		for _, x := range r.Findings {
			if x.Line < 1 || x.Line > len(rows) || x.Column < 1 || x.Column > len(rows[x.Line-1])+1 {
				t.Fatalf("%+v is not in the file", x)
			}
			if x.Rule == "" || x.Detail == "" || x.Source == "" {
				t.Fatalf("%+v says too little", x)
			}
		}
		if _, err := memo.Read(t.Context(), bytes.NewReader(document), memo.ReadOptions{}); err == nil && !r.Message {
			t.Fatal("it can be read, and there is no message in it")
		}
	})
}

// FuzzFix: what can be corrected is corrected at once and for good, and nothing gets worse.
func FuzzFix(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, document []byte) {
		var once, twice bytes.Buffer
		changes, err := memo.Fix(t.Context(), bytes.NewReader(document), &once)
		if err != nil {
			return
		}
		if len(changes) == 0 && !bytes.Equal(once.Bytes(), document) {
			t.Fatalf("changed without a word:\n%q\n%q", document, once.Bytes())
		}
		again, err := memo.Fix(t.Context(), bytes.NewReader(once.Bytes()), &twice)
		if err != nil {
			t.Fatalf("the copy is no XML: %v\n%q\n%q", err, document, once.Bytes())
		}
		if len(again) > 0 || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("corrected twice: %+v\n%q\n%q\n%q", again, document, once.Bytes(), twice.Bytes())
		}
		before, after := mustCheck(t, document), mustCheck(t, once.Bytes())
		for _, x := range after.Findings {
			if x.Fixable {
				t.Fatalf("left: %+v\n%q\n%q", x, document, once.Bytes())
			}
		}
		if after.Errors > before.Errors {
			t.Fatalf("%d errors became %d\n%q\n%q", before.Errors, after.Errors, document, once.Bytes())
		}
	})
}

func mustCheck(t *testing.T, document []byte) *memo.Report {
	t.Helper()
	r, err := memo.Check(t.Context(), bytes.NewReader(document), memo.CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
