package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// SessionConfig is what [Sessions] are made of. The zero value is fit for one process.
type SessionConfig struct {
	// Keys encrypt the cookies: KeySize random bytes each, the first for new ones. Processes that serve the same console have
	// the same. None: a random key, and a restart ends every session.
	Keys [][]byte
	// Once is shared by the same processes; nil: a memory of this one.
	Once Once
	Idle time.Duration // a session without a request for that long is over; default 30 minutes
	Life time.Duration // no session is longer; default 10 hours
	// Insecure lets the cookie travel over plain HTTP. Only for a console that is reached on this machine and nowhere else.
	Insecure bool
	Now      func() time.Time // nil: time.Now
}

// Sessions are the logins of operators. A session is a cookie that only this console can read or make; what has to be known
// on this side is only which ones were ended. It is safe for concurrent use.
type Sessions struct {
	cookies, forms *seal
	once           Once
	idle, life     time.Duration
	secure         bool
	now            func() time.Time
}

// Session is one login.
type Session struct {
	ID       string
	Operator Operator
	Began    time.Time
	Seen     time.Time // a request was seen about then: within slideAfter
}

// slideAfter is how long after Seen a request renews the cookie, so that not every answer sets one.
const slideAfter = time.Minute

// NewSessions checks the configuration.
func NewSessions(cfg SessionConfig) (*Sessions, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Once == nil {
		cfg.Once = NewMemory(cfg.Now)
	}
	if cfg.Idle == 0 {
		cfg.Idle = 30 * time.Minute
	}
	if cfg.Life == 0 {
		cfg.Life = 10 * time.Hour
	}
	if cfg.Idle < 2*slideAfter || cfg.Life < cfg.Idle {
		return nil, errors.New("access: a session's Idle is at least 2 minutes, and its Life at least its Idle")
	}
	s := &Sessions{once: cfg.Once, idle: cfg.Idle, life: cfg.Life, secure: !cfg.Insecure, now: cfg.Now}
	if len(cfg.Keys) == 0 {
		cfg.Keys = [][]byte{NewKey()}
	}
	var err error
	if s.cookies, err = newSeal(cfg.Keys, "session"); err != nil {
		return nil, err
	}
	if s.forms, err = newSeal(cfg.Keys, "form"); err != nil {
		return nil, err
	}
	return s, nil
}

// sealed is what the cookie holds. Names are short: a cookie travels with every request.
type sealed struct {
	ID    string `json:"i"`
	Name  string `json:"n"`
	Roles []Role `json:"r"`
	How   How    `json:"h"`
	Began int64  `json:"b"` // Unix seconds
	Seen  int64  `json:"s"`
}

// CookieName is the name of the session's cookie. Its prefix keeps other hosts of the domain from setting it.
// [src: RFC-6265BIS 4.1.3.2]
func (s *Sessions) CookieName() string {
	if s.secure {
		return "__Host-brevdue"
	}
	return "brevdue"
}

// Begin starts a session for an operator who proved who they are. Whatever session the browser had before is ended: nobody
// can hand somebody a session to log in with.
func (s *Sessions) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, o Operator) (*Session, error) {
	if old, err := s.read(r); err == nil {
		if err := s.forget(ctx, old); err != nil {
			return nil, err
		}
	}
	now := s.now()
	session := &Session{ID: rand.Text(), Operator: o, Began: now, Seen: now}
	return session, s.give(w, session)
}

// Of finds the session of a request, and renews its cookie when it is due.
//
// The error is a *Refusal (NoSession when there is none), or ErrUnavailable when it is not known whether it was ended.
func (s *Sessions) Of(w http.ResponseWriter, r *http.Request) (*Session, error) {
	session, err := s.read(r)
	if err != nil {
		return nil, err
	}
	ended, err := s.once.Marked(r.Context(), mark("session", session.ID))
	if err != nil {
		return nil, fmt.Errorf("%w: sessions that were ended: %w", ErrUnavailable, err)
	}
	if ended {
		return nil, refuse(EndedSession)
	}
	if now := s.now(); now.Sub(session.Seen) >= slideAfter {
		session.Seen = now
		if err := s.give(w, session); err != nil {
			return nil, err
		}
	}
	return session, nil
}

