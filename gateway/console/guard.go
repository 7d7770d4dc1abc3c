package console

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// errForbidden is the answer to somebody who is logged in and may not.
var errForbidden = errors.New("the role does not allow it")

// maxForm is the most bytes of a form.
const maxForm = 16 << 10

// guard lets a request through to its handler: from this site, in a session, with a role that allows it.
func (c *Console) guard(w http.ResponseWriter, r *http.Request, needs access.Permission, h handler) error {
	if err := c.origin.Check(r); err != nil {
		return &access.Refusal{Reason: access.WrongForm, Err: errors.New("it comes from another site")}
	}
	if r.Method == http.MethodPost {
		if err := readForm(w, r); err != nil {
			return err
		}
	}
	if needs == "" {
		return h(w, visit{r, nil})
	}
	session, err := c.session(w, r)
	if err != nil {
		return err
	}
	if !session.Operator.May(needs) {
		return errForbidden
	}
	return h(w, visit{r, session})
}

// session finds the session of a request. In a demo it makes one for whoever sits at this machine.
func (c *Console) session(w http.ResponseWriter, r *http.Request) (*access.Session, error) {
	session, err := c.cfg.Sessions.Of(w, r)
	if access.ReasonOf(err) == "" || !c.cfg.LoginLess || !local(r) {
		return session, err
	}
	return c.cfg.Sessions.Begin(r.Context(), w, r, access.Operator{
		Name: "demo", Roles: []access.Role{access.OperatorRole, access.Administrator}, How: access.ByLoopback,
	})
}

// local reports whether a request comes from this machine, and by its own name: a page of somebody else's could send a
// browser here under another.
func local(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return err == nil && access.IsLoopback(from) && access.IsLoopback(host)
}

// errForm is a form that no page of ours sends.
var errForm = errors.New("not a form of this console")

// readForm reads the body of a POST: a small form, as it is.
func readForm(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Content-Encoding") != "" ||
		!strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return errForm
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return errForm
	}
	for _, values := range r.PostForm {
		if len(values) != 1 {
			return errForm
		}
	}
	return nil
}

// navigates reports whether a person waits for a page, rather than a script for data.
func navigates(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// fail is the one place where errors are answered.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	reason := access.ReasonOf(err)
	where := r.Pattern // never the path, which anybody can write anything into
	switch {
	case errors.Is(err, access.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, gateway.ErrUnavailable):
		c.cfg.Logger.ErrorContext(r.Context(), "console: not now", "route", where, "error", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "not now; try again later", http.StatusServiceUnavailable)
	case errors.Is(err, errForbidden):
		c.cfg.Logger.InfoContext(r.Context(), "console: refused", "reason", "role", "route", where)
		http.Error(w, "your role does not allow this", http.StatusForbidden)
	case reason == access.WrongForm, reason == access.ReplayedForm:
		c.cfg.Logger.InfoContext(r.Context(), "console: refused", "reason", string(reason), "route", where)
		http.Error(w, "this form was sent before, is too old, or is not ours; nothing was changed: open the page again",
			http.StatusForbidden)
	case errors.Is(err, errForm):
		c.cfg.Logger.InfoContext(r.Context(), "console: refused", "reason", "form", "route", where)
		http.Error(w, "not a form of this console", http.StatusBadRequest)
	case reason != "":
		if reason != access.NoSession {
			c.cfg.Logger.InfoContext(r.Context(), "console: refused", "reason", string(reason), "route", where)
		}
		if navigates(r) {
			http.Redirect(w, r, Root+"login?return="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		http.Error(w, "log in at "+Root, http.StatusUnauthorized)
	case errors.Is(err, gateway.ErrNotFound):
		http.Error(w, "there is nothing here", http.StatusNotFound)
	default:
		c.cfg.Logger.ErrorContext(r.Context(), "console: request failed", "route", where, "error", err)
		http.Error(w, "the journal does not answer; reload the page later", http.StatusServiceUnavailable)
	}
}

// home is where somebody goes who logged in: what they wanted, when it is a page of ours.
func home(wanted string) string {
	u, err := url.Parse(wanted)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || strings.ContainsAny(wanted, "\\\r\n\t") {
		return Root
	}
	clean := path.Clean(u.Path)
	if !strings.HasPrefix(clean+"/", Root) || strings.HasPrefix(clean, Root+"log") {
		return Root
	}
	if strings.HasSuffix(u.Path, "/") {
		clean = strings.TrimSuffix(clean, "/") + "/"
	}
	return (&url.URL{Path: clean, RawQuery: u.RawQuery}).String()
}
