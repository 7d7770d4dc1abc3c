package httpapi

import (
	"net/http"
	"path"
	"strings"
	"testing"
)

// TestBadInput: nothing of it is stored, and the answer says where and why.
func TestBadInput(t *testing.T) { //nolint:tparallel // what was stored is looked at after the last case
	t.Parallel()
	h := setup(t)
	valid := letter("never-stored")
	for name, c := range map[string]struct { //nolint:paralleltest // as above
		body           string
		status         int
		code           string // of the problem
		pointer, found string // of the only finding
		detail         string // part of the finding's detail
	}{
		"unparsable JSON":  {`{"reference": "a", `, 400, "json.syntax", "", "json.syntax", "byte 19"},
		"empty body":       {" ", 400, "json.syntax", "", "json.syntax", "byte 1"},
		"two values":       {text(t, valid) + "{}", 400, "json.syntax", "", "json.syntax", "byte"},
		"invalid UTF-8":    {"{\"reference\":\"\xff\"}", 400, "json.syntax", "/reference", "json.syntax", "byte"},
		"unknown field":    {text(t, valid, `"sender"`, `"afsender"`), 400, "json.unknown_field", "/afsender", "json.unknown_field", `"afsender"`},
		"other case":       {text(t, valid, `"title"`, `"Title"`), 400, "json.unknown_field", "/content/Title", "json.unknown_field", `"Title"`},
		"deep unknown":     {text(t, valid, `"label":"Tilmeld"`, `"label":"x","lable":"y"`), 400, "json.unknown_field", "/content/actions/1/lable", "json.unknown_field", `"lable"`},
		"repeated name":    {text(t, valid, `"sender"`, `"reference":"x","sender"`), 400, "json.duplicate_name", "/reference", "json.duplicate_name", "twice"},
		"CPR as a number":  {text(t, valid, `"2512489996"`, `2512489996`), 400, "json.type", "/recipient/cpr", "json.type", "a string"},
		"routes no lists":  {text(t, valid, `["digitalpost","print"]`, `"digitalpost"`), 400, "json.type", "/routes/0", "json.type", "an array"},
		"flag as a string": {text(t, valid, `"allowed":true`, `"allowed":"yes"`), 400, "json.type", "/content/reply/allowed", "json.type", "true or false"},
		"content a number": {text(t, valid, `"content":"JVBERi0xLjcgYSBsZXR0ZXI="`, `"content":1`), 400, "json.type", "/content/documents/0/content", "json.type", "a string"},
		"an array":         {`[]`, 400, "json.type", "", "json.type", "an object"},

		"CPR of 9 digits":       {text(t, valid, "2512489996", "251248999"), 422, "intent.invalid", "/recipient/cpr", "cpr.invalid", "ten digits"},
		"CVR of 7 digits":       {text(t, valid, `"cpr":"2512489996"`, `"cvr":"5513301"`), 422, "intent.invalid", "/recipient/cvr", "cvr.invalid", "eight digits"},
		"CPR and CVR":           {text(t, valid, `"cpr"`, `"cvr":"55133018","cpr"`), 422, "intent.invalid", "/recipient", "recipient.both", "not both"},
		"neither":               {text(t, valid, `"cpr":"2512489996"`, `"cpr":""`), 422, "intent.invalid", "/recipient", "recipient.missing", "CVR"},
		"unknown sender":        {text(t, valid, `"jobcenter"`, `"jobcentret"`), 422, "intent.invalid", "/sender", "sender.unknown", "profile"},
		"unknown channel":       {text(t, valid, `"print"`, `"fax"`), 422, "intent.invalid", "/routes/0/1", "channel.unknown", "digitalpost, print"},
		"no route":              {text(t, valid, `["digitalpost","print"]`, ``), 422, "intent.invalid", "/routes", "required", "route"},
		"action without URL":    {text(t, valid, `"https://testby.example/tilmeld"`, `""`), 422, "intent.invalid", "/content/actions/1/url", "required", "url"},
		"action over http":      {text(t, valid, `https://testby.example/tilmeld`, `http://testby.example/tilmeld`), 422, "intent.invalid", "/content/actions/1/url", "https.required", "https"},
		"unknown action":        {text(t, valid, `"TILMELDING"`, `"TILMELD"`), 422, "intent.invalid", "/content/actions/1/type", "action.unknown", "eight"},
		"action time no zone":   {text(t, valid, `2026-12-10T23:59:00+01:00`, `2026-12-10T23:59:00`), 422, "intent.invalid", "/content/actions/1/end", "time.invalid", "zone"},
		"AFTALE without a time": {text(t, valid, `2026-12-01T10:00:00+01:00`, `i morgen`), 422, "intent.invalid", "/content/actions/0/start", "time.invalid", "RFC 3339"},
		"reply time":            {text(t, valid, `2026-12-24T00:00:00Z`, `2026-12-24`), 422, "intent.invalid", "/content/reply/by", "time.invalid", "zone"},
		"expires no time":       {text(t, valid, `2026-12-31T00:00:00+01:00`, `31. december`), 422, "intent.invalid", "/send/expires", "time.invalid", "RFC 3339"},
		"unknown window":        {text(t, valid, `"day"`, `"night"`), 422, "intent.invalid", "/send/window", "window.unknown", "window"},
		"no base64":             {text(t, valid, `JVBERi0xLjcgYSBsZXR0ZXI=`, `JVBERi0_LjcgYSBsZXR0ZXI=`), 422, "intent.invalid", "/content/documents/0/content", "base64.invalid", "RFC 4648"},
		"no media type":         {text(t, valid, `"application/pdf"`, `"pdf"`), 422, "intent.invalid", "/content/documents/0/contentType", "media_type.invalid", "application/pdf"},
		"filename with :":       {text(t, valid, `Indkaldelse.pdf`, `Indkaldelse 10:45.pdf`), 422, "intent.invalid", "/content/documents/0/filename", "filename.forbidden", `< > : " / \ | ? *`},
		"filename with U+00A0":  {text(t, valid, `Indkaldelse.pdf`, "Indkaldelse\u00a0ny.pdf"), 422, "intent.invalid", "/content/documents/0/filename", "filename.forbidden", `U+00A0`},
		"filename empty":        {text(t, valid, `Indkaldelse.pdf`, ``), 422, "intent.invalid", "/content/documents/0/filename", "required", "missing"},
		"unknown document":      {text(t, valid, `"content":"JVBERi0xLjcgYSBsZXR0ZXI="`, `"document":"doc_unknown"`), 422, "intent.invalid", "/content/documents/0/document", "document.unknown", "uploaded"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.ask(t, http.MethodPost, "/v1/intents", c.body)
			p := a.problem(t)
			if a.status != c.status || p.Code != c.code {
				t.Errorf("%d %s, want %d %s: %s", a.status, p.Code, c.status, c.code, a.body)
			}
			if len(p.Errors) == 0 {
				t.Fatalf("nothing was found: %s", a.body)
			}
			f := p.Errors[0]
			for _, more := range p.Errors[1:] {
				if path.Dir(more.Pointer) != path.Dir(f.Pointer) { // the gateway may say more of the same thing
					t.Errorf("found %+v as well", more)
				}
			}
			if f.Pointer != c.pointer || f.Code != c.found || !strings.Contains(f.Detail, c.detail) {
				t.Errorf("found %+v, want %s %s with %q", f, c.pointer, c.found, c.detail)
			}
			for _, value := range []string{"2512489996", "251248999", "Nancy", "Rådhuspladsen", "borger.example", "20304050", "indkaldt", "i morgen"} {
				if strings.Contains(a.body, value) {
					t.Errorf("the answer repeats %q", value)
				}
			}
		})
	}
	h.wantNothingStored(t)
}