// End ends a session everywhere, and takes its cookie away.
func (s *Sessions) End(ctx context.Context, w http.ResponseWriter, session *Session) error {
	if err := s.forget(ctx, session); err != nil {
		return err
	}
	http.SetCookie(w, s.cookie("", -1))
	return nil
}

func (s *Sessions) forget(ctx context.Context, session *Session) error {
	if _, err := s.once.Mark(ctx, mark("session", session.ID), session.Began.Add(s.life)); err != nil {
		return fmt.Errorf("%w: end a session: %w", ErrUnavailable, err)
	}
	return nil
}

// read opens the cookie of a request and looks at its times.
func (s *Sessions) read(r *http.Request) (*Session, error) {
	cookie, err := r.Cookie(s.CookieName())
	if err != nil || cookie.Value == "" {
		return nil, refuse(NoSession)
	}
	var in sealed
	if err := s.cookies.open(cookie.Value, "", &in); err != nil {
		return nil, refuse(BrokenSession)
	}
	session := &Session{
		ID: in.ID, Operator: Operator{Name: in.Name, Roles: in.Roles, How: in.How},
		Began: time.Unix(in.Began, 0), Seen: time.Unix(in.Seen, 0),
	}
	switch now := s.now(); {
	case now.Sub(session.Began) >= s.life:
		return nil, refuse(ExpiredSession)
	case now.Sub(session.Seen) >= s.idle:
		return nil, refuse(IdleSession)
	}
	return session, nil
}

// give sets the cookie of a session.
func (s *Sessions) give(w http.ResponseWriter, session *Session) error {
	o := session.Operator
	value, err := s.cookies.close(sealed{
		session.ID, o.Name, o.Roles, o.How, session.Began.Unix(), session.Seen.Unix(),
	}, "")
	if err != nil {
		return err
	}
	if len(value) > maxCookie-256 {
		return errors.New("access: the operator's name and roles do not fit in a cookie")
	}
	http.SetCookie(w, s.cookie(value, 0))
	return nil
}

// cookie is one that ends with the browser, unless age says sooner, and is sent by no other site's request but a link.
func (s *Sessions) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure, but on this machine
		Name: s.CookieName(), Value: value, Path: "/", MaxAge: age, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// mark is what is remembered of an id: its hash, so that the store has nothing that could be used.
func mark(kind, id string) string {
	sum := sha256.Sum256([]byte(kind + " " + id))
	return hex.EncodeToString(sum[:16])
}

// form is what a form's token holds.
type form struct {
	ID   string `json:"i"`
	Made int64  `json:"m"`
}

// formLife is how long a page may stand open before its forms are sent.
const formLife = time.Hour

// FormToken makes the token of a form: for this session, this action (the path that the form is posted to), and one time.
func (s *Sessions) FormToken(session *Session, action string) (string, error) {
	return s.forms.close(form{rand.Text(), s.now().Unix()}, session.ID+" "+action)
}

// Spend takes the token of a form that was sent.
//
// The error is a *Refusal: WrongForm when it is none of this session and action or too old, ReplayedForm when it was sent
// before; or ErrUnavailable when that is not known.
func (s *Sessions) Spend(ctx context.Context, session *Session, action, token string) error {
	var f form
	if err := s.forms.open(token, session.ID+" "+action, &f); err != nil {
		return refuse(WrongForm)
	}
	until := time.Unix(f.Made, 0).Add(formLife)
	if !s.now().Before(until) {
		return refuse(WrongForm)
	}
	first, err := s.once.Mark(ctx, mark("form", f.ID), until)
	if err != nil {
		return fmt.Errorf("%w: forms that were sent: %w", ErrUnavailable, err)
	}
	if !first {
		return refuse(ReplayedForm)
	}
	return nil
}
