package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is openapi.yaml as a client gets it, with compiled schemas.
type document struct {
	raw      map[string]any
	compiler *jsonschema.Compiler
	paths    map[string]*regexp.Regexp
	mu       sync.Mutex // of the compiler
}

const documentURL = "https://brevdue.example/openapi.json"

// theDocument is read once for all tests and does not change.
var theDocument = sync.OnceValues(func() (*document, error) {
	source, err := openAPI("test")
	if err != nil {
		return nil, err
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		return nil, err
	}
	object, ok := raw.(map[string]any)
	if !ok {
		return nil, errors.New("openapi.yaml is no object")
	}
	d := &document{raw: object, compiler: jsonschema.NewCompiler(), paths: make(map[string]*regexp.Regexp)}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, raw); err != nil {
		return nil, err
	}
	paths, ok := d.raw["paths"].(map[string]any)
	if !ok {
		return nil, errors.New("openapi.yaml has no paths")
	}
	for path := range paths {
		d.paths[path] = regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "$")
	}
	return d, nil
})

func mustDocument(t testing.TB) *document {
	t.Helper()
	d, err := theDocument()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at walks the document, following $ref, and returns the value with the pointer where it stands.
func (d *document) at(pointer string) (any, string) {
	var value any = d.raw
	where := ""
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, ""
		}
		value, ok = object[strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")]
		if !ok {
			return nil, ""
		}
		where += "/" + token
		if object, ok := value.(map[string]any); ok {
			if ref, ok := object["$ref"].(string); ok && !strings.Contains(ref, "/schemas/") {
				value, where = d.at(strings.TrimPrefix(ref, "#"))
			}
		}
	}
	return value, where
}

