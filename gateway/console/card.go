package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// card is the page of one thing that an operator can decide on.
type card struct {
	Title, ID string
	Facts     []fact
	Links     []link // to letters; each visit is written down
	Paths     []string
}

type fact struct{ Name, Value string }

type link struct{ Label, URL string }

// shownForm is a form of a card.
type shownForm struct {
	Path, Title, Say, ID, Token string
	Fields                      []field
}

// decideOn is the page of a card.
func (c *Console) decideOn(find func(ctx context.Context, id string) (*card, error)) handler {
	return func(w http.ResponseWriter, v visit) error {
		ctx, cancel := context.WithTimeout(v.Context(), pageTime)
		defer cancel()
		found, err := find(ctx, v.URL.Query().Get("id"))
		if err != nil {
			return err
		}
		f, err := c.frame(v)
		if err != nil {
			return err
		}
		forms, err := c.forms(v, found.ID, found.Paths...)
		if err != nil {
			return err
		}
		return c.pages.show(w, http.StatusOK, "card.html", struct {
			Frame frame
			Card  *card
			Forms []shownForm
		}{f, found, forms})
	}
}

// forms makes forms that are good for one time each.
func (c *Console) forms(v visit, id string, paths ...string) ([]shownForm, error) {
	var list []shownForm
	for _, d := range c.decisions() {
		if !slices.Contains(paths, d.path) {
			continue
		}
		token, err := c.cfg.Sessions.FormToken(v.session, d.path+" "+id)
		if err != nil {
			return nil, err
		}
		list = append(list, shownForm{Root + d.path, d.title, d.say, id, token, d.fields})
	}
	return list, nil
}

// messageForms is the card of a message. What it holds is asked when a decision comes: the id is enough for that.
func (c *Console) messageForms(_ context.Context, id string) (*card, error) {
	if !messageID.MatchString(id) {
		return nil, gateway.ErrNotFound
	}
	found := &card{Title: "Message", ID: id, Paths: []string{"messages/release", "messages/close"}}
	if c.cfg.Evidence != nil {
		found.Links = []link{{"Evidence, with the letter", Root + "messages/evidence?id=" + url.QueryEscape(id)}}
	}
	return found, nil
}

// receiptForms is the card of a status that fits nothing, or that nobody could read.
func (c *Console) receiptForms(ctx context.Context, id string) (*card, error) {
	raw := []link{{"The status as it came", Root + "receipts/raw?id=" + url.QueryEscape(id)}}
	r, err := c.cfg.Statuses.Receipt(ctx, id)
	if err == nil {
		return &card{
			Title: "Status", ID: r.ID, Links: raw, Paths: []string{"receipts/match"},
			Facts: facts("Kind", string(r.Kind), "Said", r.Status, "Code", r.Code, "messageUUID", r.MessageUUID,
				"AfsendelseIdentifikator", r.AfsendelseID, "TransmissionId", r.Transmission, "Message", r.MessageID,
				"Came", r.ReceivedAt.UTC().Format(time.RFC3339)),
		}, nil
	}
	if !errors.Is(err, gateway.ErrNotFound) {
		return nil, err
	}
	u, err := c.cfg.Statuses.UnreadableBody(ctx, id)
	if err != nil {
		return nil, err
	}
	return &card{
		Title: "Status that could not be read", ID: u.ID, Links: raw, Paths: []string{"receipts/retry"},
		Facts: facts("Why not", u.Reason, "Came", u.ReceivedAt.UTC().Format(time.RFC3339)),
	}, nil
}

// postForms is the card of an inbound post.
func (c *Console) postForms(ctx context.Context, id string) (*card, error) {
	p, events, err := c.cfg.Inbound.Post(ctx, id)
	if err != nil {
		return nil, err
	}
	found := &card{
		Title: "Post", ID: p.ID, Paths: []string{"inbound/redeliver", "inbound/reroute", "inbound/close"},
		Facts: facts("State", string(p.State), "Rule", p.Rule, "Target", p.Target, "Refused by", strings.Join(p.Tried, ", "),
			"Flags", strings.Join(p.Flags, ", "), "Attempts", strconv.Itoa(p.Attempts), "messageUUID", p.MessageUUID,
			"Came", p.ReceivedAt.UTC().Format(time.RFC3339)),
		Links: []link{{"The MeMo as it came", Root + "inbound/" + url.PathEscape(p.ID) + "/memo"}},
	}
	if p.State == gateway.PostQuarantined {
		found.Paths = []string{"inbound/release", "inbound/close"}
	}
	if len(events) > 0 {
		last := events[len(events)-1]
		found.Facts = append(found.Facts, facts("Last event", last.Code+" "+last.At.UTC().Format(time.RFC3339))...)
	}
	for n := range p.Documents {
		number := strconv.Itoa(n)
		found.Links = append(found.Links, link{"Document " + number, Root + "inbound/" + url.PathEscape(p.ID) + "/documents/" + number})
	}
	return found, nil
}

// facts pairs names with values and leaves out what is empty.
func facts(pairs ...string) []fact {
	var list []fact
	for n := 0; n+1 < len(pairs); n += 2 {
		if pairs[n+1] != "" {
			list = append(list, fact{pairs[n], pairs[n+1]})
		}
	}
	return list
}
