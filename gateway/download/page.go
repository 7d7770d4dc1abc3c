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
	"time"

	"github.com/brevdue/brevdue/actions"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var pageStyle string

// The pages and the fingerprint of their style are made once and never change.
var (
	pageTemplate = template.Must(template.New("page").Parse(pageSource))
	styleHash    = hashOf(pageStyle)
)

func hashOf(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// page is what the template shows. File is empty when there is nothing to fetch.
type page struct {
	Style   template.CSS
	Title   string
	Lines   []string
	File    string
	Name    string
	Details string
}

// The two pages without a file. The first is for every link that leads nowhere, whatever the reason.
var (
	gonePage = page{Title: "Linket virker ikke", Lines: []string{
		"Linket er udløbet, eller adressen er ikke skrevet helt som i mailen.",
		"Kontakt den myndighed, der har sendt dig mailen, hvis du stadig har brug for dokumentet.",
	}}
	laterPage = page{Title: "Prøv igen om lidt", Lines: []string{
		"Dokumentet kan ikke hentes lige nu. Vent et par minutter, og åbn linket igen.",
	}}
)

func (h handler) page(w http.ResponseWriter, r *http.Request, token string, doc Document, expires time.Time) {
	p := page{
		Title: "Hent dit dokument", File: token + "/" + fileSegment, Name: safeName(doc.Filename),
		Details: size(doc.Size),
		Lines:   []string{"Linket virker til og med " + day(expires.Add(-time.Second)) + "."},
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

// day is a day in Denmark: "9. december 2026".
func day(t time.Time) string {
	t = t.In(actions.Copenhagen())
	return actions.Dato(t) + " " + strconv.Itoa(t.Year())
}
