package smtp

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// checkID stands in for the message id, which an intent gets when it is accepted.
const checkID = "msg_00000000000000000000000000"

// Check implements gateway.Channel: everything that would keep the mail from being written. Whether a mailbox exists,
// only its server knows.
func (c *Channel) Check(_ context.Context, l gateway.Letter) []gateway.Problem {
	i := l.Intent
	var ps []gateway.Problem
	add := func(pointer, code, detail string) {
		ps = append(ps, gateway.Problem{Pointer: pointer, Code: code, Detail: detail})
	}
	_, utf8Needed, err := address(i.Recipient.Email.Reveal())
	switch {
	case i.Recipient.Email.Empty():
		add("/recipient/email", "required", "An e-mail needs the recipient's address.")
	case err != nil:
		add("/recipient/email", "email.invalid", "This is not an e-mail address that mail can be sent to.")
	case utf8Needed && !c.cfg.SMTPUTF8:
		add("/recipient/email", "email.utf8", "The part before the @ may hold ASCII characters only: the mail server takes no others.")
	}
	if from, needed, err := address(l.Sender.From); err != nil || needed || from == "" {
		add("/sender", "sender.from", "The sender profile has no e-mail address that mail can be sent from.")
	}
	switch title := i.Content.Title; {
	case strings.TrimSpace(title) == "":
		add("/content/title", "required", "An e-mail needs a title as its subject.")
	case holdsCPR(title):
		add("/content/title", "cpr.in_subject", "The subject of an e-mail must not hold a CPR number: it is shown in notices and logs.")
	}
	if len(i.Content.Documents) == 0 && strings.TrimSpace(i.Content.Text) == "" {
		add("/content/text", "required", "An e-mail needs a text or a document.")
	}
	if total := attachedSize(i.Content.Documents); c.cfg.Link == nil && total > c.cfg.MaxSize {
		add("/content/documents", "letter.too_large", fmt.Sprintf(
			"The documents together have %d bytes in base64; mailboxes refuse more than %d.", total, c.cfg.MaxSize))
	}
	for n, a := range i.Content.Actions {
		if a.Code != actions.Aftale {
			continue
		}
		if _, err := actions.Calendar(a, i.CreatedAt, c.cfg.Zone); err != nil {
			add("/content/actions/"+strconv.Itoa(n), "calendar.impossible", "No calendar file can be made from this appointment.")
		}
	}
	if len(ps) > 0 {
		return ps
	}
	l.Message.ID = checkID
	if _, err := c.compose(l); err != nil {
		add("/content", "mail.impossible", "The letter cannot be written as an e-mail.")
	}
	return ps
}

// tenDigits finds what may be a CPR number: day, month, year and four digits, in the ways people write them.
var tenDigits = regexp.MustCompile(`(?:^|[^0-9])([0-9]{2})([0-9]{2})[0-9]{2}[- ]?[0-9]{4}(?:$|[^0-9])`)

// holdsCPR reports whether text holds what reads as a CPR number. The day of a replacement number is 60 more.
func holdsCPR(text string) bool {
	for text != "" {
		m := tenDigits.FindStringSubmatchIndex(text)
		if m == nil {
			return false
		}
		day, _ := strconv.Atoi(text[m[2]:m[3]])
		month, _ := strconv.Atoi(text[m[4]:m[5]])
		if day > 60 {
			day -= 60
		}
		if day >= 1 && day <= 31 && month >= 1 && month <= 12 {
			return true
		}
		text = text[m[3]:]
	}
	return false
}
