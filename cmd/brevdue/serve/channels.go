package serve

import (
	"context"
	mathrand "math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/channels/automatic"
	"github.com/brevdue/brevdue/channels/breaker"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/channels/registration"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/callback"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// onUnknown says what happens on a channel whose setting is silent: a second printed letter or e-mail cannot be taken
// back, and nothing tells the far end that it is the same, so a person decides.
var onUnknown = map[string]gateway.OnUnknown{print.Name: gateway.Hold, smtp.Name: gateway.Hold, automatic.Name: gateway.Hold}

// openChannels makes every channel that the configuration allows. This list is the one place where channels are named.
func (a *App) openChannels() error {
	s, channels := a.cfg.Serviceplatformen, a.cfg.Channels
	version := memo.Version(s.MemoVersion)
	registry, err := registration.New(registration.Config{Forespoerg: a.client, Now: time.Now})
	if err != nil {
		return err
	}
	a.registry = registry
	letters := digitalpost.New(digitalpost.Config{
		Afsender: a.client, MemoVersion: version, KLEVersion: s.KLEVersion,
		Registry: registry, AskFirst: digitalpost.AskFirst(channels[digitalpost.Name].AskFirst),
	})
	paper := channels[print.Name]
	breve, err := print.New(print.Config{Afsender: a.client, Options: print.Options{
		Farve: fjernprint.FarveSHKode(paper.Farve), Sider: fjernprint.SimplexDuplexKode(paper.Sider),
		Kuvert: fjernprint.KuvertTypeKode(paper.Kuvert), Kategori: fjernprint.PostKategoriKode(paper.Kategori), Hastebrev: paper.Hastebrev,
	}})
	if err != nil {
		return err
	}
	list := []gateway.Channel{
		letters,
		nemsms.New(nemsms.Config{Afsender: a.client, Registry: registry, MemoVersion: version, Label: channels[nemsms.Name].Label}),
		breve,
		automatic.New(automatic.Config{Afsender: a.client, Breve: letters, Forsendelser: breve}),
	}
	if mail, err := a.openMail(); err != nil {
		return err
	} else if mail != nil {
		list = append(list, mail)
	}
	for _, c := range list {
		log := a.log.With("channel", c.Name())
		a.channels = append(a.channels, breaker.Wrap(c, breaker.Config{Now: time.Now, Changed: func(state string) {
			log.Warn("circuit breaker", "state", state)
		}}))
	}
	return nil
}

// openMail makes the e-mail channel, where there is a server for it.
func (a *App) openMail() (*smtp.Channel, error) {
	url := a.cfg.Channels[smtp.Name].URL
	if url == "" {
		return nil, nil //nolint:nilnil // no server, no channel
	}
	server, err := smtp.ParseURL(url)
	if err != nil {
		return nil, err
	}
	cfg := smtp.Config{Server: server, Now: time.Now, Keep: a.keepMail}
	if a.downloads != nil {
		cfg.Link = a.downloads.Link
	}
	mail := smtp.New(cfg)
	a.closers = append(a.closers, mail.Close)
	return mail, nil
}

// lookups answers the gateway's questions from the registry of SF1601.
type lookups struct{ registry *registration.Registry }

// Registered implements gateway.Registry.
func (l lookups) Registered(ctx context.Context, service string, id gateway.Identifier, fresh bool) (bool, error) {
	return l.registry.Registered(ctx, sf1601.Service(service), id, fresh)
}

// errorCodes is the table of codes of the far ends. A row for one source only names it.
func errorCodes(table *sf1601.Table) []gateway.ErrorCode {
	rows := table.Codes()
	codes := make([]gateway.ErrorCode, 0, len(rows))
	for _, c := range rows {
		farEnd := "Digital Post"
		if c.Source != "" {
			farEnd += ", " + c.Source
		}
		codes = append(codes, gateway.ErrorCode{
			Code: c.Code, FarEnd: farEnd, Outcome: gateway.Class(c.Outcome),
			HintEN: c.Hint, HintDA: c.HintDA, Source: c.Origin, Date: c.Date,
		})
	}
	return codes
}

func (a *App) newGateway() (*gateway.Gateway, error) {
	windows, names, err := parseWindows(a.cfg.Windows)
	if err != nil {
		return nil, err
	}
	cfg := gateway.Config{
		Journal: a.journal, Documents: a.documents, Queue: a.queue, Policies: make(map[string]gateway.Policy),
		Senders: senders(a.cfg.Senders), Windows: names, ErrorCodes: errorCodes(a.codes), Registry: lookups{a.registry},
		Now: time.Now, NewID: newID, NewUUID: uuid.NewString, Jitter: mathrand.Float64,
		Worker: worker(), Logger: a.log, Systems: a.cfg.Beskedfordeler.Systems, ReadReceipt: a.readReceipt,
		Callbacks: gateway.CallbackConfig{Producers: callback.Producers(receivers(a.cfg.Producers)), Queue: a.queue},
	}
	for _, c := range a.channels {
		cfg.Channels = append(cfg.Channels, c)
		if cfg.Policies[c.Name()], err = a.policy(c, windows); err != nil {
			return nil, err
		}
	}
	return gateway.New(cfg)
}
