package serve

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// town is a whole gateway that is not run: its API and console, over a real journal.
type town struct {
	app *App
	api *httpapi.Server
	web *httptest.Server
	log *syncedLog
	ids map[string]string // of what the walk is about, by the folder of the path
}

// syncedLog is a log that many may write.
type syncedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func sha(word string) string {
	sum := sha256.Sum256([]byte(word))
	return hex.EncodeToString(sum[:])
}

const marker = "Om min hemmelige sag"

// newTown opens one with two producers, a program of operators, and an operator of each role; the token or password of each
// is its name and "-word".
func newTown(t *testing.T) *town {
	t.Helper()
	dir := t.TempDir()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := a.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	certFile, keyFile, caFile := filepath.Join(dir, sf1601test.FileClient), filepath.Join(dir, sf1601test.FileClientKey), filepath.Join(dir, sf1601test.FileCA)
	routes := file("routes.yaml", []byte("targets: {desk: {folder: \""+dir+"\"}}\nrules: []\ndefault: desk\n"))
	both := []string{"intents:write", "intents:read", "inbound:read", "inbound:decide"}
	cfg, err := config.Parse(&config.Config{
		HTTP:      config.HTTP{Listen: "127.0.0.1:0"},
		Journal:   config.Journal{URL: "sqlite:" + filepath.Join(dir, "journal.db")},
		Documents: config.Documents{URL: "file:" + filepath.Join(dir, "documents")},
		Serviceplatformen: config.Serviceplatformen{
			Environment: "custom", STSURL: "https://127.0.0.1:1", BaseURL: "https://127.0.0.1:1", CAFile: caFile,
			CertificateFile: certFile, KeyFile: keyFile, CVR: "55133018",
		},
		Beskedfordeler: config.Beskedfordeler{Mode: "off"},
		SF1606: config.SF1606{
			Listen: "127.0.0.1:0", CertificateFile: certFile, KeyFile: keyFile, ClientCAFile: caFile, RoutesFile: routes,
		},
		Senders: map[string]config.Sender{"jobcenter": {CVR: "55133018", Label: "Testby Kommune", From: "j@testby.example", Forsendelsestype: 4711}},
		Producers: []config.Producer{
			{Name: "owner", TokenSHA256: sha("owner-word"), Scopes: both},
			{Name: "stranger", TokenSHA256: sha("stranger-word"), Scopes: both},
			{Name: "program", TokenSHA256: sha("program-word"), Scopes: []string{"receipts:admin", "inbound:admin"}},
		},
		Operators: []config.Operator{
			{Name: "reader", TokenSHA256: sha("reader-word"), Roles: []string{"reader"}},
			{Name: "operator", TokenSHA256: sha("operator-word"), Roles: []string{"operator"}},
			{Name: "administrator", TokenSHA256: sha("administrator-word"), Roles: []string{"administrator"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &town{log: &syncedLog{}, ids: make(map[string]string)}
	opts := Options{Roles: Roles{RoleAPI, RoleInbound}, Migrate: true, Logger: slog.New(slog.NewTextHandler(w.log, nil))}
	if w.app, err = New(t.Context(), cfg, opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.app.Close)
	// The listener's handler has limits around it: the routes are known to what is inside, made once more.
	if err := w.app.console.Close(); err != nil {
		t.Fatal(err)
	}
	handler, err := w.app.apiHandler()
	if err != nil {
		t.Fatal(err)
	}
	api, ok := handler.(*httpapi.Server)
	if !ok {
		t.Fatalf("the handler is a %T: the walk cannot know its routes", handler)
	}
	w.api = api
	w.web = httptest.NewUnstartedServer(nil)
	w.web.Config = httpapi.NewHTTPServer("", api, nil)
	w.web.Start()
	t.Cleanup(w.web.Close)
	w.furnish(t)
	return w
}

// person is somebody who walks.
type person struct {
	name   string
	token  string
	cookie string
}

// login gets the cookie of an operator.
func (w *town) login(t *testing.T, name string) person {
	t.Helper()
	form := url.Values{"name": {name}, "password": {name + "-word"}}
	got := w.ask(t, person{}, http.MethodPost, "/console/login", form.Encode(), "application/x-www-form-urlencoded")
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if got.status != http.StatusSeeOther || cookie == "" {
		t.Fatalf("%s cannot log in: %d %s", name, got.status, got.body)
	}
	return person{name: name, cookie: cookie}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (w *town) ask(t *testing.T, p person, method, path, body, media string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.web.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	if p.cookie != "" {
		req.Header.Set("Cookie", p.cookie)
	}
	resp, err := w.web.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{resp.StatusCode, resp.Header, string(content)}
}

const intent = `{"reference": %q, "sender": "jobcenter", "recipient": {"cpr": "2512489996", "name": "Nancy Ann Berggren"},
	"routes": [["digitalpost"]], "content": {"title": "Indkaldelse", "text": "` + marker + `"}}`

// furnish makes one of everything, of the owner.
func (w *town) furnish(t *testing.T) {
	t.Helper()
	owner := person{token: "owner-word"}
	got := w.ask(t, owner, http.MethodPost, "/v1/intents", fmt.Sprintf(intent, "sag-1"), "application/json")
	var made struct {
		ID       string `json:"id"`
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || len(made.Messages) != 1 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.ids["intents"], w.ids["messages"] = made.ID, made.Messages[0].ID
	got = w.ask(t, owner, http.MethodPost, "/v1/batches", strings.ReplaceAll(fmt.Sprintf(intent, "sag-2"), "\n", " ")+"\n", "application/x-ndjson")
	if w.ids["batches"] = batchID.FindString(got.body); w.ids["batches"] == "" {
		t.Fatalf("%d %v %s", got.status, got.header, got.body)
	}
	raw := []byte("<" + marker)
	if err := w.app.gateway.KeepUnreadable(t.Context(), raw, "is not XML"); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	w.ids["receipts"] = hex.EncodeToString(sum[:])
	for _, id := range []string{"urn:besked/1", "urn:besked/2"} { // one to match, one to go on waiting
		if _, err := w.app.gateway.Settle(t.Context(), gateway.Receipt{
			ID: id, Kind: gateway.ReceiptDelivered, MessageUUID: uuid.NewString(), Raw: raw, OccurredAt: time.Now(), ReceivedAt: time.Now(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	w.ids["receipts/match"] = "urn:besked/1"
	w.ids["inbound"] = w.arrive(t, gateway.PostHeld)
	w.ids["inbound/release"] = w.arrive(t, gateway.PostQuarantined)
}

// id is what a route is walked with: of the decision where that needs another state, and else of the folder.
func (w *town) id(path string) string {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, "/v1/"), "/console/"), "/")
	if id := w.ids[parts[0]+"/"+parts[len(parts)-1]]; id != "" {
		return id
	}
	return w.ids[parts[0]]
}

var batchID = regexp.MustCompile(`batch_[0-9A-Z]{26}`)

// arrive stores a post that answers the owner's letter.
func (w *town) arrive(t *testing.T, state gateway.PostState) string {
	t.Helper()
	put := func(text string) gateway.StoredFile {
		sum, size, err := w.app.documents.Put(t.Context(), strings.NewReader(text), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return gateway.StoredFile{SHA256: sum, Size: size}
	}
	memo, err := os.ReadFile(filepath.Join("..", "testdata", "routes", "ansoegning.xml"))
	if err != nil {
		t.Fatal(err)
	}
	p := &gateway.Post{
		ID: newID("inb"), MessageUUID: uuid.NewString(), MessageID: "MSG-1", TransmissionID: uuid.NewString(), Source: gateway.PostPushed,
		ReceivedAt: time.Now().UTC(), State: state, Target: "desk", Memo: put(strings.Replace(string(memo), "<memo:label>", "<memo:label>"+marker+" ", 1)),
		Facts:     []byte(`{"SenderType":"CPR","SenderID":"2512489996","Label":"` + marker + `"}`),
		Documents: []gateway.PostDocument{{StoredFile: put("%PDF " + marker), Kind: "main", Filename: "a.pdf", SafeName: "a.pdf", Language: "da"}},
		Answers:   &gateway.Correlation{Producer: "owner", IntentID: w.ids["intents"], Reference: "sag-1", MessageID: w.ids["messages"]},
	}
	if err := w.app.journal.Update(t.Context(), func(tx gateway.Tx) error {
		if _, err := tx.InsertPost(p, []byte(`{}`)); err != nil {
			return err
		}
		return tx.InsertPostEvent(&gateway.PostEvent{At: p.ReceivedAt, PostID: p.ID, State: p.State, Target: p.Target, Code: "received"})
	}); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// step is a route with what is needed to walk it.
type step struct{ method, path, needs string }

// steps are all routes of API and console, as they are registered: a new route is walked without anybody thinking of it.
func (w *town) steps() []step {
	var list []step
	for _, r := range w.api.Routes() {
		if r.Method == "" && r.Path != "/console/" {
			continue // the answers of other methods, and for what there is not
		}
		if r.Path != "/console/" {
			list = append(list, step{r.Method, r.Path, string(r.Scope)})
		}
	}
	for _, r := range w.app.console.Routes() {
		list = append(list, step{r.Method, r.Path, string(r.Needs)})
	}
	slices.SortFunc(list, func(a, b step) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return list
}

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// target is the path with the ids of the owner's things in it.
func (w *town) target(s step) string {
	path := wildcard.ReplaceAllStringFunc(s.path, func(name string) string {
		switch name {
		case "{id}":
			return url.PathEscape(w.id(s.path))
		case "{n}":
			return "0"
		case "{name}":
			return "console.css"
		default:
			return ""
		}
	})
	switch {
	case strings.HasSuffix(path, "/decide"), strings.HasSuffix(path, "/raw") && strings.HasPrefix(path, "/console/"), strings.HasSuffix(path, "/evidence") && strings.HasPrefix(path, "/console/"):
		path += "?id=" + url.QueryEscape(w.id(s.path))
	case path == "/v1/receipts":
		path += "?state=unreadable"
	case path == "/v1/documents":
		path += "?filename=a.txt"
	}
	return path
}

// body is what a route wants to be sent.
func (w *town) body(t *testing.T, s step, operator person) (body, media string) {
	t.Helper()
	const reason = `{"reason": "walk"}`
	switch {
	case s.method != http.MethodPost:
		return "", ""
	case s.path == "/console/login":
		return "name=x&password=y", "application/x-www-form-urlencoded"
	case strings.HasPrefix(s.path, "/console/"):
		return w.form(t, s, operator).Encode(), "application/x-www-form-urlencoded"
	}
	switch s.path {
	case "/v1/intents":
		return fmt.Sprintf(intent, "sag-"+newID("x")), "application/json"
	case "/v1/batches":
		return strings.ReplaceAll(fmt.Sprintf(intent, "sag-"+newID("x")), "\n", " ") + "\n", "application/x-ndjson"
	case "/v1/documents":
		return "text", "text/plain"
	case "/v1/callbacks/replay":
		return `{"from": 1, "to": 2}`, "application/json"
	case "/v1/inbound/{id}/reroute":
		return `{"target": "desk", "reason": "walk"}`, "application/json"
	case "/v1/inbound/{id}/reply":
		return `{"reference": "svar-` + newID("x") + `", "sender": "jobcenter", "routes": [["digitalpost"]], "content": {"title": "Svar", "text": "Tak"}}`, "application/json"
	case "/v1/registrations":
		return `{"cpr": "2512489996", "service": "digitalpost"}`, "application/json"
	case "/v1/registrations/wash":
		return `{"cpr": "2512489996", "service": "digitalpost"}` + "\n", "application/x-ndjson"
	case "/v1/receipts/{id}/match":
		return `{"message": "` + w.ids["messages"] + `", "reason": "walk"}`, "application/json"
	case "/v1/intents/{id}/cancel", "/v1/receipts/rematch", "/v1/receipts/{id}/retry":
		return "", ""
	default:
		return reason, "application/json"
	}
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// form is a form as the operator has it; a reader who got hold of it is to fail all the same.
func (w *town) form(t *testing.T, s step, operator person) url.Values {
	t.Helper()
	folder, _, _ := strings.Cut(strings.TrimPrefix(s.path, "/console/"), "/")
	at, id := "/console/"+folder+"/decide?id="+url.QueryEscape(w.id(s.path)), w.id(s.path)
	if s.path == "/console/receipts/rematch" {
		at, id = "/console/statuses", ""
	}
	page := w.ask(t, operator, http.MethodGet, at, "", "")
	_, rest, _ := strings.Cut(page.body, `action="`+s.path+`"`)
	f := url.Values{"id": {id}, "reason": {"walk"}, "target": {"desk"}, "outcome": {"failed"}, "message": {w.ids["messages"]}}
	if m := formToken.FindStringSubmatch(rest); m != nil {
		f.Set("token", m[1])
	}
	return f
}

var update = os.Getenv("UPDATE_DOCS") != ""

// accessDoc holds the table.
var accessDoc = filepath.Join("..", "..", "..", "docs", "access.md")

const (
	tableStart = "<!-- walk: written by UPDATE_DOCS=1 go test ./cmd/brevdue/serve -run TestStrangersWalk -->\n"
	tableEnd   = "<!-- /walk -->"
)

// TestStrangersWalk asks for every route of API and console as everybody, and holds docs/access.md to what each got.
func TestStrangersWalk(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	operator := w.login(t, "operator")
	walkers := []person{
		{name: "nobody"}, {name: "stranger", token: "stranger-word"}, w.login(t, "reader"), w.login(t, "administrator"), operator,
		{name: "program", token: "program-word"}, {name: "owner", token: "owner-word"},
	}
	steps := w.steps()
	if len(steps) < 50 {
		t.Fatalf("only %d routes: are they all listed?", len(steps))
	}
	got := make(map[step]map[string]reply)
	for _, s := range steps {
		got[s] = make(map[string]reply)
	}
	before := w.state(t)
	for _, p := range walkers {
		if now := w.state(t); p.name == operator.name && now != before {
			t.Errorf("something of the owner's was changed by somebody who may change nothing of it:\n%s\n%s", before, now)
		}
		for _, s := range steps {
			if s.path == "/console/logout" {
				continue // its session is needed; the console's own tests log out
			}
			body, media := w.body(t, s, operator)
			got[s][p.name] = w.ask(t, p, s.method, w.target(s), body, media)
		}
	}
	var table strings.Builder
	table.WriteString("| route | needs | nobody | another producer | its producer | operators' program | reader | operator | administrator |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range steps {
		if s.path == "/console/logout" {
			continue
		}
		fmt.Fprintf(&table, "| `%s %s` | %s |", s.method, s.path, cmp.Or(s.needs, "-"))
		for _, name := range []string{"nobody", "stranger", "owner", "program", "reader", "operator", "administrator"} {
			fmt.Fprintf(&table, " %d |", got[s][name].status)
		}
		table.WriteByte('\n')
		w.judge(t, s, got[s])
	}
	w.compareTable(t, table.String())
	if strings.Contains(w.log.String(), marker) || strings.Contains(w.log.String(), "-word") || strings.Contains(w.log.String(), "251248") {
		t.Error("the log holds a token, a number or a letter")
	}
}

// state is what the owner sees of its own.
func (w *town) state(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"/v1/intents", "/v1/events"} {
		all.WriteString(w.ask(t, person{token: "owner-word"}, http.MethodGet, path, "", "").body)
	}
	_, events, err := w.app.inbound.Post(t.Context(), w.ids["inbound"])
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&all, len(events))
	return all.String()
}

// judge knows the rules that hold for every route, also for those that come later.
func (w *town) judge(t *testing.T, s step, got map[string]reply) {
	t.Helper()
	say := func(who string) {
		t.Errorf("%s %s: %s got %d %.200s", s.method, s.path, who, got[who].status, got[who].body)
	}
	for who, r := range got {
		if strings.Contains(r.body, marker) && who != "owner" && who != "program" && who != "operator" {
			t.Errorf("%s %s: %s got a letter", s.method, s.path, who)
		}
		if r.status == http.StatusInternalServerError {
			say(who)
		}
	}
	if s.needs == "" {
		return
	}
	if r := got["nobody"]; r.status != http.StatusUnauthorized {
		say("nobody")
	}
	if strings.HasPrefix(s.path, "/console/") {
		for _, who := range []string{"stranger", "owner", "program"} {
			if got[who].status != http.StatusUnauthorized {
				say(who) // a token opens no page
			}
		}
		for _, who := range []string{"reader", "operator", "administrator"} {
			role := map[string]access.Role{"reader": access.Reader, "operator": access.OperatorRole, "administrator": access.Administrator}[who]
			may := access.Operator{Roles: []access.Role{role}}.May(access.Permission(s.needs))
			if may == (got[who].status == http.StatusForbidden) {
				say(who)
			}
		}
		return
	}
	for _, who := range []string{"reader", "operator", "administrator"} {
		if got[who].status != http.StatusUnauthorized {
			say(who) // a session opens no route of the API
		}
	}
	if strings.Contains(s.path, "{id}") && strings.HasPrefix(s.needs, "in") && !strings.HasSuffix(s.needs, ":admin") &&
		got["stranger"].status != http.StatusNotFound {
		say("stranger") // what is another's is not there
	}
	if strings.HasSuffix(s.needs, ":admin") && (got["stranger"].status != http.StatusForbidden || got["owner"].status != http.StatusForbidden) {
		say("stranger")
	}
}

// compareTable holds the document to the walk.
func (w *town) compareTable(t *testing.T, table string) {
	t.Helper()
	raw, err := os.ReadFile(accessDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), tableStart)
	old, after, closed := strings.Cut(rest, tableEnd)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", accessDoc)
	}
	if old == table {
		return
	}
	if !update {
		t.Errorf("%s has another table; see what changed, then run with UPDATE_DOCS=1. The walk says:\n%s", accessDoc, table)
		return
	}
	if err := os.WriteFile(accessDoc, []byte(before+tableStart+table+tableEnd+after), 0o600); err != nil {
		t.Fatal(err)
	}
}
