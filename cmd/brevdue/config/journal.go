package config

import (
	"net/url"
	"strconv"

	"github.com/brevdue/brevdue/gateway/journal"
)

// checkJournal looks at the journal's url. Nothing that is said of it shows it: it may hold a password.
func (c *Config) checkJournal(f *findings) {
	const key = "journal.url"
	switch s := scheme(c.Journal.URL); s {
	case "sqlite":
		if journal.Check(c.Journal.URL) != nil {
			f.add(key, "no file is named", "use sqlite:PATH")
		}
	case "postgres", "postgresql":
		u, err := url.Parse(c.Journal.URL)
		if err != nil {
			f.add(key, "not a url", "use postgres://USER@HOST:PORT/DATABASE; a special character in it is written as %XX")
			return
		}
		if _, set := u.User.Password(); set || u.Query().Has("password") {
			f.add(key, "holds a password", "put the password into a file that only this user can read, in the form of libpq "+
				"(HOST:PORT:DATABASE:USER:PASSWORD), and name it with ?passfile=PATH or PGPASSFILE; or set PGPASSWORD")
			return
		}
		if journal.Check(c.Journal.URL) != nil {
			f.add(key, "PostgreSQL does not understand it", "use postgres://USER@HOST:PORT/DATABASE, with libpq's parameters after ?")
		}
	default:
		f.add(key, "unknown journal "+strconv.Quote(s+":"), "use sqlite:PATH, or postgres://USER@HOST/DATABASE for more than one node")
	}
}
