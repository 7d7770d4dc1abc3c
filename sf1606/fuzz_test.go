package sf1606_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// What is read as a receipt is written and read again the same; nothing is positive that has an errorCode.
func FuzzParseReceipt(f *testing.F) {
	f.Add([]byte(`{"transmissionId":"t","messageUUID":"u","errorCode":null,"timeStamp":"2026-11-22T09:30:00Z","receiptStatus":"COMPLETED"}`))
	f.Add([]byte(`{"errorCode":"0","receiptStatus":"COMPLETED"}`))
	f.Add([]byte(`<?xml version="1.0"?><r xmlns="urn:x"><errorCode> </errorCode><receiptStatus>RECEIVED</receiptStatus></r>`))
	f.Add([]byte(`<!DOCTYPE r><r><receiptStatus>INVALID</receiptStatus></r>`))
	f.Add([]byte(`<r><receiptStatus>INVALID</receiptStatus><receiptStatus>COMPLETED</receiptStatus></r>`))
	f.Add([]byte("\xef\xbb\xbf{\"receiptStatus\":\"NOT_ALLOWED\",\"timeStamp\":\"9999-12-31T23:59:59.999+14:00\"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := sf1606.ParseReceipt(b)
		if err != nil {
			return
		}
		if r.Positive() && r.ErrorCode != "" {
			t.Errorf("positive with errorCode %q", r.ErrorCode)
		}
		if !clean(r) {
			return // XML has no place for it; JSON has
		}
		for _, format := range []sf1606.Format{sf1606.FormatJSON, sf1606.FormatXML} {
			out, err := r.Encode(format, receiptName)
			if err != nil {
				t.Fatal(err)
			}
			again, err := sf1606.ParseReceipt(out)
			if err != nil || again != r {
				t.Fatalf("%s: %+v, again %+v: %v", format, r, again, err)
			}
		}
	})
}

// clean tells whether XML can carry every text as it is.
func clean(r sf1606.Receipt) bool {
	for _, s := range []string{r.TransmissionID, r.MessageUUID, r.MessageID, r.ErrorCode, r.ErrorMessage} {
		if strings.ToValidUTF8(s, "") != s || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c >= 0xfffe }) {
			return false
		}
	}
	return r.TimeStamp.IsZero() || r.TimeStamp.Year() >= 0 && r.TimeStamp.Year() <= 9999
}

// Whatever comes, the answer is a receipt that fits what the sink has, and no delivery is left open.
func FuzzHandler(f *testing.F) {
	good := raw(f, letters().New(1500))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(bytes.ReplaceAll(good, []byte("memo:"), nil))
	f.Add(append([]byte("<!DOCTYPE x>"), good...))
	f.Add(bytes.Replace(good, []byte("<memo:content>"), []byte("<memo:content>%"), 1))
	f.Add([]byte("<kombi_request/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		box := &sf1606test.Box{}
		h, err := sf1606.Handler(sf1606.Config{Intake: sf1606.Intake{Sink: box, AnyRecipient: true}})
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sf1606.DefaultPath, bytes.NewReader(b))
		req.Header.Set("Content-Type", "text/xml")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		r, err := sf1606.ParseReceipt(w.Body.Bytes())
		if err != nil {
			t.Fatalf("HTTP %d %s: %v", w.Code, w.Body, err)
		}
		st := box.Stats()
		if r.Positive() != (w.Code == http.StatusOK) || r.Positive() != (st.Committed == 1) || st.Open != 0 || st.Misused != 0 {
			t.Errorf("HTTP %d %+v: %+v", w.Code, r, st)
		}
	})
}

func FuzzReadIDs(f *testing.F) {
	for _, s := range []string{`["a"]`, `{"memos":[{"id":"a"}]}`, `{"memos":null}`, `[1,null]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ids, err := sf1606.ReadIDs(strings.NewReader(s))
		for _, id := range ids {
			if err != nil || id == "" || id == "." || id == ".." {
				t.Errorf("%q: %q %v", s, ids, err)
			}
		}
	})
}