func (d *document) validate(schemaAt string, body []byte) error {
	d.mu.Lock()
	schema, err := d.compiler.Compile(documentURL + "#" + strings.ReplaceAll(strings.ReplaceAll(schemaAt, "{", "%7B"), "}", "%7D"))
	d.mu.Unlock()
	if err != nil {
		return fmt.Errorf("schema %s: %w", schemaAt, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	return schema.Validate(value)
}

func escape(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1") }

// check holds one exchange against the document.
func (d *document) check(r *http.Request, sent []byte, resp *http.Response, got []byte) error {
	var path string
	for p, pattern := range d.paths {
		if pattern.MatchString(r.URL.EscapedPath()) {
			path = p
		}
	}
	method := strings.ToLower(r.Method)
	operation := "/paths/" + escape(path) + "/" + method
	value, _ := d.at(operation)
	if path == "" || value == nil {
		// What is not in the document is not there.
		if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusMethodNotAllowed || strings.HasPrefix(r.URL.Path, "/docs") || method == "head" {
			return nil
		}
		return fmt.Errorf("the document has no %s %s, which answers %d", r.Method, r.URL.Path, resp.StatusCode)
	}
	answered, at := d.at(operation + "/responses/" + strconv.Itoa(resp.StatusCode))
	if answered == nil {
		return fmt.Errorf("the document does not say that %s %s may answer %d", r.Method, path, resp.StatusCode)
	}
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	content, contentAt := d.at(at + "/content/" + escape(media))
	if content == nil {
		return fmt.Errorf("the document does not say that %d of %s %s may be %q", resp.StatusCode, r.Method, path, media)
	}
	if media == mediaLines {
		for one := range bytes.Lines(got) {
			if err := d.validate(contentAt+"/schema", one); err != nil {
				return fmt.Errorf("a line of %s %s: %w\n%s", r.Method, path, err, one)
			}
		}
	} else if strings.HasSuffix(media, "json") {
		if err := d.validate(contentAt+"/schema", got); err != nil {
			return fmt.Errorf("%d of %s %s: %w\n%s", resp.StatusCode, r.Method, path, err, got)
		}
	}
	if resp.StatusCode < 300 && len(sent) > 0 {
		_, requestAt := d.at(operation + "/requestBody/content/application~1json")
		if requestAt != "" {
			if err := d.validate(requestAt+"/schema", sent); err != nil {
				return fmt.Errorf("%s %s took a body that the document forbids: %w", r.Method, path, err)
			}
		}
	}
	return nil
}

// watched is the way of every request of this package's tests: each is held against the document.
type watched struct {
	t    *testing.T
	next http.RoundTripper
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	d := mustDocument(w.t)
	var sent []byte
	if r.Body != nil && r.URL.Path != "/v1/documents" {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if err := d.check(r, sent, resp, got); err != nil {
		w.t.Error(err)
	}
	return resp, nil
}

// TestDocumentNamesEveryRoute compares the table of routes with the document, in both directions.
func TestDocumentNamesEveryRoute(t *testing.T) {
	t.Parallel()
	d := mustDocument(t)
	served := map[string]Scope{
		"GET /healthz": "", "GET /readyz": "", "GET /metrics": "", "GET /openapi.json": "",
	}
	for _, r := range routes() {
		served[r.method+" "+r.path] = r.scope
	}
	for line, scope := range served {
		method, path, _ := strings.Cut(line, " ")
		operation, _ := d.at("/paths/" + escape(path) + "/" + strings.ToLower(method))
		if operation == nil {
			t.Errorf("the document lacks %s", line)
			continue
		}
		description, _ := operation.(map[string]any)["description"].(string)
		if scope != "" && !strings.Contains(description, string(scope)) {
			t.Errorf("%s: the document does not name the scope %s", line, scope)
		}
	}
	for path := range d.paths {
		item, _ := d.at("/paths/" + escape(path))
		methods, ok := item.(map[string]any)
		if !ok {
			t.Fatalf("%s is no object", path)
		}
		for method := range methods {
			if _, ok := served[strings.ToUpper(method)+" "+path]; !ok {
				t.Errorf("the document has %s %s, which nobody serves", method, path)
			}
		}
	}
}

// TestDocumentListsEveryStatusOfTheRenderer: what every route may answer is in the document for every route.
func TestDocumentListsEveryStatusOfTheRenderer(t *testing.T) {
	t.Parallel()
	d := mustDocument(t)
	for _, r := range routes() {
		for _, status := range []int{400, 401, 403, 406, 500, 503} {
			at := "/paths/" + escape(r.path) + "/" + strings.ToLower(r.method) + "/responses/" + strconv.Itoa(status)
			if found, _ := d.at(at); found == nil {
				t.Errorf("%s %s lacks %d", r.method, r.path, status)
			}
		}
	}
}

// TestExampleIsAccepted: what the document shows can be posted.
func TestExampleIsAccepted(t *testing.T) {
	t.Parallel()
	h := setup(t)
	value, _ := mustDocument(t).at("/components/examples/Appointment/value")
	body, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if a := h.ask(t, http.MethodPost, "/v1/intents", string(body)); a.status != http.StatusAccepted {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	a := setup(t).ask(t, http.MethodGet, "/openapi.json", "", "Authorization", "")
	var got struct {
		OpenAPI string `json:"openapi"`
		Info    struct {
			Version string `json:"version"`
		} `json:"info"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	if a.status != http.StatusOK || got.OpenAPI != "3.1.0" || got.Info.Version != "1.2.3" {
		t.Errorf("%d %+v", a.status, got)
	}
}

// TestWatcherFails: the watcher itself finds what it is there to find.
func TestWatcherFails(t *testing.T) {
	t.Parallel()
	d := mustDocument(t)
	for name, c := range map[string]struct {
		method, path, contentType, sent, got string
		status                               int
	}{
		"unknown route":      {"GET", "/v1/strangers", "application/json", "", `{}`, 200},
		"unknown status":     {"GET", "/v1/intents", "application/json", "", `{"intents":[],"next":""}`, 202},
		"unknown media type": {"GET", "/v1/intents", "text/html", "", `{"intents":[],"next":""}`, 200},
		"unknown member":     {"GET", "/v1/intents", "application/json", "", `{"intents":[],"next":"","more":1}`, 200},
		"missing member":     {"GET", "/v1/intents", "application/json", "", `{"intents":[]}`, 200},
		"CPR in an answer":   {"GET", "/v1/intents/int_1", "application/json", "", `{"id":"int_1","reference":"r","sender":"s","status":"accepted","createdAt":"2026-11-21T12:00:00Z","messages":[],"recipient":{"cpr":"2512489996"}}`, 200},
		"bad request taken":  {"POST", "/v1/intents", "application/json", `{"reference":"a"}`, `{"id":"int_1","status":"accepted","messages":[]}`, 202},
		"no problem":         {"GET", "/v1/events", "application/problem+json", "", `{"error":"x"}`, 400},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://127.0.0.1"+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.contentType}}}
		if d.check(r, []byte(c.sent), resp, []byte(c.got)) == nil {
			t.Errorf("%s is not noticed", name)
		}
	}
}
