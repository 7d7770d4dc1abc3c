package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway/hygiene"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1606"
)

// SF1606 is the receiver of inbound post. Without Listen and without NgDP nothing is received.
type SF1606 struct {
	Listen          string   `koanf:"listen"`
	Path            string   `koanf:"path"` // default sf1606.DefaultPath
	CertificateFile string   `koanf:"certificate_file"`
	KeyFile         string   `koanf:"key_file"`
	ClientCAFile    string   `koanf:"client_ca_file"` // who may deliver
	Pins            []Pin    `koanf:"pins"`           // of them only these; default all
	Authorities     []string `koanf:"authorities"`    // CVR numbers that are received for; default serviceplatformen.cvr
	Format          string   `koanf:"format"`         // of receipts where Accept is silent: json (default), xml
	RefusedStatus   int      `koanf:"refused_status"` // HTTP status of a refusal; default 400

	RoutesFile  string `koanf:"routes_file"` // distribution rules; required
	Concurrency int    `koanf:"concurrency"` // posts on their way to their targets at once; default 20
	MailFrom    string `koanf:"mail_from"`   // sender of mail to a desk
	MailMax     int64  `koanf:"mail_max"`    // largest mail to a desk, bytes; default 25,000,000
	AMQPMax     int64  `koanf:"amqp_max"`    // largest message to a broker, bytes; default 16 MiB
	PublicURL   string `koanf:"public_url"`  // where systems reach this API, for links to documents, e.g. https://brevdue.testby.example

	Clamd    string   `koanf:"clamd"`    // unix:/run/clamav/clamd.ctl or tcp:HOST:PORT; default none
	OnFlag   string   `koanf:"on_flag"`  // of a flagged document: quarantine (default), refuse, deliver
	Flag     []string `koanf:"flag"`     // findings to flag beyond the default
	Tolerate []string `koanf:"tolerate"` // findings that flag nothing

	NgDP NgDP `koanf:"ngdp"`
}

// Pin names a caller by parts of its certificate; all that are given must fit.
type Pin struct {
	SerialNumber string `koanf:"serial_number"` // serialNumber of the subject, e.g. UI:DK-O:G:<uuid>
	Organization string `koanf:"organization"`  // organizationIdentifier, e.g. NTRDK-<CVR>
	CommonName   string `koanf:"common_name"`
	SPKI         string `koanf:"spki"` // SHA-256 of the public key
}

// NgDP is the pull of messages from Digital Post itself.
type NgDP struct {
	URL      string        `koanf:"url"`      // root of the API, https; default none: nothing is pulled
	Interval time.Duration `koanf:"interval"` // default 30s
	Parallel int           `koanf:"parallel"` // messages at a time; default 1
	Keep     bool          `koanf:"keep"`     // leave accepted messages there
}

// Receives reports whether inbound post comes in by any road.
func (s *SF1606) Receives() bool { return s.Listen != "" || s.NgDP.URL != "" }

func (c *Config) checkSF1606(f *findings) {
	s := &c.SF1606
	if !s.Receives() {
		if s.Path != "" || s.RoutesFile != "" || s.CertificateFile != "" {
			f.add("sf1606.listen", "missing", "the address of the listener, or sf1606.ngdp.url; leave the section out to receive nothing")
		}
		return
	}
	if s.Listen != "" {
		f.address("sf1606.listen", s.Listen)
		pair(f, "sf1606", s.CertificateFile, s.KeyFile, true)
		certificatePool(f, "sf1606.client_ca_file", s.ClientCAFile, true)
	}
	if s.Path != "" && !strings.HasPrefix(s.Path, "/") {
		f.add("sf1606.path", "does not begin with /", "e.g. "+sf1606.DefaultPath)
	}
	f.oneOf("sf1606.format", s.Format, "", string(sf1606.FormatJSON), string(sf1606.FormatXML))
	for n, cvr := range s.Authorities {
		f.cvr("sf1606.authorities."+strconv.Itoa(n), cvr)
	}
	for n, p := range s.Pins {
		if p == (Pin{}) {
			f.add("sf1606.pins."+strconv.Itoa(n), "empty", "serial_number, organization, common_name or spki")
		}
	}
	if s.RefusedStatus != 0 && (s.RefusedStatus < 200 || s.RefusedStatus > 599) {
		f.add("sf1606.refused_status", "not an HTTP status", "from 200 to 599")
	}
	c.checkRoutes(f)
	c.checkFindings(f)
	if u, err := url.Parse(s.NgDP.URL); s.NgDP.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		f.add("sf1606.ngdp.url", "not an https URL", "the root of the API")
	}
	if s.MailMax < 0 || s.AMQPMax < 0 || s.Concurrency < 0 {
		f.add("sf1606", "mail_max, amqp_max or concurrency is negative", "leave it out for the default")
	}
	if u, err := url.Parse(s.PublicURL); s.PublicURL != "" && (err != nil || u.Host == "" || u.User != nil || u.RawQuery != "") {
		f.add("sf1606.public_url", "not a URL", "e.g. https://brevdue.testby.example")
	}
}

// checkRoutes reads the distribution rules and sees that what they need is there.
func (c *Config) checkRoutes(f *findings) {
	s := &c.SF1606
	if s.RoutesFile == "" {
		f.add("sf1606.routes_file", "missing", "the distribution rules; see docs/routing.md")
		return
	}
	rules, err := routing.Load(s.RoutesFile)
	if err != nil {
		f.add("sf1606.routes_file", err.Error(), "brevdue routes check --routes "+s.RoutesFile)
		return
	}
	for n, p := range c.Producers {
		for _, name := range p.Targets {
			if _, known := rules.Target(name); !known {
				f.add("producers."+strconv.Itoa(n)+".targets", "there is no target "+strconv.Quote(name),
					"the names are those of "+s.RoutesFile)
			}
		}
	}
	for _, t := range rules.Targets() {
		if t.Kind != routing.Mail {
			continue
		}
		if c.Channels["smtp"].URL == "" {
			f.add("channels.smtp.url", "missing", "the target "+t.Name+" of the rules is a mailbox")
		}
		if s.MailFrom == "" {
			f.add("sf1606.mail_from", "missing", "the target "+t.Name+" of the rules is a mailbox")
		}
	}
}

func (c *Config) checkFindings(f *findings) {
	s := &c.SF1606
	for key, list := range map[string][]string{"flag": s.Flag, "tolerate": s.Tolerate} {
		for _, code := range list {
			if !slices.Contains(hygiene.Codes(), hygiene.Code(code)) {
				f.add("sf1606."+key, "unknown finding "+strconv.Quote(code), "e.g. pdf.script; see docs/inbound.md")
			}
		}
	}
	f.oneOf("sf1606.on_flag", s.OnFlag, "", string(inbound.Quarantine), string(inbound.Refuse), string(inbound.Deliver))
	if kind, _, _ := strings.Cut(s.Clamd, ":"); s.Clamd != "" && kind != "unix" && kind != "tcp" {
		f.add("sf1606.clamd", "not an address", "unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310")
	}
}
