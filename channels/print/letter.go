package print

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Forsendelse builds the ForsendelseI of a letter, with the message's AfsendelseID as its identity. The same letter gives
// the same bytes. Producers' PDFs are read when the letter is streamed. It fails with *fjernprint.AddressError or
// *letterpdf.Invalid for what Check tells as problems.
func (c *Channel) Forsendelse(ctx context.Context, l gateway.Letter) (*fjernprint.ForsendelseI, error) {
	var pdf xmlstream.Content
	if len(l.Intent.Content.Documents) > 0 {
		pdf = digitalpost.Document(l, 0)
	} else {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		made, err := c.maker.Make(letter(l))
		if err != nil {
			return nil, err
		}
		pdf = xmlstream.Bytes(made.PDF)
	}
	f := c.forsendelse(l, pdf)
	if !c.cfg.WithoutRecipient {
		var err error
		if f.Modtager, err = c.recipient(l.Intent.Recipient); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// forsendelse is everything but the recipient.
func (c *Channel) forsendelse(l gateway.Letter, pdf xmlstream.Content) *fjernprint.ForsendelseI {
	o := c.options(l)
	f := &fjernprint.ForsendelseI{
		AfsendelseIdentifikator: l.Message.AfsendelseID, ForsendelseTypeIdentifikator: int64(l.Sender.Forsendelsestype),
		MeddelelseIndholdData: pdf, Dokument: fjernprint.DokumentParametre{TitelTekst: l.Intent.Content.Title},
		Kanal: o.kanal(l.Sender.Name), Print: o.papir(), Post: o.post(),
	}
	if o.PaatrykBrevdato == fjernprint.Ja {
		f.Dokument.BrevDato = date(l.Intent)
	}
	for n, d := range l.Intent.Content.Documents {
		if n > 0 {
			f.Bilag = append(f.Bilag, fjernprint.Bilag{
				BilagNavn: d.Filename, SorteringsIndeks: int64(n - 1), Indhold: digitalpost.Document(l, n),
			})
		}
	}
	return f
}

// letter is what the PDF of an intent without documents says.
func letter(l gateway.Letter) letterpdf.Letter {
	i := l.Intent
	out := letterpdf.Letter{
		Sender: l.Sender.Label, Recipient: window(i.Recipient), Date: date(i), CaseID: i.Content.CaseID,
		Title: i.Content.Title, Text: i.Content.Text,
	}
	for _, a := range i.Content.Actions {
		out.Sections = append(out.Sections, section(a))
	}
	return out
}

// section is an action on paper: its label as a headline, its line below, and for an appointment what else it says.
func section(a actions.Action) letterpdf.Section {
	label := strings.Join(strings.Fields(a.Label), " ")
	s := letterpdf.Section{Title: label}
	if text, ok := actions.Line(a, 0); ok {
		s.Lines = append(s.Lines, sentence(strings.TrimLeft(strings.TrimPrefix(text, label), ": ")))
	}
	if r := a.Reservation; r != nil {
		s.Lines = append(s.Lines, r.Description)
	}
	return s
}

// sentence begins with a capital, unless it is a link.
func sentence(s string) string {
	if strings.HasPrefix(s, "http") {
		return s
	}
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

// date is the day of the letter in Denmark: that of acceptance, or the day it was ordered for. It does not change from
// one attempt to the next.
func date(i *gateway.Intent) time.Time {
	t := i.CreatedAt
	if i.NotBefore.After(t) {
		t = i.NotBefore
	}
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.In(actions.Copenhagen())
}
