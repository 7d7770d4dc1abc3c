package smtp

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// plan is what goes into a mail, before it is written: which documents are attached, which become links, and what the
// text says.
type plan struct {
	date      time.Time // of the mail: when the intent was accepted, or when it may first be sent
	title     string
	text      string // with line feeds
	sender    string
	actions   []line
	calendars []file
	attached  []int // indexes of documents
	files     []attachment
}

// line is an action as the mail shows it: a button with a label, or a line of text.
type line struct {
	text string
	url  string // "" for an appointment
}

// file is a calendar file.
type file struct {
	filename, kind string
	content        []byte
}

// attachment is a document as the text names it.
type attachment struct {
	name, size string
	url        string // "" when it is attached
	until      string // when the link expires
}

// plan decides what the mail says.
func (c *Channel) plan(l gateway.Letter) (*plan, error) {
	i := l.Intent
	p := &plan{
		date: i.CreatedAt, title: oneLine(i.Content.Title), sender: oneLine(l.Sender.Label),
		text: strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(i.Content.Text, "\uFFFD"))),
	}
	if i.NotBefore.After(p.date) {
		p.date = i.NotBefore
	}
	if err := c.planActions(p, l); err != nil {
		return nil, err
	}
	c.planDocuments(p, l)
	if p.text == "" {
		p.text = "Du har fået et brev fra " + p.sender + "."
	}
	return p, nil
}

// planActions makes a calendar file and a line of every AFTALE and a link of every other action.
func (c *Channel) planActions(p *plan, l gateway.Letter) error {
	for _, a := range l.Intent.Content.Actions {
		if a.Code == actions.Aftale {
			content, err := actions.Calendar(a, p.date, c.cfg.Zone)
			if err != nil {
				return fmt.Errorf("calendar file: %w", err)
			}
			name := "aftale.ics"
			if n := len(p.calendars); n > 0 {
				name = "aftale-" + strconv.Itoa(n+1) + ".ics"
			}
			p.calendars = append(p.calendars, file{filename: name, kind: actions.CalendarType, content: content})
		}
		text, ok := actions.Line(a, 0)
		if !ok {
			continue
		}
		p.actions = append(p.actions, line{text: strings.TrimSuffix(text, ": "+a.URL), url: a.URL})
	}
	return nil
}

// planDocuments attaches the documents, but when they exceed the limit together, the largest become links until the
// rest fits. Among equals the later one goes first.
func (c *Channel) planDocuments(p *plan, l gateway.Letter) {
	documents := l.Intent.Content.Documents
	linked := make(map[int]bool)
	if c.cfg.Link != nil {
		linked = c.tooLarge(documents)
	}
	for n, d := range documents {
		a := attachment{name: oneLine(d.Filename), size: humanSize(d.Size)}
		if linked[n] {
			url, until := c.cfg.Link(l.Message.ID, n, p.date)
			until = until.In(c.cfg.Zone)
			a.url, a.until = url, actions.Dato(until)+" "+strconv.Itoa(until.Year())+" kl. "+until.Format("15.04")
		} else {
			p.attached = append(p.attached, n)
		}
		p.files = append(p.files, a)
	}
}

// tooLarge names the documents that do not fit.
func (c *Channel) tooLarge(documents []gateway.Document) map[int]bool {
	order := make([]int, len(documents))
	for n := range order {
		order[n] = n
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(documents[b].Size, documents[a].Size), b-a)
	})
	total, linked := attachedSize(documents), make(map[int]bool)
	for _, n := range order {
		if total <= c.cfg.MaxSize {
			break
		}
		linked[n] = true
		total -= encodedSize(documents[n].Size)
	}
	return linked
}

// attachedSize is the size of documents as a mailbox counts them.
func attachedSize(documents []gateway.Document) int64 {
	var total int64
	for _, d := range documents {
		total += encodedSize(d.Size)
	}
	return total
}

// humanSize is a number of bytes in Danish: "850 byte", "12 kB", "12,3 MB".
func humanSize(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " byte"
	case n < 999_500:
		return strconv.FormatInt((n+500)/1000, 10) + " kB"
	default:
		return strings.Replace(strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64), ".", ",", 1) + " MB"
	}
}
