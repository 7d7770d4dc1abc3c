package serve

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/console"
)

// doors are the ways into API and console.
type doors struct {
	producers []access.Producer
	issuers   []*access.Issuer
}

func (a *App) openDoors() (*doors, error) {
	d := &doors{}
	for n := range a.cfg.Access.Issuers {
		issuer, err := a.cfg.Access.Issuers[n].Open(time.Now)
		if err != nil {
			return nil, config.Errors{{Key: fmt.Sprintf("access.issuers.%d", n), Text: err.Error()}}
		}
		d.issuers = append(d.issuers, issuer)
	}
	for n := range a.cfg.Producers {
		p := &a.cfg.Producers[n]
		tokens, err := p.AccessTokens()
		if err != nil {
			return nil, fmt.Errorf("producer %s: %w", p.Name, err)
		}
		scopes := make([]access.Scope, len(p.Scopes))
		for k, s := range p.Scopes {
			scopes[k] = access.Scope(s)
		}
		d.producers = append(d.producers, access.Producer{
			Name: p.Name, Tokens: tokens, JWT: access.Client(p.JWT), Scopes: scopes, Targets: p.Targets,
		})
	}
	return d, nil
}

func (d *doors) console(a *App) console.Config {
	var operators []console.Operator
	for n := range a.cfg.Operators {
		o := &a.cfg.Operators[n]
		raw, err := hex.DecodeString(o.Hash())
		if err == nil && len(raw) == 32 {
			operators = append(operators, console.Operator{Name: o.Name, PasswordSHA256: [32]byte(raw)})
		}
	}
	pages := console.Config{Operators: operators, RedisConnOpt: a.queue.RedisConnOpt(), Statuses: a.gateway, Now: time.Now}
	if a.inbound != nil {
		pages.Inbound = a.inbound
	}
	return pages
}