// TestAllFindingsAtOnce: what reading and what the gateway finds is told together, each place once.
func TestAllFindingsAtOnce(t *testing.T) {
	t.Parallel()
	h := setup(t)
	body := text(t, letter("many"), "2512489996", "251248999", `"jobcenter"`, `"nobody"`, `2026-12-01T10:00:00+01:00`, `10:00`,
		`https://testby.example/tilmeld`, `tilmeld`, `"print"`, `"fax"`)
	a := h.ask(t, http.MethodPost, "/v1/intents", body)
	p := a.problem(t)
	got := make(map[string]string)
	for _, f := range p.Errors {
		if before, twice := got[f.Pointer]; twice {
			t.Errorf("%s is told twice: %s and %s", f.Pointer, before, f.Code)
		}
		got[f.Pointer] = f.Code
	}
	for pointer, code := range map[string]string{
		"/recipient/cpr": "cpr.invalid", "/sender": "sender.unknown", "/content/actions/0/start": "time.invalid",
		"/content/actions/1/url": "url.relative", "/routes/0/1": "channel.unknown",
	} {
		if got[pointer] != code {
			t.Errorf("%s: %q, want %s", pointer, got[pointer], code)
		}
	}
	if len(got) != 5 || a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %v", a.status, got)
	}
}

