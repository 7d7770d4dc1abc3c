package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

func TestRegistration(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for name, c := range map[string]struct {
		in   RegistrationRequest
		want bool
	}{
		"registered":     {RegistrationRequest{CPR: "2512489996", Service: "digitalpost"}, true},
		"with a dash":    {RegistrationRequest{CPR: "251248-9996", Service: "digitalpost"}, true},
		"not registered": {RegistrationRequest{CPR: "2512489995", Service: "digitalpost"}, false},
		"other service":  {RegistrationRequest{CPR: "2512489995", Service: "nemsms"}, true},
		"fresh":          {RegistrationRequest{CPR: "2512489995", Service: "digitalpost", Fresh: true}, true},
		"company":        {RegistrationRequest{CVR: "55133018", Service: "digitalpost"}, true},
	} {
		if got, err := h.client.Registration(t.Context(), &c.in); err != nil || got.Registered != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		body, code, pointer string
		status              int
	}{
		"nobody":          {`{"service":"nemsms"}`, "registration.invalid", "", 422},
		"both":            {`{"service":"nemsms","cpr":"2512489996","cvr":"55133018"}`, "registration.invalid", "", 422},
		"short CPR":       {`{"service":"nemsms","cpr":"251248999"}`, "registration.invalid", "/cpr", 422},
		"short CVR":       {`{"service":"nemsms","cvr":"5513301"}`, "registration.invalid", "/cvr", 422},
		"unknown service": {`{"service":"eboks","cpr":"2512489996"}`, "registration.invalid", "/service", 422},
		"no service":      {`{"cpr":"2512489996"}`, "registration.invalid", "/service", 422},
		"as a name":       {`{"2512489996":1}`, "json.unknown_field", "", 400},
		"number":          {`{"service":"nemsms","cpr":2512489996}`, "json.type", "/cpr", 400},
		"failed look-up":  {`{"service":"nemsms","cpr":"2512489987"}`, "unavailable", "-", 503},
		"panic":           {`{"service":"nemsms","cpr":"2512489000"}`, "internal", "-", 500},
	} {
		a := h.ask(t, http.MethodPost, "/v1/registrations", c.body)
		p := a.problem(t)
		if a.status != c.status || p.Code != c.code || c.pointer != "-" && (len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if strings.Contains(a.body, "251248") || strings.Contains(a.body, "registered") && a.status != 422 {
			t.Errorf("%s: the answer holds too much: %s", name, a.body)
		}
	}
	if strings.Contains(h.log.String(), "251248") {
		t.Error("the log holds an identifier")
	}
}

func TestWash(t *testing.T) {
	t.Parallel()
	h := setup(t)
	yes, no := true, false
	lines := []struct {
		body       string
		status     int
		registered *bool
		code       string
	}{
		{`{"cpr":"2512489996","service":"digitalpost"}`, 200, &yes, ""},
		{`{"cpr":"2512489995","service":"digitalpost"}`, 200, &no, ""},
		{`{"cpr":"2512489987","service":"digitalpost"}`, 503, nil, "unavailable"},
		{`"2512489996"`, 400, nil, "json.type"},
		{`2512489996`, 400, nil, "json.type"},
		{`{"cpr":"25124899","service":"digitalpost"}`, 422, nil, "registration.invalid"},
		{`{"cpr":"2512489000","service":"digitalpost"}`, 500, nil, "internal"},
		{`{"2512489996":1}`, 400, nil, "json.unknown_field"},
		{`{"cvr":"55133018","service":"digitalpost"}`, 200, &yes, ""},
	}
	var body strings.Builder
	for _, l := range lines {
		body.WriteString(l.body + "\n")
	}
	n := 0
	err := h.client.Wash(t.Context(), strings.NewReader(body.String()), func(a WashLine) error {
		want := lines[n]
		n++
		if a.Line != n || a.Status != want.status || (a.Registered == nil) != (want.registered == nil) ||
			a.Registered != nil && *a.Registered != *want.registered || (a.Problem == nil) != (want.code == "") ||
			a.Problem != nil && a.Problem.Code != want.code {
			t.Errorf("line %d: %+v", n, a)
		}
		if a.Problem != nil && strings.Contains(a.Problem.Error(), "251248") {
			t.Errorf("line %d: the answer holds an identifier: %v", n, a.Problem)
		}
		return nil
	})
	if err != nil || n != len(lines) {
		t.Fatalf("%d answers, %v", n, err)
	}
	if strings.Contains(h.log.String(), "251248") {
		t.Errorf("the log holds an identifier: %s", h.log)
	}
	if err := h.client.Wash(t.Context(), strings.NewReader(""), func(WashLine) error { t.Error("an answer to nothing"); return nil }); err != nil {
		t.Error(err)
	}
}

func TestNoRegistry(t *testing.T) {
	t.Parallel()
	h := setup(t, breaking(gateway.ErrNoRegistry))
	_, err := h.client.Registration(t.Context(), &RegistrationRequest{CPR: "2512489996", Service: "nemsms"})
	wantProblem(t, err, http.StatusNotImplemented, "registration.none")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	h := setup(t)
	list, err := h.client.Errors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := ErrorView{
		Code: "NGDP-1", FarEnd: "NgDP", Outcome: "next", Hint: "Print it.", HintDA: "Print det.", Source: "a list", Date: "2026-11-21",
	}
	if n := len(list.Errors); n < 5 || list.Errors[n-1] != want || list.Errors[0].FarEnd != "brevdue" {
		t.Errorf("%+v", list)
	}
	held := h.hold(t, "sag-1")
	view, err := h.client.Intent(t.Context(), held.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := view.Events[len(view.Events)-1]
	if last.Hint == "" || !strings.Contains(last.HintDA, "frigiv") || view.Messages[0].Hint != last.Hint || view.Messages[0].HintDA != last.HintDA {
		t.Errorf("%+v, %+v", last, view.Messages[0])
	}
	feed, err := h.client.Events(t.Context(), 0, 0)
	if err != nil || feed.Events[1].Hint != last.Hint || feed.Events[0].Hint != "" {
		t.Errorf("%+v, %v", feed, err)
	}
}
