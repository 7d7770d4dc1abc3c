package memo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// WriteText writes the summary for people, one fact a line. Texts of the message cannot move the cursor or reverse the
// line: what is not printable stands as U+FFFD, line breaks as a space.
func (s Summary) WriteText(w io.Writer) error {
	p := &printer{}
	version := s.Version
	if version == "" {
		version = "?"
	}
	p.line("MeMo", version, s.MessageType)
	p.line("KombiValgKode", s.KombiValgKode)
	p.line("Message", s.MessageUUID, parenthesis(s.MessageID))
	p.line("From", s.Sender.Label, parenthesis(strings.TrimSpace(s.Sender.IDType+" "+s.Sender.ID)))
	p.line("To", s.Recipient.Label, parenthesis(strings.TrimSpace(s.Recipient.IDType+" "+s.Recipient.ID)))
	p.line("Subject", s.Subject)
	p.line("Notification", s.Notification)
	p.line("About", s.About)
	p.line("Case", s.Case, parenthesis(s.CaseSystem))
	p.line("KLE", s.KLE)
	p.line("Created", s.Created)
	p.line("Not before", s.DoNotDeliverUntil)
	p.line("Reply by", s.ReplyBy)
	p.line("Marks", s.marks())
	for _, d := range s.Documents {
		p.line(string(d.Kind), d.Label, " ")
		for _, f := range d.Files {
			size := strconv.FormatInt(f.Size, 10) + " bytes"
			if f.SHA256 == "" {
				size = "content not readable"
			}
			p.line("  File", f.Filename, parenthesis(f.EncodingFormat+", "+f.Language+", "+size))
			p.line("    SHA-256", f.SHA256)
		}
		for _, a := range d.Actions {
			p.line("  Action", a.Code, a.Label)
			p.line("    When", period(a.Start, a.End))
			p.line("    What", a.Abstract)
			p.line("    Where", a.Location)
			p.line("    Link", a.URL)
		}
	}
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("memo: write: %w", err)
	}
	return nil
}

// marks are the facts that are true or not.
func (s Summary) marks() string {
	var list []string
	for _, x := range []struct {
		is   bool
		name string
	}{
		{s.Mandatory, "mandatory"},
		{s.LegalNotification, "legal notification"},
		{s.Reply, "may be answered"},
		{s.Forwarded, "forwarded"},
		{s.Answers > 0, "part of a thread"},
		{s.Physical, "with a ForsendelseISamling"},
	} {
		if x.is {
			list = append(list, x.name)
		}
	}
	return strings.Join(list, ", ")
}

func parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

type printer struct{ b strings.Builder }

// line writes a name and what belongs to it, or nothing when there is nothing.
func (p *printer) line(name string, values ...string) {
	values = texts(values)
	if len(values) == 0 {
		return
	}
	fmt.Fprintf(&p.b, "%s\n", strings.TrimRight(fmt.Sprintf("%-19s%s", name, strings.Join(values, " ")), " "))
}

func texts(values []string) []string {
	var list []string
	for _, v := range values {
		if v != "" {
			list = append(list, printable(v))
		}
	}
	return list
}

// printable makes one harmless line of a text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// period is a start and an end, of which either may be missing.
func period(start, end string) string {
	switch {
	case start == "" && end == "":
		return ""
	case end == "":
		return "from " + start
	case start == "":
		return "until " + end
	}
	return start + " to " + end
}
