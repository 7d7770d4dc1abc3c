package httpapi

import (
	"errors"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json"
)

// FuzzDecodeIntent: whatever comes, the answer is an intent that survives being written again, or a problem that can be
// answered.
func FuzzDecodeIntent(f *testing.F) {
	f.Add([]byte(text(f, letter("sag-1"))))
	f.Add([]byte(`{"reference":"a","content":{"documents":[{"content":"JVBERi0x\/w=="}],"actions":[{"type":"X","uuid":"1"}]}}`))
	f.Add([]byte(`{"recipient":{"cpr":1}}`))
	f.Add([]byte(`{"a~/b":1}`))
	f.Add([]byte(`{"routes":[["a"],null,[]],"content":null}`))
	f.Add([]byte(`{"send":{"notBefore":"0001-01-01T00:00:00Z"}}`))
	f.Add([]byte("{\"\xff\":1}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := decode[IntentRequest](body)
		if err != nil {
			p, ok := errors.AsType[*Problem](err)
			if !ok || p.Status != http.StatusBadRequest || len(p.Errors) != 1 || len(p.Errors[0].Pointer) > maxPointerInAnswer+3 {
				t.Fatalf("%#v", err)
			}
			if _, err := json.Marshal(p); err != nil {
				t.Fatalf("the problem cannot be written: %v", err)
			}
			return
		}
		draft, err := in.draft("p")
		if err != nil {
			t.Fatalf("no draft: %v", err)
		}
		for n := range in.Content.Documents {
			if in.Content.Documents[n].Content.Invalid {
				return // a mistake is told and cannot be written again
			}
		}
		again, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		second, err := decode[IntentRequest](again)
		if err != nil {
			t.Fatalf("%v in %s", err, again)
		}
		redraft, err := second.draft("p")
		if err != nil || redraft.Fingerprint != draft.Fingerprint || len(redraft.Problems) != len(draft.Problems) {
			t.Fatalf("%s is another intent than %s: %v", again, body, err)
		}
	})
}
