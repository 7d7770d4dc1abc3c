package sf1601_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
)

func TestPostForespoerg(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		answers := map[string]string{
			"/service/PostForespoerg_1/digitalpost?cprNumber=2512489996": `{"result":true}`,
			"/service/PostForespoerg_1/nemsms?cprNumber=2512489996":      `{"result": false}`,
			"/service/PostForespoerg_1/digitalpost?cvrNumber=55133018":   `{"Result":"true"}`,
			"/service/PostForespoerg_1/nemsms?cvrNumber=55133018":        `<PostForespoergResponse xmlns="urn:x"><result>false</result></PostForespoergResponse>`,
		}
		if r.Method != http.MethodGet || r.ContentLength != 0 {
			t.Errorf("%s with %d bytes", r.Method, r.ContentLength)
		}
		_, _ = fmt.Fprint(w, answers[r.URL.String()])
	})
	c := newClient(t, f)
	person, company := sf1601.Identifier{Type: memo.CPR, Value: cpr}, sf1601.Identifier{Type: memo.CVR, Value: "55133018"}
	for _, q := range []struct {
		service sf1601.Service
		id      sf1601.Identifier
		want    bool
	}{{sf1601.DigitalPost, person, true}, {sf1601.NemSMS, person, false}, {sf1601.DigitalPost, company, true}, {sf1601.NemSMS, company, false}} {
		if got, err := c.PostForespoerg(t.Context(), q.service, q.id); err != nil || got != q.want {
			t.Errorf("%s %s = %v, %v; want %v", q.service, q.id, got, err, q.want)
		}
	}
	if f.tokens.Load() != 1 {
		t.Errorf("%d access tokens", f.tokens.Load())
	}
	header := f.requests()[0].header
	if header.Get("Authorization") != "Holder-of-key access-1" || header.Get("x-TransaktionsId") == "" || header.Get("x-RequestId") == "" || header.Get("Accept") != "application/json" {
		t.Errorf("headers %v", header)
	}
}

func TestAFailedLookUpIsNeverNotRegistered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		class  sf1601.Class
		code   string
	}{
		"Fejl":              {200, `{"HovedoplysningerSvarREST":[{"SvarReaktion":{"Fejl":{"FejlId":"7","FejlTekst":"2512489996","KildeId":"SF"}}}]}`, sf1601.Rejected, "7"},
		"Fejl beside false": {200, `{"result":false,"Fejl":{"FejlId":"7"}}`, sf1601.Rejected, "7"},
		"500 with Fejl":     {500, `{"Fejl":{"FejlId":"7"}}`, sf1601.Rejected, "7"},
		"500 beside false":  {500, `{"result":false}`, sf1601.Temporary, sf1601.CodeBadAnswer},
		"404 beside false":  {404, `{"result":false}`, sf1601.Denied, ""},
		"404":               {404, ``, sf1601.Denied, ""},
		"400":               {400, ``, sf1601.Rejected, ""},
		"401":               {401, `{"result":false}`, sf1601.Denied, ""},
		"403":               {403, `{"result":false}`, sf1601.Denied, ""},
		"502":               {502, ``, sf1601.Temporary, ""},
		"503":               {503, `{"result":false}`, sf1601.Temporary, ""},
		"204":               {204, ``, sf1601.Temporary, sf1601.CodeBadAnswer},
		"an empty object":   {200, `{}`, sf1601.Temporary, sf1601.CodeBadAnswer},
		"null":              {200, `{"result":null}`, sf1601.Temporary, sf1601.CodeBadAnswer},
		"another type":      {200, `{"result":{}}`, sf1601.Temporary, sf1601.CodeBadAnswer},
		"a page":            {200, `<html><body>login</body></html>`, sf1601.Temporary, sf1601.CodeBadAnswer},
		"empty":             {200, ``, sf1601.Temporary, sf1601.CodeBadAnswer},
		"cut":               {200, `{"result":fal`, sf1601.Temporary, sf1601.CodeBadAnswer},
		"something after":   {200, `{"result":false} x`, sf1601.Temporary, sf1601.CodeBadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarEnd(t, always(c.status, c.body))
			registered, err := newClient(t, f).PostForespoerg(t.Context(), sf1601.DigitalPost, sf1601.Identifier{Type: memo.CPR, Value: cpr})
			e := asError(t, err)
			if registered || e.Class != c.class || e.Code != c.code || e.Op != sf1601.OpForespoerg || e.HTTPStatus != c.status || e.TransactionID == "" {
				t.Errorf("%v, %+v; want %s %q", registered, e, c.class, c.code)
			}
			if strings.Contains(err.Error(), cpr) {
				t.Errorf("the text shows the CPR number: %v", err)
			}
		})
	}
}

