package letterpdf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// Config is what a [Maker] is made of. The zero value is complete.
type Config struct {
	// Regular and Bold are TrueType fonts (the bytes of the files). Both are embedded, so their licence must allow it.
	// Default: Go Regular and Go Bold.
	Regular, Bold []byte
	Layout        Layout
	MaxPages      int    // a letter with more is refused; default 50
	Producer      string // the program that the file names as its maker; default "brevdue"
}

// Maker makes letters. It is safe for use by several goroutines.
type Maker struct {
	cfg           Config
	regular, bold *typeface
}

// New reads the fonts and checks the layout.
func New(cfg Config) (*Maker, error) {
	if (cfg.Regular == nil) != (cfg.Bold == nil) {
		return nil, errors.New("letterpdf: a regular and a bold font go together")
	}
	if cfg.Regular == nil {
		cfg.Regular, cfg.Bold = goregular.TTF, gobold.TTF
	}
	if cfg.MaxPages <= 0 {
		cfg.MaxPages = 50
	}
	if cfg.Producer == "" {
		cfg.Producer = "brevdue"
	}
	cfg.Layout = cfg.Layout.withDefaults()
	if err := cfg.Layout.validate(); err != nil {
		return nil, err
	}
	m := &Maker{cfg: cfg}
	var err error
	if m.regular, err = newTypeface("", cfg.Regular); err != nil {
		return nil, err
	}
	if m.bold, err = newTypeface("B", cfg.Bold); err != nil {
		return nil, err
	}
	// What the letter itself adds must be in the fonts, and fpdf must be able to embed them.
	_, err = m.Make(Letter{
		Date: time.Unix(0, 0).UTC(), CaseID: "0123456789", Title: "Prøve æøå ÆØÅ", Text: "- Side 1 af 2\n\n1. prøve",
		Recipient: []string{"A"},
	})
	if err != nil {
		return nil, fmt.Errorf("letterpdf: the fonts cannot be used: %w", err)
	}
	return m, nil
}

// Make makes a letter. A letter that cannot be printed as it is gets an [*Invalid] with everything that is wrong.
func (m *Maker) Make(l Letter) (*Document, error) {
	l = l.normal()
	measure := newMeasurer()
	findings := m.check(measure, l)
	if len(findings) > 0 {
		return nil, &Invalid{Findings: findings}
	}
	f, findings := m.place(measure, l)
	if len(findings) > 0 {
		return nil, &Invalid{Findings: findings}
	}
	raw, err := m.write(l, f)
	if err != nil {
		return nil, err
	}
	pdf, err := tag(raw, f, meta{title: l.Title, author: l.Sender, producer: m.cfg.Producer})
	if err != nil {
		return nil, err
	}
	return &Document{PDF: pdf, Pages: len(f.pages)}, nil
}

// normal brings every text of the letter into the one form that is checked, measured and written.
func (l Letter) normal() Letter {
	l.Sender, l.CaseID, l.Title, l.Text = line(l.Sender), line(l.CaseID), line(l.Title), normal(l.Text)
	var recipient []string
	for _, s := range l.Recipient {
		if s = line(s); s != "" {
			recipient = append(recipient, s)
		}
	}
	l.Recipient = recipient
	sections := make([]Section, len(l.Sections))
	for k, s := range l.Sections {
		sections[k].Title = line(s.Title)
		for _, text := range s.Lines {
			if text = line(text); text != "" {
				sections[k].Lines = append(sections[k].Lines, text)
			}
		}
	}
	l.Sections = sections
	return l
}

// check finds what is missing and what the fonts cannot show.
func (m *Maker) check(measure *measurer, l Letter) []Finding {
	var out []Finding
	show := func(field Field, index int, face *typeface, s string) {
		if missing := measure.missing(face, s); len(missing) > 0 {
			out = append(out, Finding{Field: field, Index: index, Code: CodeCharacter,
				Detail: "These characters cannot be printed: " + spell(missing) + "."})
		}
	}
	if l.Title == "" {
		out = append(out, Finding{Field: FieldTitle, Code: CodeRequired, Detail: "A letter has a title."})
	}
	show(FieldSender, 0, m.bold, l.Sender)
	show(FieldCaseID, 0, m.regular, l.CaseID)
	show(FieldTitle, 0, m.bold, l.Title)
	show(FieldText, 0, m.regular, l.Text)
	for k, s := range l.Recipient {
		show(FieldRecipient, k, m.regular, s)
	}
	for k, s := range l.Sections {
		show(FieldSections, k, m.bold, s.Title)
		show(FieldSections, k, m.regular, strings.Join(s.Lines, " "))
	}
	return out
}

// most is how many characters a finding spells out.
const most = 20

// spell names characters by their numbers, since a producer's screen may not show them either.
func spell(runes []rune) string {
	names := make([]string, 0, most)
	for k, r := range runes {
		if k == most {
			names = append(names, "and "+strconv.Itoa(len(runes)-most)+" more")
			break
		}
		names = append(names, fmt.Sprintf("%U", r))
	}
	return strings.Join(names, ", ")
}

// place puts the letter on pages.
func (m *Maker) place(measure *measurer, l Letter) (*flow, []Finding) {
	layout := m.cfg.Layout
	f := &flow{
		layout: layout, m: measure, regular: m.regular, bold: m.bold,
		root: &node{tag: "Document"}, pages: make([][]run, 1), top: layout.Body.Top,
	}
	var findings []Finding
	fit := func(field Field, ok bool, detail string) {
		if !ok {
			findings = append(findings, Finding{Field: field, Code: CodeTooLong, Detail: detail})
		}
	}
	if l.Sender != "" {
		const size, height = 12, 5.2
		top := layout.SenderTop - size*point
		box := Box{layout.Body.Left, top, layout.Body.Width, layout.Address.Top - top}
		fit(FieldSender, f.fixed(f.root.add("P"), m.bold, size, height, box, []string{l.Sender}),
			"The sender's name does not fit above the address.")
	}
	if len(l.Recipient) > 0 {
		ok := f.fixed(f.root.add("P"), m.regular, layout.AddressSize, layout.AddressLine, layout.Address, l.Recipient)
		fit(FieldRecipient, ok, fmt.Sprintf("The name and address do not fit into the window of the envelope, which has %d lines.",
			layout.addressLines()))
	}
	facts := []string{Date(l.Date)}
	if l.CaseID != "" {
		facts = append(facts, "Sagsnr.: "+l.CaseID)
	}
	fit(FieldCaseID, f.fixed(f.root.add("P"), m.regular, layout.AddressSize, layout.AddressLine, layout.Facts, facts),
		"The case id does not fit beside the address.")

	f.paragraph(f.root.add("H1"), m.bold, layout.TitleSize, layout.TitleLine, 0, []string{l.Title})
	f.top += gap * layout.Line
	f.text(l.Text)
	for _, s := range l.Sections {
		f.section(s)
	}
	if len(f.pages) > m.cfg.MaxPages {
		findings = append(findings, Finding{Field: FieldText, Code: CodeManyPages,
			Detail: fmt.Sprintf("The letter has %d pages, at most %d are allowed.", len(f.pages), m.cfg.MaxPages)})
	}
	f.numbers()
	return f, findings
}

var months = [...]string{
	"januar", "februar", "marts", "april", "maj", "juni",
	"juli", "august", "september", "oktober", "november", "december",
}

// Date writes a day as Danish letters do: "21. november 2026", in the time's own location.
func Date(t time.Time) string {
	return strconv.Itoa(t.Day()) + ". " + months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}
