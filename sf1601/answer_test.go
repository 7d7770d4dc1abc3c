package sf1601

import (
	"strings"
	"testing"
)

func TestReadReactionRefuses(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"empty":             " \n",
		"text":              "Result=true",
		"two documents":     "<r><Result>true</Result></r><r/>",
		"unbalanced":        "<r><Result>true</r></Result>",
		"closed twice":      "<r></r></r>",
		"an entity":         "<!DOCTYPE r [<!ENTITY t 'true'>]><r><Result>&t;</Result></r>",
		"an unknown entity": "<r><Result>&t;</Result></r>",
		"unknown encoding":  "<?xml version='1.0' encoding='utf-16'?><r><Result>true</Result></r>",
		"deep XML":          strings.Repeat("<r>", 100) + strings.Repeat("</r>", 100),
		"deep JSON":         strings.Repeat("[", 100) + strings.Repeat("]", 100),
		"two JSON values":   `{"Result":true}{"Result":true}`,
		"JSON cut":          `{"Result":true`,
	} {
		if r, err := readReaction([]byte(answer)); err == nil {
			t.Errorf("%s: read as %+v", name, r)
		}
	}
}

func FuzzReadReaction(f *testing.F) {
	for _, seed := range []string{
		`<kombi_response><Result>true</Result><TransmissionID>t</TransmissionID><HovedoplysningerSvarREST><SvarReaktion><Advis><AdvisId>0</AdvisId><AdvisTekst>Received</AdvisTekst></Advis></SvarReaktion></HovedoplysningerSvarREST></kombi_response>`,
		`<?xml version="1.0" encoding="utf8"?><n:r xmlns:n="urn:x"><n:Result>false</n:Result><n:Fejl><n:FejlId>1</n:FejlId></n:Fejl></n:r>`,
		`{"HovedoplysningerSvarREST":[{"SvarReaktion":{"Fejl":{"FejlId":7,"FejlTekst":"x"}}}]}`, `{"result":true}`, `<!DOCTYPE x><r/>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		r, err := readReaction(answer)
		if err != nil && (r.speaks() || r.transmissionID != "" || len(r.advis) > 0) {
			t.Errorf("an answer that does not read says %+v", r)
		}
		if r.accepted() && !strings.Contains(strings.ToLower(string(answer)), "result") && !strings.Contains(string(answer), `\u`) {
			t.Errorf("accepted without a Result: %q", answer)
		}
	})
}

func TestErrorTextHoldsNoStrangeCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"file.empty.not.allowed": "kombi: rejected: code file.empty.not.allowed of source NGDP (HTTP 200)",
		"2512489996":             "kombi: rejected: code (not printable) of source NGDP (HTTP 200)",
		"251248-9996":            "kombi: rejected: code (not printable) of source NGDP (HTTP 200)",
		"Nancy Ann":              "kombi: rejected: code (not printable) of source NGDP (HTTP 200)",
	} {
		e := &Error{Class: Rejected, Op: OpKombi, Code: code, KildeID: "NGDP", Text: "Nancy", HTTPStatus: 200}
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []Outcome
		want Outcome
	}{
		{nil, OutcomeFailed}, {[]Outcome{OutcomeRetry}, OutcomeRetry}, {[]Outcome{OutcomeRetry, OutcomeNext}, OutcomeNext}, {[]Outcome{OutcomeNext, OutcomeRetry}, OutcomeNext},
		{[]Outcome{OutcomeNext, OutcomeFailed, OutcomeRetry}, OutcomeFailed}, {[]Outcome{"strange"}, OutcomeFailed},
	} {
		if got := Worst(c.of...); got != c.want {
			t.Errorf("Worst(%v) = %s, want %s", c.of, got, c.want)
		}
	}
}

// TestExplain: the Fejl that decides gives the code; every outcome has a class.
func TestExplain(t *testing.T) {
	t.Parallel()
	e := &Error{}
	outcome := e.explain(reaction{fejl: []fejl{{id: "1", text: "first"}, {id: "memo.invalid", text: "second"}}}, nil)
	if outcome != OutcomeFailed || e.Code != "1" || e.Text != "first" {
		t.Errorf("%s, %+v", outcome, e)
	}
	for outcome, class := range map[Outcome]Class{OutcomeFailed: Rejected, OutcomeNext: NotReachable, OutcomeRetry: Temporary, "strange": Rejected} {
		if got := classOf(outcome); got != class {
			t.Errorf("%s is %s, want %s", outcome, got, class)
		}
	}
}