// TestNoCPRInErrorsOfTheConnection: the identifier is in the URL, and HTTP
// errors quote URLs. It writes to the standard logger's output, so it is not
// parallel.
//
//nolint:paralleltest // captures the standard logger
func TestNoCPRInErrorsOfTheConnection(t *testing.T) {
	f := newFarEnd(t, func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
	id := sf1601.Identifier{Type: memo.CPR, Value: cpr}
	slow := newClient(t, f, func(cfg *sf1601.Config, _ *signature.BatcherConfig) { cfg.Timeouts.Answer = 20 * time.Millisecond })
	cutting := newFarEnd(t, func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) })
	for name, c := range map[string]*sf1601.Client{"timeout": slow, "cut": newClient(t, cutting)} {
		_, err := c.PostForespoerg(t.Context(), sf1601.DigitalPost, id)
		e := asError(t, err)
		if e.Class != sf1601.Temporary {
			t.Errorf("%s: %+v", name, e)
		}
		for chain := error(e); chain != nil; chain = errors.Unwrap(chain) {
			if strings.Contains(chain.Error(), cpr) || strings.Contains(chain.Error(), "cprNumber") {
				t.Errorf("%s: %T shows the CPR number: %v", name, chain, chain)
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", id, id, id, id); strings.Contains(text, cpr) {
		t.Errorf("the identifier shows itself: %s", text)
	}
}

func TestPostForespoergRefusesWhatIsNoIdentifier(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, `{"result":true}`))
	c := newClient(t, f)
	for _, q := range []struct {
		service sf1601.Service
		id      sf1601.Identifier
	}{
		{sf1601.DigitalPost, sf1601.Identifier{Type: memo.CPR, Value: "251248999"}},
		{sf1601.DigitalPost, sf1601.Identifier{Type: memo.CPR, Value: "251248-9996"}},
		{sf1601.DigitalPost, sf1601.Identifier{Type: memo.CVR, Value: cpr}},
		{sf1601.DigitalPost, sf1601.Identifier{Type: "P", Value: cpr}},
		{"eboks", sf1601.Identifier{Type: memo.CPR, Value: cpr}},
	} {
		_, err := c.PostForespoerg(t.Context(), q.service, q.id)
		if e := asError(t, err); e.Class != sf1601.Rejected || e.Code != sf1601.CodeInvalid || strings.Contains(e.Error(), cpr) {
			t.Errorf("%s %s: %+v", q.service, q.id.Type, e)
		}
	}
	if len(f.requests()) != 0 {
		t.Error("something was asked")
	}
}

func TestALookUpRenewsARefusedToken(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, nil)
	f.answer = func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Header.Get("Authorization") == "Holder-of-key access-1" {
			always(401, "")(w, r, body)
			return
		}
		always(200, `{"result":true}`)(w, r, body)
	}
	got, err := newClient(t, f).PostForespoerg(t.Context(), sf1601.NemSMS, sf1601.Identifier{Type: memo.CPR, Value: cpr})
	if err != nil || !got || f.tokens.Load() != 2 {
		t.Errorf("%v, %v after %d tokens", got, err, f.tokens.Load())
	}
}