func TestBodyOverTheLimit(t *testing.T) {
	t.Parallel()
	h := setup(t)
	in := letter("large")
	in.Content.Documents[0].Content.Bytes = make([]byte, 64<<10)
	body := text(t, in)
	for name, a := range map[string]answer{
		"announced": h.ask(t, http.MethodPost, "/v1/intents", body),
		"chunked":   h.chunked(t, "/v1/intents", strings.NewReader(body)),
	} {
		p := a.problem(t)
		if a.status != http.StatusRequestEntityTooLarge || p.Code != "body.too_large" || !strings.Contains(p.Detail, "POST /v1/documents") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	h.wantNothingStored(t)
}

func TestWrongMethodsPathsAndMediaTypes(t *testing.T) {
	t.Parallel()
	h := setup(t)
	body := text(t, letter("media"))
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		"unknown path":     {"GET", "/v1/nothing", "", nil, 404, "not_found"},
		"root":             {"GET", "/", "", nil, 404, "not_found"},
		"docs' file":       {"GET", "/docs/swagger-ui-bundle.js.map", "", nil, 404, "not_found"},
		"wrong method":     {"DELETE", "/v1/intents", "", nil, 405, "method.not_allowed"},
		"get cancel":       {"GET", "/v1/intents/int_1/cancel", "", nil, 405, "method.not_allowed"},
		"post health":      {"POST", "/healthz", "", nil, 405, "method.not_allowed"},
		"wants XML":        {"GET", "/v1/intents", "", []string{"Accept", "application/xml"}, 406, "not_acceptable"},
		"refuses JSON":     {"GET", "/v1/intents", "", []string{"Accept", "application/json;q=0"}, 406, "not_acceptable"},
		"wants anything":   {"GET", "/v1/intents", "", []string{"Accept", "text/html, */*;q=0.1"}, 200, ""},
		"sends a form":     {"POST", "/v1/intents", body, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "media_type.unsupported"},
		"sends latin-1":    {"POST", "/v1/intents", body, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "media_type.unsupported"},
		"sends gzip":       {"POST", "/v1/intents", body, []string{"Content-Encoding", "gzip"}, 415, "media_type.unsupported"},
		"says utf-8":       {"POST", "/v1/intents", body, []string{"Content-Type", "application/json; charset=UTF-8"}, 202, ""},
		"multipart upload": {"POST", "/v1/documents?filename=a.pdf", "x", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "media_type.unsupported"},
		"bad limit":        {"GET", "/v1/intents?limit=501", "", nil, 400, "query.invalid"},
		"limit zero":       {"GET", "/v1/events?limit=0", "", nil, 400, "query.invalid"},
		"bad cursor":       {"GET", "/v1/events?after=-1", "", nil, 400, "query.invalid"},
		"bad status":       {"GET", "/v1/intents?status=sent", "", nil, 400, "query.invalid"},
		"unknown query":    {"GET", "/v1/intents?statuss=sent", "", nil, 400, "query.invalid"},
		"twice a query":    {"GET", "/v1/events?after=1&after=2", "", nil, 400, "query.invalid"},
		"bad escape":       {"GET", "/v1/events?after=%zz", "", nil, 400, "query.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.ask(t, c.method, c.path, c.body, c.header...)
			if a.status != c.status {
				t.Fatalf("%d, want %d: %s", a.status, c.status, a.body)
			}
			if c.code == "" {
				return
			}
			if p := a.problem(t); p.Code != c.code {
				t.Errorf("%s, want %s", p.Code, c.code)
			}
			if c.status == 405 && a.header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
		})
	}
}
