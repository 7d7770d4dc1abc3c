package httpapi

import (
	_ "embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/swaggest/swgui/v5emb"
)

//go:embed openapi.yaml
var openAPIYAML string

//go:embed docs.html
var docsHTML []byte

//go:embed docs.js
var docsJS []byte

// docsPolicy lets the page at /docs/ load what this server serves and nothing else. Swagger UI sets style attributes
// and has its icons as data URLs.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// openAPI makes the JSON of the document that people edit as YAML.
func openAPI(version string) ([]byte, error) {
	source := strings.Replace(openAPIYAML, "version: VERSION", "version: "+strconv.Quote(version), 1)
	document, err := yaml.YAMLToJSON([]byte(source))
	if err != nil {
		return nil, fmt.Errorf("httpapi: openapi.yaml: %w", err)
	}
	return document, nil
}

// docs is the readable API: Swagger UI from the binary, with a page of ours, because its own has a script inside.
func docs() map[string]func(w http.ResponseWriter, r *http.Request) error {
	assets := v5emb.New("brevdue", "/openapi.json", "/docs/")
	fixed := func(contentType string, body []byte) func(w http.ResponseWriter, r *http.Request) error {
		return func(w http.ResponseWriter, _ *http.Request) error {
			docsHeader(w)
			w.Header().Set("Content-Type", contentType)
			_, err := w.Write(body)
			return err //nolint:wrapcheck // the answer has begun; there is nobody to tell
		}
	}
	pages := map[string]func(w http.ResponseWriter, r *http.Request) error{
		"GET /docs": func(w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, "/docs/", http.StatusPermanentRedirect)
			return nil
		},
		"GET /docs/{$}":     fixed("text/html; charset=utf-8", docsHTML),
		"GET /docs/docs.js": fixed("text/javascript; charset=utf-8", docsJS),
	}
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"} {
		pages["GET /docs/"+name] = func(w http.ResponseWriter, r *http.Request) error {
			docsHeader(w)
			assets.ServeHTTP(w, r)
			return nil
		}
	}
	return pages
}

func docsHeader(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", docsPolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
}
