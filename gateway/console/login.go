package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
)

// showLogin asks who it is.
func (c *Console) showLogin(w http.ResponseWriter, v visit) error {
	return c.loginPage(w, http.StatusOK, v.URL.Query().Get("return"), "")
}

// loginShown is what the page of that name shows.
type loginShown struct {
	Return              string
	Problem             string
	Passwords, Provider bool
}

func (c *Console) loginPage(w http.ResponseWriter, status int, wanted, problem string) error {
	return c.pages.show(w, status, "login.html", loginShown{
		Return: home(wanted), Problem: problem,
		Passwords: c.cfg.Passwords != nil && c.cfg.Passwords.Any(), Provider: c.cfg.Login != nil,
	})
}

// passwordLogin takes the form of the login page. That it was sent from there is known from what browsers say about the
// site that a form is sent from.
func (c *Console) passwordLogin(w http.ResponseWriter, v visit) error {
	if c.cfg.Passwords == nil {
		return nothing(w, v)
	}
	ctx, cancel := context.WithTimeout(v.Context(), 10*time.Second)
	defer cancel()
	wanted := v.PostForm.Get("return")
	o, err := c.cfg.Passwords.Login(ctx, v.PostForm.Get("name"), v.PostForm.Get("password"))
	switch reason := access.ReasonOf(err); {
	case reason == access.TooManyTries:
		c.refused(v, reason)
		w.Header().Set("Retry-After", "30")
		return c.loginPage(w, http.StatusTooManyRequests, wanted, "Too many tries. Wait half a minute.")
	case reason != "":
		c.refused(v, reason)
		return c.loginPage(w, http.StatusUnauthorized, wanted, "Name or password is wrong.")
	case err != nil:
		return err
	}
	return c.enter(w, v, o, wanted)
}

// startLogin sends the browser to the identity provider.
func (c *Console) startLogin(w http.ResponseWriter, v visit) error {
	if c.cfg.Login == nil {
		return nothing(w, v)
	}
	return c.cfg.Login.Start(w, v.Request, home(v.URL.Query().Get("return")))
}

// finishLogin takes it back.
func (c *Console) finishLogin(w http.ResponseWriter, v visit) error {
	if c.cfg.Login == nil {
		return nothing(w, v)
	}
	o, wanted, err := c.cfg.Login.Finish(w, v.Request)
	if errors.Is(err, access.ErrUnavailable) {
		return err
	}
	if err != nil {
		reason := access.ReasonOf(err)
		c.refused(v, reason)
		if reason == access.NoRole {
			return c.loginPage(w, http.StatusForbidden, "",
				"You are known, but have no role here. Ask whoever administers the identity provider.")
		}
		return c.loginPage(w, http.StatusUnauthorized, "", "The login did not work. Try again.")
	}
	return c.enter(w, v, o, wanted)
}

// refused notes that somebody was not let in. Who they said they are is not noted: people type passwords into the wrong field.
// What anybody can have happen without end is for the log alone, so that nobody can fill the audit trail from outside.
func (c *Console) refused(v visit, reason access.Reason) {
	c.cfg.Logger.InfoContext(v.Context(), "console: refused", "reason", string(reason), "route", v.Pattern)
	if reason != access.WrongPassword && reason != access.NoRole {
		return
	}
	if err := c.note(v.Context(), access.Operator{}, access.LoginRefused, "", string(reason)); err != nil {
		c.cfg.Logger.ErrorContext(v.Context(), "console: a refused login was not written down", "error", err)
	}
}

// enter begins the session of somebody who proved who they are.
func (c *Console) enter(w http.ResponseWriter, v visit, o *access.Operator, wanted string) error {
	if err := c.note(v.Context(), *o, access.LoggedIn, "", ""); err != nil {
		return err
	}
	if _, err := c.cfg.Sessions.Begin(v.Context(), w, v.Request, *o); err != nil {
		return err
	}
	http.Redirect(w, v.Request, home(wanted), http.StatusSeeOther)
	return nil
}

// logout ends the session.
func (c *Console) logout(w http.ResponseWriter, v visit) error {
	if err := c.cfg.Sessions.Spend(v.Context(), v.session, "logout", v.PostForm.Get("token")); err != nil {
		return err
	}
	if err := c.note(v.Context(), v.session.Operator, access.LoggedOut, "", ""); err != nil {
		return err
	}
	if err := c.cfg.Sessions.End(v.Context(), w, v.session); err != nil {
		return err
	}
	http.Redirect(w, v.Request, Root+"login", http.StatusSeeOther)
	return nil
}
