package serve

import (
	mathrand "math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/channels/breaker"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/channels/registration"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// onUnknown says what happens on a channel whose setting is silent: a second printed letter or mail cannot be taken back
// and carries no identity that the far end would know it by, so a person decides.
var onUnknown = map[string]gateway.OnUnknown{"print": gateway.Hold, smtp.Name: gateway.Hold}

// openChannels makes every channel that the configuration allows. This list is the one place where channels are named.
func (a *App) openChannels() error {
	s := a.cfg.Serviceplatformen
	version := memo.Version(s.MemoVersion)
	registry, err := registration.New(registration.Config{Forespoerg: a.client, Now: time.Now})
	if err != nil {
		return err
	}
	letters := digitalpost.New(digitalpost.Config{
		Afsender: a.client, MemoVersion: version, KLEVersion: s.KLEVersion,
		Registry: registry, AskFirst: digitalpost.AskFirst(a.cfg.Channels[digitalpost.Name].AskFirst),
	})
	channels := []gateway.Channel{
		letters,
		nemsms.New(nemsms.Config{Afsender: a.client, Registry: registry, MemoVersion: version, Label: a.cfg.Channels[nemsms.Name].Label}),
	}
	if url := a.cfg.Channels[smtp.Name].URL; url != "" {
		server, err := smtp.ParseURL(url)
		if err != nil {
			return err
		}
		mail := smtp.New(smtp.Config{Server: server, Now: time.Now})
		a.closers = append(a.closers, mail.Close)
		channels = append(channels, mail)
	}
	for _, c := range channels {
		log := a.log.With("channel", c.Name())
		a.channels = append(a.channels, breaker.Wrap(c, breaker.Config{Now: time.Now, Changed: func(state string) {
			log.Warn("circuit breaker", "state", state)
		}}))
	}
	return nil
}

func (a *App) newGateway() (*gateway.Gateway, error) {
	windows, names, err := parseWindows(a.cfg.Windows)
	if err != nil {
		return nil, err
	}
	cfg := gateway.Config{
		Journal: a.journal, Documents: a.documents, Queue: a.queue, Policies: make(map[string]gateway.Policy),
		Senders: senders(a.cfg.Senders), Windows: names,
		Now: time.Now, NewID: newID, NewUUID: uuid.NewString, Jitter: mathrand.Float64,
		Worker: worker(), Logger: a.log,
	}
	for _, c := range a.channels {
		cfg.Channels = append(cfg.Channels, c)
		if cfg.Policies[c.Name()], err = a.policy(c, windows); err != nil {
			return nil, err
		}
	}
	return gateway.New(cfg)
}
