package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// The places of a template that are written over.
const (
	referenceDigits = 12
	somebody        = "2512489996" // accepted and delivered by the simulator, like everybody whose number ends in 9996
)

// template is the bytes of an intent that is posted many times: making one costs next to nothing, so that what is
// measured is the gateway. It serves one goroutine.
type template struct {
	bytes     []byte
	reference int // where the digits of the reference are
	cpr       int // where the date of birth is; 0: always the same person
}

// newTemplate writes an intent down. Its reference becomes prefix and referenceDigits digits.
func newTemplate(in httpapi.IntentRequest, prefix string, citizens bool) (template, error) {
	in.Reference = prefix + strings.Repeat("0", referenceDigits)
	body, err := json.Marshal(&in)
	if err != nil {
		return template{}, fmt.Errorf("write the intent: %w", err)
	}
	t := template{bytes: body, reference: bytes.Index(body, []byte(in.Reference)) + len(prefix)}
	if citizens {
		t.cpr = bytes.Index(body, []byte(`"`+in.Recipient.CPR+`"`)) + 1
	}
	return t, nil
}

// after is a template of its own, of head and t.
func (t template) after(head []byte) template {
	t.bytes = slices.Concat(head, t.bytes)
	t.reference += len(head)
	if t.cpr > 0 {
		t.cpr += len(head)
	}
	return t
}

// number makes it the intent of that number.
func (t template) number(n int64) []byte {
	copy(t.bytes[t.reference:t.reference+referenceDigits], fmt.Sprintf("%0*d", referenceDigits, n))
	if t.cpr > 0 {
		const days, months, years = 28, 12, 60 // 1940 to 1999, for the 9 that follows
		date := fmt.Sprintf("%02d%02d%02d", 1+n%days, 1+n/days%months, 40+n/days/months%years)
		copy(t.bytes[t.cpr:], date)
	}
	return t.bytes
}

// letterOf is a letter of about size bytes of JSON, by its document, which has the form that pdf makes.
func letterOf(size int, pdf func(size int) []byte) httpapi.IntentRequest {
	in := harness.Letter("", somebody)
	bare := 700 // of JSON around the document
	in.Content.Documents[0].Content = httpapi.Base64{Bytes: pdf((size - bare) / 4 * 3)}
	return *in
}
