package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

// mailroom is a house with a real pipeline of inbound post behind the API.
type mailroom struct {
	*house

	service *inbound.Service
	files   *documents.Folder
	ids     atomic.Int64
}

// shelf lets a folder be the store of inbound post.
type shelf struct{ *documents.Folder }

func (s shelf) Stage(ctx context.Context, r io.Reader, limit int64) (inbound.Staged, error) {
	return s.Folder.Stage(ctx, r, limit)
}

// stubborn takes nothing now.
type stubborn struct{}

func (stubborn) Deliver(context.Context, *inbound.Parcel) inbound.Outcome {
	return inbound.Outcome{Verdict: inbound.Later, Code: "test"}
}

func (*queueFake) EnqueuePost(context.Context, gateway.DuePost) error { return nil }
func (*queueFake) EnsurePost(context.Context, gateway.DuePost) error  { return nil }

func newMailroom(t *testing.T) *mailroom {
	t.Helper()
	m := &mailroom{house: setup(t)}
	var err error
	if m.files, err = documents.Open("file:"+filepath.Join(t.TempDir(), "documents"), documents.Options{}); err != nil {
		t.Fatal(err)
	}
	rules, err := routing.Parse([]byte(`
targets: {esdh: {folder: /srv/esdh}, arkiv: {folder: /srv/arkiv}, boern: {folder: /srv/boern}, desk: {mail: post@testby.example}}
rules: []
default: desk
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]inbound.Target{}
	for _, x := range rules.Targets() {
		targets[x.Name] = stubborn{}
	}
	if m.service, err = inbound.New(inbound.Config{
		Journal: m.journal, Documents: shelf{m.files}, Queue: m.queue, Rules: rules, Targets: targets, Worker: "test",
		Now: clock, NewUUID: uuid.NewString, NewID: func(prefix string) string { return prefix + "_" + uuid.NewString() },
	}); err != nil {
		t.Fatal(err)
	}
	m.inbound = m.service
	m.serve(t, m.gateway, slog.New(slog.NewTextHandler(m.log, nil)))
	return m
}

func (m *mailroom) as(token string) *Client {
	return &Client{BaseURL: m.url, Token: token, HTTP: m.http}
}

func (m *mailroom) put(t *testing.T, r io.Reader) gateway.StoredFile {
	t.Helper()
	sum, size, err := m.files.Put(t.Context(), r, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.StoredFile{SHA256: sum, Size: size}
}

const (
	memoText     = "<memo>Nancy Ann Berggren</memo>"
	documentText = "<script>alert(1)</script> og æøå"
)

// arrive stores a post as the pipeline would.
func (m *mailroom) arrive(t *testing.T, change func(p *gateway.Post)) *gateway.Post {
	t.Helper()
	n := m.ids.Add(1)
	p := &gateway.Post{
		ID: fmt.Sprintf("inb_%026d", n), MessageUUID: uuid.NewString(), MessageID: "MSG-1", TransmissionID: uuid.NewString(),
		Source: gateway.PostPushed, ReceivedAt: clock(), State: gateway.PostQueued, DueAt: clock(), Target: "desk",
		Memo:  m.put(t, strings.NewReader(memoText)),
		Facts: []byte(`{"SenderType":"CPR","SenderID":"2512489996","Label":"Om min sag","KLE":"27.24.00","CaseIDs":["2026-0417"],"Forwarded":true}`),
		Documents: []gateway.PostDocument{{
			StoredFile: m.put(t, strings.NewReader(documentText)), Kind: "main", Filename: "../../æ\"b\r\n.html",
			SafeName: "æ_b.html", DeclaredType: "text/html", RealType: "text/html", Language: "da", Flags: []string{"markup.script"},
		}},
		Flags: []string{"markup.script"},
	}
	if change != nil {
		change(p)
	}
	if err := m.journal.Update(t.Context(), func(tx gateway.Tx) error {
		if _, err := tx.InsertPost(p, []byte(`{}`)); err != nil {
			return err
		}
		return tx.InsertPostEvent(&gateway.PostEvent{At: clock(), PostID: p.ID, State: p.State, Target: p.Target, Code: "received", Text: "Goes on."})
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func answering(producer string) func(p *gateway.Post) {
	return func(p *gateway.Post) {
		p.Answers = &gateway.Correlation{Producer: producer, IntentID: "int_1", Reference: "sag-1", MessageID: "msg_1", CaseID: "2026-0417"}
	}
}

func to(target string) func(p *gateway.Post) { return func(p *gateway.Post) { p.Target = target } }

func in(state gateway.PostState) func(p *gateway.Post) {
	return func(p *gateway.Post) {
		p.State, p.Target, p.DueAt = state, "esdh", time.Time{}
		if state.Final() {
			p.FinalAt = clock()
		}
	}
}

// TestWhoSeesWhichPost is the table of visibility: every caller at every post, by every road.
func TestWhoSeesWhichPost(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	posts := map[string]*gateway.Post{
		"of nobody":          m.arrive(t, nil),
		"of esdh":            m.arrive(t, to("esdh")),
		"of its archive":     m.arrive(t, to("arkiv")),
		"of boern":           m.arrive(t, to("boern")),
		"an answer to esdh":  m.arrive(t, answering("esdh")),
		"an answer to other": m.arrive(t, answering("other")),
		"both of esdh":       m.arrive(t, func(p *gateway.Post) { answering("esdh")(p); to("esdh")(p) }),
		"answer at boern":    m.arrive(t, func(p *gateway.Post) { answering("esdh")(p); to("boern")(p) }),
	}
	sees := map[string][]string{
		tokenESDH:  {"of esdh", "of its archive", "an answer to esdh", "both of esdh", "answer at boern"},
		tokenBoern: {"of boern", "answer at boern"},
		tokenPost:  {"of nobody", "of esdh", "of its archive", "of boern", "an answer to esdh", "an answer to other", "both of esdh", "answer at boern"},
	}
	for token, names := range sees {
		c := m.as(token)
		var listed, want []string
		for after := ""; ; {
			page, err := c.InboundPosts(t.Context(), InboundQuery{After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Posts {
				listed = append(listed, v.ID)
				if v.Facts != nil || v.Documents != nil || v.Events != nil {
					t.Errorf("a list tells %+v", v)
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
		for name, p := range posts {
			seen := slices.Contains(names, name)
			if seen {
				want = append(want, p.ID)
			}
			_, errView := c.InboundPost(t.Context(), p.ID)
			errMemo := c.InboundMemo(t.Context(), p.ID, io.Discard)
			errDocument := c.InboundDocument(t.Context(), p.ID, 0, io.Discard)
			for road, err := range map[string]error{"post": errView, "memo": errMemo, "document": errDocument} {
				problem, refused := errors.AsType[*Problem](err)
				if seen != (err == nil) || refused && problem.Code != codeNotFound {
					t.Errorf("%s: the %s of a post %s: %v", token, road, name, err)
				}
			}
		}
		slices.Sort(want)
		if !slices.Equal(listed, want) {
			t.Errorf("%s is listed %v, want %v", token, listed, want)
		}
	}
	// A decision or an answer is no road round it, and neither is a filter.
	hidden := posts["of boern"].ID
	for path, body := range map[string]string{
		"/redeliver": `{"reason":"a"}`, "/reroute": `{"target":"esdh","reason":"a"}`, "/close": `{"reason":"a"}`,
		"/reply": `{"reference":"a","sender":"jobcenter","content":{"text":"a"}}`,
	} {
		if a := m.ask(t, http.MethodPost, "/v1/inbound/"+hidden+path, body, "Authorization", "Bearer "+tokenESDH); a.status != http.StatusNotFound {
			t.Errorf("%s of another's post: %d %s", path, a.status, a.body)
		}
	}
	for _, q := range []InboundQuery{{Target: "desk"}, {MessageUUID: posts["of boern"].MessageUUID}, {State: "held"}} {
		page, err := m.as(tokenESDH).InboundPosts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Posts {
			if v.ID != posts["an answer to esdh"].ID {
				t.Errorf("%+v lists %s", q, v.ID)
			}
		}
	}
}

func TestAPostIsShownToItsOwner(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	p := m.arrive(t, func(p *gateway.Post) { answering("other")(p); to("esdh")(p) })
	v, err := m.as(tokenESDH).InboundPost(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v.Facts.Label != "Om min sag" || v.Facts.KLE != "27.24.00" || !v.Facts.Forwarded || v.Facts.Sender.CPR == "" ||
		strings.ContainsAny(v.Facts.Sender.CPR, "0123456789") || v.Documents[0].SafeName != "æ_b.html" || v.Documents[0].Flags[0] != "markup.script" ||
		v.Events[0].Code != "received" || v.Size != int64(len(memoText)) {
		t.Errorf("%+v", v)
	}
	if v.Answers != (InboundAnswers{CaseID: "2026-0417"}) {
		t.Errorf("another producer's letter is told: %+v", v.Answers)
	}
	if v, err = m.as(tokenPost).InboundPost(t.Context(), p.ID); err != nil || v.Answers.Reference != "sag-1" {
		t.Errorf("%+v, %v", v, err)
	}
	log := m.log.String()
	for _, want := range []string{"who=esdh how=token action=post.read object=" + p.ID, "who=posthus how=token action=post.read object=" + p.ID} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(log, "Om min sag") || strings.Contains(log, "2512489996") {
		t.Error("the log holds what the sender wrote")
	}
}

func TestAFileIsSavedAndNeverShown(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	p := m.arrive(t, to("esdh"))
	bearer := []string{"Authorization", "Bearer " + tokenESDH}
	for path, want := range map[string]struct{ media, body, name string }{
		"/memo":        {"application/xml", memoText, p.ID + ".xml"},
		"/documents/0": {"application/octet-stream", documentText, "filename*=utf-8''%C3%A6_b.html"},
	} {
		a := m.ask(t, http.MethodGet, "/v1/inbound/"+p.ID+path, "", bearer...)
		h := a.header
		if a.status != http.StatusOK || a.body != want.body || h.Get("Content-Type") != want.media ||
			!strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") || !strings.Contains(h.Get("Content-Disposition"), want.name) ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
			h.Get("Cache-Control") != "no-store" || h.Get("Content-Length") != strconv.Itoa(len(want.body)) {
			t.Errorf("%s: %d %v %q", path, a.status, h, a.body)
		}
		a = m.ask(t, http.MethodGet, "/v1/inbound/"+p.ID+path, "", append(bearer, "Range", "bytes=1-5")...)
		if a.status != http.StatusPartialContent || a.body != want.body[1:6] {
			t.Errorf("%s: a range is %d %q", path, a.status, a.body)
		}
		a = m.ask(t, http.MethodGet, "/v1/inbound/"+p.ID+path, "", append(bearer, "Range", "bytes=0-0,2-3", "If-None-Match", h.Get("ETag"))...)
		if a.status != http.StatusOK || a.body != want.body {
			t.Errorf("%s: two ranges are %d %q", path, a.status, a.body)
		}
		a = m.ask(t, http.MethodGet, "/v1/inbound/"+p.ID+path, "", append(bearer, "Range", "bytes=9999-")...)
		if a.status != http.StatusRequestedRangeNotSatisfiable || a.problem(t).Code != codeRange || a.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: a range outside is %d %v %q", path, a.status, a.header, a.body)
		}
		if a = m.ask(t, http.MethodGet, "/v1/inbound/"+p.ID+path, "", append(bearer, "Accept", "text/html")...); a.status != http.StatusNotAcceptable {
			t.Errorf("%s as HTML: %d", path, a.status)
		}
		if a = m.ask(t, http.MethodHead, "/v1/inbound/"+p.ID+path, "", bearer...); a.status != http.StatusOK || a.body != "" {
			t.Errorf("HEAD %s: %d %q", path, a.status, a.body)
		}
	}
}

func TestOddNamesAreNotThere(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	p := m.arrive(t, to("esdh"))
	for _, path := range []string{
		"/v1/inbound/inb_", "/v1/inbound/..%2F..%2Fetc%2Fpasswd", "/v1/inbound/..%2f", "/v1/inbound/%00", "/v1/inbound/%27%20OR%201=1--",
		"/v1/inbound/" + strings.Repeat("a", 4000), "/v1/inbound/" + strings.ToLower(p.ID) + "%20", "/v1/inbound/" + p.ID + "/documents/1",
		"/v1/inbound/" + p.ID + "/documents/-1", "/v1/inbound/" + p.ID + "/documents/00", "/v1/inbound/" + p.ID + "/documents/+0",
		"/v1/inbound/" + p.ID + "/documents/0x0", "/v1/inbound/" + p.ID + "/documents/..%2Fmemo",
		"/v1/inbound/" + p.ID + "/documents/99999999999999999999", "/v1/inbound/" + p.ID + "/nothing", "/v1/inbound/%C3%28",
	} {
		if a := m.ask(t, http.MethodGet, path, "", "Authorization", "Bearer "+tokenPost); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for query, want := range map[string]string{
		"state=lost": "/state", "limit=0": "/limit", "limit=501": "/limit", "limit=x": "/limit", "state=held&state=held": "/state", "producer=a": "",
	} {
		a := m.ask(t, http.MethodGet, "/v1/inbound?"+query, "", "Authorization", "Bearer "+tokenPost)
		problem := a.problem(t)
		if a.status != http.StatusBadRequest || want != "" && (len(problem.Errors) != 1 || problem.Errors[0].Pointer != want) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	gone := m.arrive(t, func(p *gateway.Post) {
		to("esdh")(p)
		p.Memo.SHA256 = strings.Repeat("0", 64)
	})
	if a := m.ask(t, http.MethodGet, "/v1/inbound/"+gone.ID+"/memo", "", "Authorization", "Bearer "+tokenESDH); a.status != http.StatusNotFound {
		t.Errorf("an erased file: %d %s", a.status, a.body)
	}
}

func TestScopesOfInboundPost(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	p := m.arrive(t, to("boern"))
	id := "/v1/inbound/" + p.ID
	const reason, answer = `{"reason":"a"}`, `{"reference":"a","sender":"jobcenter","content":{"text":"a"}}`
	for name, c := range map[string]struct {
		token, method, path, body string
		status                    int
	}{
		"no token":                      {"", http.MethodGet, id, "", 401},
		"no scope":                      {tokenHuske, http.MethodGet, id, "", 403},
		"no scope for the list":         {tokenHuske, http.MethodGet, "/v1/inbound", "", 403},
		"reading is not deciding":       {tokenBoern, http.MethodPost, id + "/close", reason, 403},
		"reading is not writing":        {tokenBoern, http.MethodPost, id + "/reply", answer, 403},
		"deciding is not releasing":     {tokenESDH, http.MethodPost, id + "/release", reason, 403},
		"operators do not write":        {tokenPost, http.MethodPost, id + "/reply", answer, 403},
		"operators of statuses are not": {tokenAdmin, http.MethodGet, id, "", 403},
	} {
		header := []string{"Authorization", "Bearer " + c.token}
		if c.token == "" {
			header[1] = ""
		}
		if a := m.ask(t, c.method, c.path, c.body, header...); a.status != c.status {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	none := setup(t) // a gateway without inbound post
	for _, path := range []string{"/v1/inbound/" + p.ID, "/v1/inbound/" + p.ID + "/memo"} {
		if a := none.ask(t, http.MethodGet, path, "", "Authorization", "Bearer "+tokenPost); a.status != http.StatusNotFound {
			t.Errorf("%s without inbound post: %d %s", path, a.status, a.body)
		}
	}
	if a := none.ask(t, http.MethodGet, "/v1/inbound", "", "Authorization", "Bearer "+tokenPost); a.body != `{"posts":[],"next":""}` {
		t.Errorf("the list without inbound post: %d %s", a.status, a.body)
	}
}

func TestDecisionsOnPosts(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	held, delivered := m.arrive(t, in(gateway.PostHeld)), m.arrive(t, in(gateway.PostDelivered))
	esdh, operator := m.as(tokenESDH), m.as(tokenPost)
	answer, err := esdh.RerouteInbound(t.Context(), held.ID, &InboundReroute{Target: "arkiv", Reason: "Hører til i arkivet"})
	if err != nil || *answer != (InboundAnswer{held.ID, "queued", "arkiv"}) {
		t.Errorf("%+v, %v", answer, err)
	}
	if answer, err = esdh.RedeliverInbound(t.Context(), delivered.ID, &InboundDecision{"Tabt"}); err != nil || answer.State != "queued" {
		t.Errorf("%+v, %v", answer, err)
	}
	if answer, err = esdh.CloseInbound(t.Context(), delivered.ID, &InboundDecision{"Dublet"}); err != nil || answer.State != "closed" {
		t.Errorf("%+v, %v", answer, err)
	}
	v, err := operator.InboundPost(t.Context(), delivered.ID)
	if err != nil {
		t.Fatal(err)
	}
	if e := v.Events[len(v.Events)-1]; e.Code != "closed" || e.By != "esdh" || e.Text != "Dublet" {
		t.Errorf("%+v", e)
	}
	for name, c := range map[string]struct {
		body, code, pointer string
		status              int
	}{
		"no reason":      {`{"target":"desk","reason":""}`, codeDecision, "/reason", 422},
		"a long reason":  {`{"target":"desk","reason":"` + strings.Repeat("å", 501) + `"}`, codeDecision, "/reason", 422},
		"two lines":      {`{"target":"desk","reason":"a\nb"}`, codeDecision, "/reason", 422},
		"unknown target": {`{"target":"månen","reason":"a"}`, codeDecision, "/target", 422},
		"no producer":    {`{"target":"producer","reason":"a"}`, codePostState, "", 409},
		"unknown member": {`{"target":"desk","reason":"a","by":"b"}`, codeUnknownField, "/by", 400},
		"a number":       {`{"target":"desk","reason":1}`, codeJSONType, "/reason", 400},
		"no JSON":        {`reason=a`, codeJSON, "", 400},
	} {
		a := m.ask(t, http.MethodPost, "/v1/inbound/"+held.ID+"/reroute", c.body, "Authorization", "Bearer "+tokenESDH)
		problem := a.problem(t)
		if a.status != c.status || problem.Code != c.code || c.pointer != "" && (len(problem.Errors) != 1 || problem.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if _, err := operator.ReleaseInbound(t.Context(), held.ID, &InboundDecision{"a"}); !isProblem(err, codePostState) {
		t.Errorf("released out of no quarantine: %v", err)
	}
}

func isProblem(err error, code string) bool {
	p, ok := errors.AsType[*Problem](err)
	return ok && p.Code == code
}

// TestWhatIsWithheld: neither quarantine nor the end of a post can be got round by those who own it.
func TestWhatIsWithheld(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	esdh, operator := m.as(tokenESDH), m.as(tokenPost)
	for _, state := range []gateway.PostState{gateway.PostQuarantined, gateway.PostClosed} {
		p := m.arrive(t, in(state))
		if v, err := esdh.InboundPost(t.Context(), p.ID); err != nil || v.State != string(state) {
			t.Errorf("the owner may know of it: %+v, %v", v, err)
		}
		_, errReroute := esdh.RerouteInbound(t.Context(), p.ID, &InboundReroute{"arkiv", "a"})
		_, errRedeliver := esdh.RedeliverInbound(t.Context(), p.ID, &InboundDecision{"a"})
		_, errClose := esdh.CloseInbound(t.Context(), p.ID, &InboundDecision{"a"})
		for what, err := range map[string]error{
			"memo": esdh.InboundMemo(t.Context(), p.ID, io.Discard), "document": esdh.InboundDocument(t.Context(), p.ID, 0, io.Discard),
			"reroute": errReroute, "redeliver": errRedeliver, "close": errClose,
		} {
			if !isProblem(err, codePostWithheld) {
				t.Errorf("%s of a post that is %s: %v", what, state, err)
			}
		}
		if err := operator.InboundDocument(t.Context(), p.ID, 0, io.Discard); err != nil {
			t.Error(err)
		}
		if state == gateway.PostQuarantined {
			if answer, err := operator.ReleaseInbound(t.Context(), p.ID, &InboundDecision{"Set efter"}); err != nil || answer.State != "queued" {
				t.Errorf("%+v, %v", answer, err)
			}
			if err := esdh.InboundDocument(t.Context(), p.ID, 0, io.Discard); err != nil {
				t.Errorf("a released document: %v", err)
			}
		}
	}
}

func TestHealthTellsOfInboundPost(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	if a := m.ask(t, http.MethodGet, "/healthz", ""); strings.Contains(a.body, "inbound") {
		t.Errorf("nothing waits: %s", a.body)
	}
	m.serve(t, m.gateway, slog.New(slog.DiscardHandler)) // the health is remembered for a while
	m.arrive(t, nil)
	m.arrive(t, nil)
	m.arrive(t, in(gateway.PostHeld))
	m.arrive(t, in(gateway.PostQuarantined))
	m.arrive(t, in(gateway.PostDelivered))
	if a := m.ask(t, http.MethodGet, "/healthz", ""); !strings.Contains(a.body,
		`"inbound":{"queued":2,"held":1,"quarantined":1,"oldestQueued":"2026-11-21T12:00:00Z"}`) {
		t.Errorf("%s", a.body)
	}
	a := m.ask(t, http.MethodGet, "/metrics", "")
	for _, want := range []string{
		`brevdue_inbound_posts{state="queued"} 2`, `brevdue_inbound_posts{state="held"} 1`, `brevdue_inbound_posts{state="quarantined"} 1`,
		`brevdue_inbound_oldest_queued_timestamp_seconds 1.7952624e+09`,
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// forward is a store whose files cannot be read from a later place, and break when told to.
type forward struct {
	Inbound

	err error // after four bytes; nil: never
}

func (f forward) OpenMemo(context.Context, *gateway.Post) (io.ReadCloser, error) {
	content := io.MultiReader(strings.NewReader(memoText))
	if f.err != nil {
		content = io.MultiReader(strings.NewReader(memoText[:4]), iotest.ErrReader(f.err))
	}
	return io.NopCloser(content), nil
}

func TestAStoreThatOnlyReadsForward(t *testing.T) {
	t.Parallel()
	m := newMailroom(t)
	p := m.arrive(t, to("esdh"))
	m.inbound = forward{Inbound: m.service}
	m.serve(t, m.gateway, slog.New(slog.DiscardHandler))
	path, bearer := "/v1/inbound/"+p.ID+"/memo", []string{"Authorization", "Bearer " + tokenESDH}
	a := m.ask(t, http.MethodGet, path, "", append(bearer, "Range", "bytes=1-2")...)
	if a.status != http.StatusOK || a.body != memoText || a.header.Get("Content-Length") != strconv.Itoa(len(memoText)) {
		t.Errorf("%d %v %q", a.status, a.header, a.body)
	}
	if a = m.ask(t, http.MethodHead, path, "", bearer...); a.status != http.StatusOK || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
	m.inbound = forward{m.service, errSecret}
	m.serve(t, m.gateway, slog.New(slog.DiscardHandler))
	client := &Client{BaseURL: m.url, Token: tokenESDH, HTTP: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(client.HTTP.CloseIdleConnections)
	if err := client.InboundMemo(t.Context(), p.ID, io.Discard); err == nil {
		t.Error("half a file looks like a whole one")
	}
}

// TestAnInboundFileIsStreamed reads a post of the largest size.
func TestAnInboundFileIsStreamed(t *testing.T) { //nolint:paralleltest // it measures what the whole process allocates
	const size = 99_500_000
	m := newMailroom(t)
	p := m.arrive(t, func(p *gateway.Post) {
		to("esdh")(p)
		p.Memo = m.put(t, io.LimitReader(zeros{}, size))
	})
	client := &Client{BaseURL: m.url, Token: tokenESDH, HTTP: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(client.HTTP.CloseIdleConnections)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h := sha256.New()
	if err := client.InboundMemo(t.Context(), p.ID, h); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if sum := hex.EncodeToString(h.Sum(nil)); sum != p.Memo.SHA256 {
		t.Errorf("it came as %s", sum)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes allocated for %d bytes, server and client together", allocated, size)
	if allocated > 4<<20 {
		t.Errorf("%d bytes were allocated", allocated)
	}
}
