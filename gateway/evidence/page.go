package evidence

import (
	"bytes"
	"crypto/x509"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

//go:embed kvittering.gohtml
var pageText string

var pageTemplate = template.Must(template.New(namePage).Parse(pageText))

// page is what kvittering.html shows. Its texts are Danish, for the reader of a case.
type page struct {
	Headline          string
	Facts             []string // below it
	Message           messageRecord
	Request           *requestRecord
	Sender, Recipient string
	Title, Channel    string
	Steps, Events     []step
	Files             []fileRecord
	Made, Signer      string
}

// step is one line of what happened.
type step struct {
	when                            time.Time
	At, Who, What, Code, Text, File string
	Explained                       string
}

func (b *builder) page() ([]byte, error) {
	d := b.dossier
	headline, facts := b.headline()
	p := page{
		Headline: headline, Facts: facts, Message: b.t.Message, Request: b.t.Request,
		Sender: whom(b.t.Sender), Recipient: whom(b.t.Recipient), Title: orDash(d.Intent.Content.Title),
		Channel: channel(d.Message.Channel), Steps: b.steps(), Files: b.t.Files, Made: b.danish(b.now), Signer: b.signer(),
	}
	for _, e := range b.t.Events {
		p.Events = append(p.Events, step{At: b.short(e.At.time()), What: stateText(e.Status), Code: e.Code, Text: e.Text})
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("evidence: %s: %w", namePage, err)
	}
	return out.Bytes(), nil
}

// headDelivered begins the heading of a letter that was delivered, and of no other; the time ends it.
const headDelivered = "Afleveret "

// headline is the legal fact, or what is known instead of it.
func (b *builder) headline() (string, []string) {
	m := b.dossier.Message
	returned := "Brevet er siden kommet retur fra modtageren. Se forløbet."
	switch found := b.t.Delivered; {
	case found != nil && found.Kind == "afleveret":
		facts := []string{
			"Brevet var til rådighed for modtageren i Digital Post fra dette tidspunkt. Det regnes for kommet frem da, " +
				"uanset om og hvornår det blev læst.",
			fmt.Sprintf("I UTC: %s. Det står i kvitteringen %s.", found.At.UTC.Format(time.RFC3339Nano), found.Receipt),
		}
		if m.State == gateway.Returned {
			facts = append([]string{returned}, facts...)
		}
		return headDelivered + b.danish(found.At.time()), facts
	case found != nil:
		facts := []string{
			"Brevet er på papir. Ingen kvittering fortæller, hvornår et brev på papir lå i modtagerens postkasse.",
			fmt.Sprintf("I UTC: %s. Det står i kvitteringen %s.", found.At.UTC.Format(time.RFC3339Nano), found.Receipt),
		}
		if m.State == gateway.Returned {
			return "Kommet retur – overgivet til postvæsenet " + b.danish(found.At.time()), append([]string{returned}, facts...)
		}
		return "Overgivet til postvæsenet " + b.danish(found.At.time()), facts
	default:
		return b.undelivered(m)
	}
}

// undelivered is the headline of a letter without a receipt of delivery.
func (b *builder) undelivered(m gateway.Message) (string, []string) {
	const none = "Ingen kvittering for aflevering endnu"
	there := farEnd(m.Channel)
	sent := there + " har ikke taget imod brevet endnu."
	if !m.SubmittedAt.IsZero() {
		sent = there + " tog imod brevet " + b.danish(m.SubmittedAt) +
			". At det er taget imod, er ikke det samme som at det er afleveret."
	}
	ended := ""
	if !m.FinalAt.IsZero() {
		ended = " Det blev det " + b.danish(m.FinalAt) + "."
	}
	switch m.State {
	case gateway.Delivered:
		return "Taget imod " + b.danish(m.FinalAt), []string{
			"På denne kanal findes der ingen kvittering for aflevering. Det sidste, der vides, er at " + lower(there) + " tog imod brevet.",
		}
	case gateway.Received:
		return none, []string{"Brevet er modtaget der, hvor det skal afleveres, men er endnu ikke meldt afleveret.", sent}
	case gateway.Failed:
		return "Ikke afleveret", []string{"Brevet er endt som fejlet." + ended + " Årsagen står i forløbet.", sent}
	case gateway.Returned:
		return "Kommet retur", []string{"Brevet kom retur fra modtageren." + ended, sent}
	case gateway.Superseded:
		return "Ikke afleveret ad denne vej", []string{"Den næste kanal har overtaget." + ended + " Den har sin egen kvittering.", sent}
	case gateway.Cancelled:
		return "Ikke sendt", []string{"Brevet blev trukket tilbage, før det blev sendt." + ended}
	case gateway.Expired:
		return "Ikke sendt", []string{"Tiden til at sende brevet løb ud." + ended}
	case gateway.Queued, gateway.Scheduled, gateway.Sending, gateway.Submitted, gateway.Held:
		return none, []string{"Brevets status er: " + stateText(string(m.State)) + ".", sent}
	default:
		return none, []string{sent}
	}
}

// steps is who did what, oldest first.
func (b *builder) steps() []step {
	there := farEnd(b.dossier.Message.Channel)
	steps := []step{{when: b.dossier.Message.CreatedAt, Who: b.t.Message.Producer, What: "Brevet blev bestilt og gemt"}}
	for i, a := range b.t.Attempts {
		steps = append(steps, step{
			when: a.StartedAt.time(), Who: "brevdue", What: fmt.Sprintf("Forsøg %d på at sende begyndte", a.N), File: a.Manifest,
		})
		if end := a.EndedAt.time(); !end.IsZero() {
			who := there
			if a.Answer == "" && a.HTTPStatus == 0 {
				who = "brevdue"
			}
			steps = append(steps, step{
				when: end, Who: who, What: fmt.Sprintf("Forsøg %d endte: %s", a.N, classText(b.dossier.Attempts[i].Class)),
				Code: a.Code, Text: a.Text, Explained: b.explain(a.Code), File: orElse(a.Answer, a.File),
			})
		}
	}
	for _, r := range b.t.Receipts {
		at := r.OccurredAt.time()
		if at.IsZero() {
			at = r.ReceivedAt.time()
		}
		explained := strings.TrimSpace(statusText(r.Status) + " " + b.explain(r.Code))
		if r.Conflict {
			explained += " Kvitteringens to ord for, hvad der skete, modsiger hinanden."
		}
		steps = append(steps, step{
			when: at, Who: there, What: "Kvittering: " + orDash(r.Status), Code: r.Code,
			Text: strings.TrimSpace(r.Text + " (modtaget her " + b.short(r.ReceivedAt.time()) + ")"), Explained: explained, File: r.File,
		})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.when.Compare(b.when) })
	for i := range steps {
		steps[i].At = b.short(steps[i].when)
	}
	return steps
}

