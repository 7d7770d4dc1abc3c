package config

import (
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// The broker of Beskedfordeler, by environment.
// [src: SF1461-PACKAGE]
var brokers = map[string]string{
	"exttest": "amqps://beskedfordeler.eksterntest-stoettesystemerne.dk:5671/BF",
	"prod":    "amqps://beskedfordeler.stoettesystemerne.dk:5671/BF",
}

func (c *Config) checkBeskedfordeler(f *findings) {
	b := c.Beskedfordeler
	f.oneOf("beskedfordeler.mode", b.Mode, "pull", "push", "off")
	for _, id := range b.Systems {
		if _, err := uuid.Parse(id); err != nil {
			f.add("beskedfordeler.systems", "not a UUID", "the id of your user system, as RelateretObjekt names it in statuses")
		}
	}
	switch b.Mode {
	case "pull":
		c.checkPull(f)
	case "push":
		f.address("beskedfordeler.listen", b.Listen)
		pair(f, "beskedfordeler", b.CertificateFile, b.KeyFile, true)
		certificatePool(f, "beskedfordeler.client_ca_file", b.ClientCAFile, true)
		if _, err := beskedfordeler.PinnedSubjects(b.Subjects); len(b.Subjects) > 0 && err != nil {
			f.add("beskedfordeler.subjects", err.Error(), "as openssl x509 -noout -subject -nameopt RFC2253 shows it")
		}
	}
}

func (c *Config) checkPull(f *findings) {
	b := c.Beskedfordeler
	u, err := url.Parse(b.AMQPURL)
	switch {
	case b.AMQPURL == "":
		f.add("beskedfordeler.amqp_url", "missing", "amqps://HOST:5671/BF; environments exttest and prod have theirs by default")
	case err != nil || u.Scheme != "amqps" || u.Host == "" || strings.Trim(u.Path, "/") == "":
		f.add("beskedfordeler.amqp_url", "not the address of a broker", "amqps://HOST:5671/BF")
	case u.User != nil:
		f.add("beskedfordeler.amqp_url", "holds a user", "the certificate of serviceplatformen logs in")
	}
	if b.Consumers < 1 || b.Consumers > 32 {
		f.add("beskedfordeler.consumers", "not between 1 and 32", "1 takes one message at a time in all; default 16")
	}
	if _, err := uuid.Parse(b.Queue); err != nil {
		f.add("beskedfordeler.queue", "not a UUID", "the UUID of the dueslag, from its page in Beskedfordeler")
	}
}
