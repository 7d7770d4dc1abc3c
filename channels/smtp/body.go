package smtp

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed body.html
var bodySource string

// bodyTemplate is made once and never changes.
var bodyTemplate = template.Must(template.New("body").Parse(bodySource))

// plain is the text of the mail for programs that show no HTML.
func (p *plan) plain() string {
	var b strings.Builder
	b.WriteString(p.text + "\n")
	if len(p.actions) > 0 {
		b.WriteString("\n")
	}
	for _, a := range p.actions {
		b.WriteString(a.text)
		if a.url != "" {
			b.WriteString(":\n" + a.url)
		}
		b.WriteString("\n")
	}
	if len(p.calendars) > 0 {
		b.WriteString("\n" + p.calendarNote() + "\n")
	}
	if len(p.files) > 0 {
		b.WriteString("\n")
	}
	for _, f := range p.files {
		if f.url == "" {
			b.WriteString("Vedhæftet: " + f.name + " (" + f.size + ")\n")
		} else {
			b.WriteString("Hent " + f.name + " (" + f.size + ") senest " + f.until + ":\n" + f.url + "\n")
		}
	}
	if p.sender != "" {
		b.WriteString("\n-- \n" + p.sender + "\n")
	}
	return b.String()
}

func (p *plan) calendarNote() string {
	if len(p.calendars) == 1 {
		return "Aftalen er vedhæftet som en fil, du kan lægge i din kalender."
	}
	return "Aftalerne er vedhæftet som filer, du kan lægge i din kalender."
}

// html is the same as a page. The template escapes every text and refuses links that are no web addresses.
func (p *plan) html() (string, error) {
	var note string
	if len(p.calendars) > 0 {
		note = p.calendarNote()
	}
	var paragraphs [][]string
	for paragraph := range strings.SplitSeq(p.text, "\n\n") {
		if paragraph = strings.Trim(paragraph, "\n"); paragraph != "" {
			paragraphs = append(paragraphs, strings.Split(paragraph, "\n"))
		}
	}
	type action struct{ Text, URL string }
	type document struct{ Name, Size, URL, Until string }
	view := struct {
		Title, Sender, Note string
		Paragraphs          [][]string
		Actions             []action
		Documents           []document
	}{Title: p.title, Sender: p.sender, Note: note, Paragraphs: paragraphs}
	for _, a := range p.actions {
		view.Actions = append(view.Actions, action{a.text, a.url})
	}
	for _, f := range p.files {
		view.Documents = append(view.Documents, document{f.name, f.size, f.url, f.until})
	}
	var b strings.Builder
	if err := bodyTemplate.Execute(&b, view); err != nil {
		return "", fmt.Errorf("smtp: write HTML: %w", err)
	}
	return b.String(), nil
}