func (b *builder) explain(code string) string {
	if code == "" || b.opts.Explain == nil {
		return ""
	}
	return b.opts.Explain(code)
}

// signer is who signs the container, for people.
func (b *builder) signer() string {
	if len(b.opts.Certificate.Certificate) == 0 {
		return ""
	}
	leaf, err := x509.ParseCertificate(b.opts.Certificate.Certificate[0])
	if err != nil {
		return ""
	}
	return leaf.Subject.String()
}

// danish is a time as Danish readers write it, to the second.
func (t teller) danish(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	at = at.In(t.zone)
	months := [...]string{
		"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december",
	}
	return fmt.Sprintf("%d. %s %d kl. %s", at.Day(), months[at.Month()-1], at.Year(), at.Format("15.04.05"))
}

// short is a time for the columns of a table.
func (t teller) short(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	return at.In(t.zone).Format("02.01.2006 kl. 15.04.05")
}

// whom is a party for people.
func whom(p partyRecord) string {
	number := p.Number
	if p.Scheme == string(gateway.CPR) && len(number) == 10 {
		number = number[:6] + "-" + number[6:]
	}
	return orDash(strings.TrimSuffix(strings.TrimSpace(strings.TrimSpace(p.Name+", ")+" "+strings.TrimSpace(p.Scheme+" "+number)), ","))
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
