package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/console"
)

// callbackPath is where the identity provider sends people back to.
const callbackPath = console.Root + "login/callback"

// doors are the ways into API and console.
type doors struct {
	producers []access.Producer
	issuers   []*access.Issuer
	passwords *access.Passwords
	sessions  *access.Sessions
	login     *access.Login // nil: none
}

// openDoors makes them as the configuration says.
func (a *App) openDoors() (*doors, error) {
	if a.opts.LoginLess && !a.cfg.HTTP.Loopback() {
		return nil, config.Errors{{
			Key: "http.listen", Text: "everybody could reach a console without a login", Hint: "listen on 127.0.0.1, or have operators",
		}}
	}
	d := &doors{}
	for n := range a.cfg.Access.Issuers {
		issuer, err := a.cfg.Access.Issuers[n].Open(time.Now)
		if err != nil {
			return nil, config.Errors{{Key: fmt.Sprintf("access.issuers.%d", n), Text: err.Error()}}
		}
		d.issuers = append(d.issuers, issuer)
	}
	var err error
	if d.producers, err = producersOf(a.cfg.Producers); err != nil {
		return nil, err
	}
	operators := make([]access.StaticOperator, len(a.cfg.Operators))
	for n := range a.cfg.Operators {
		o := &a.cfg.Operators[n]
		operators[n] = access.StaticOperator{Name: o.Name, Hash: o.Hash(), Roles: o.AccessRoles()}
	}
	if d.passwords, err = access.NewPasswords(operators, time.Now); err != nil {
		return nil, config.Errors{{Key: "operators", Text: err.Error()}}
	}
	return d, a.openSessions(d)
}

// producersOf makes them.
func producersOf(list []config.Producer) ([]access.Producer, error) {
	producers := make([]access.Producer, len(list))
	for n := range list {
		p := &list[n]
		tokens, err := p.AccessTokens()
		if err != nil {
			return nil, fmt.Errorf("producer %s: %w", p.Name, err)
		}
		scopes := make([]access.Scope, len(p.Scopes))
		for k, s := range p.Scopes {
			scopes[k] = access.Scope(s)
		}
		producers[n] = access.Producer{Name: p.Name, Tokens: tokens, JWT: access.Client(p.JWT), Scopes: scopes, Targets: p.Targets}
	}
	return producers, nil
}

// openSessions makes what remembers who is logged in, and the login that begins a session.
func (a *App) openSessions(d *doors) error {
	keys, err := a.cfg.Access.Sessions.Keys()
	if err != nil {
		return config.Errors{{Key: "access.sessions.key_file", Text: err.Error()}}
	}
	if len(keys) == 0 { // one for sessions and logins alike
		keys = [][]byte{access.NewKey()}
	}
	shared, err := newOnce(a.queue.RedisConnOpt(), time.Now)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, func() {
		if err := shared.Close(); err != nil {
			a.log.Error("close", "error", err)
		}
	})
	d.sessions, err = access.NewSessions(access.SessionConfig{
		Keys: keys, Once: shared, Idle: a.cfg.Access.Sessions.Idle, Life: a.cfg.Access.Sessions.Life,
		Insecure: a.cfg.HTTP.Insecure(), Now: time.Now,
	})
	if err != nil {
		return config.Errors{{Key: "access.sessions", Text: err.Error()}}
	}
	l := &a.cfg.Access.Login
	if l.Issuer == "" {
		return nil
	}
	secret, err := l.Secret()
	if err != nil {
		return config.Errors{{Key: "access.login.client_secret_file", Text: err.Error()}}
	}
	at := slices.IndexFunc(d.issuers, func(i *access.Issuer) bool { return i.URL() == l.Issuer })
	if at < 0 {
		return errors.New("access.login.issuer: there is none like it in access.issuers")
	}
	d.login, err = access.NewLogin(access.LoginConfig{
		Issuer: d.issuers[at], ClientID: l.ClientID, ClientSecret: secret, Scopes: l.Scopes, Keys: keys,
		RedirectURL: strings.TrimSuffix(a.cfg.HTTP.PublicURL, "/") + callbackPath,
		NameClaim:   l.NameClaim, RolesClaim: l.RolesClaim, Roles: l.AccessRoles(), Sessions: d.sessions,
	})
	if err != nil {
		return config.Errors{{Key: "access.login", Text: err.Error()}}
	}
	return nil
}

// console is what the console is made of.
func (d *doors) console(a *App) console.Config {
	pages := console.Config{
		RedisConnOpt: a.queue.RedisConnOpt(), Sessions: d.sessions, Passwords: d.passwords, Login: d.login,
		LoginLess: a.opts.LoginLess, Statuses: a.gateway, Logger: a.log.With("part", "console"), Now: time.Now, Audit: a.audit,
		Evidence: func(ctx context.Context, messageID string, w io.Writer) error {
			return a.evidence(ctx, "", messageID, w)
		},
	}
	if a.inbound != nil {
		pages.Inbound = a.inbound
	}
	return pages
}
