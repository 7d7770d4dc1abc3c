package download

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/actions"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var pageStyle string

// The page and the fingerprint of its style are made once and never change.
var (
	pageTemplate = template.Must(template.New("page").Parse(pageSource))
	styleHash    = sync.OnceValue(func() string {
		sum := sha256.Sum256([]byte(pageStyle))
		return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	})
)

// page is what the template shows. File is empty when there is nothing to fetch.
type page struct {
	Style   template.CSS
	Title   string
	Lines   []string
	File    string
	Name    string
	Details string
}

// gonePage is for every link that leads nowhere, whatever the reason.
func gonePage() page {
	return page{Title: "Linket virker ikke", Lines: []string{
		"Linket er udløbet, eller adressen er ikke skrevet helt som i mailen.",
		"Kontakt den myndighed, der har sendt dig mailen, hvis du stadig har brug for dokumentet.",
	}}
}

// laterPage is for a document that is there and cannot be read now.
func laterPage() page {
	return page{Title: "Prøv igen om lidt", Lines: []string{
		"Dokumentet kan ikke hentes lige nu. Vent et par minutter, og åbn linket igen.",
	}}
}

func (h handler) page(w http.ResponseWriter, r *http.Request, token string, doc Document, expires time.Time) {
	p := page{
		Title: "Hent dit dokument", File: token + "/" + fileSegment, Name: safeName(doc.Filename),
		Details: size(doc.Size),
		Lines:   []string{"Linket virker til " + moment(expires) + "."},
	}
	if doc.From != "" {
		p.Lines = append([]string{"Dokumentet er sendt til dig af " + doc.From + "."}, p.Lines...)
	}
	h.render(w, r, http.StatusOK, p)
}

func (h handler) render(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.Style = template.CSS(pageStyle) //nolint:gosec // our own file
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		h.cfg.Logger.ErrorContext(r.Context(), "download: render", "error", err)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", "da")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = b.WriteTo(w)
	}
}

// size is a number of bytes in Danish: "850 byte", "12,3 MB".
func size(n int64) string {
	const kilo = 1000
	if n < kilo {
		return strconv.FormatInt(n, 10) + " byte"
	}
	f, unit := float64(n)/kilo, "kB"
	if n >= kilo*kilo-kilo/2 {
		f, unit = float64(n)/(kilo*kilo), "MB"
		return strings.Replace(strconv.FormatFloat(f, 'f', 1, 64), ".", ",", 1) + " " + unit
	}
	return strconv.FormatFloat(f, 'f', 0, 64) + " " + unit
}

// moment is a time in Denmark: "9. december 2026 kl. 13.00".
func moment(t time.Time) string {
	t = t.In(actions.Copenhagen())
	return actions.Dato(t) + " " + strconv.Itoa(t.Year()) + " kl. " + t.Format("15.04")
}
