package config

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/documents/s3"
	"github.com/brevdue/brevdue/gateway/download"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/gateway/window"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/sts"
)

func (c *Config) setDefaults() {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&c.HTTP.Listen, "127.0.0.1:8080")
	def(&c.Journal.URL, "sqlite:brevdue-data/brevdue.db")
	def(&c.Queue.URL, "embedded")
	def(&c.Documents.URL, "file:brevdue-data/documents")
	def(&c.Serviceplatformen.Environment, "sim")
	def(&c.Serviceplatformen.Signature, string(signature.Detached))
	def(&c.Serviceplatformen.MemoVersion, string(memo.V1_1))
	def(&c.Serviceplatformen.STS, string(sts.REST))
	def(&c.Beskedfordeler.Mode, "pull")
	def(&c.Beskedfordeler.AMQPURL, brokers[c.Serviceplatformen.Environment])
	def(&c.Beskedfordeler.EntityID, beskedfordeler.PullEntityID)
	def(&c.Beskedfordeler.Listen, "127.0.0.1:8445")
	if c.Beskedfordeler.Consumers == 0 {
		c.Beskedfordeler.Consumers = 16
	}
	def(&c.Log.Level, "info")
	def(&c.Log.Format, "json")
	if len(c.SF1606.Authorities) == 0 && c.Serviceplatformen.CVR != "" {
		c.SF1606.Authorities = []string{c.Serviceplatformen.CVR}
	}
	if c.HTTP.MaxBody == 0 {
		c.HTTP.MaxBody = 16 << 20
	}
	for n := range c.Producers {
		if len(c.Producers[n].Scopes) == 0 {
			c.Producers[n].Scopes = scopes()
		}
	}
	for n := range c.Operators {
		if len(c.Operators[n].Roles) == 0 {
			c.Operators[n].Roles = []string{string(access.Reader)}
		}
	}
}

// scopes are what a producer is allowed that has no list: everything about its own letters.
func scopes() []string {
	return scopeNames(httpapi.Scopes())
}

func scopeNames(list []httpapi.Scope) []string {
	out := make([]string, len(list))
	for n, s := range list {
		out[n] = string(s)
	}
	return out
}

// findings collects problems of one configuration.
type findings struct{ list Errors }

func (f *findings) add(key, text, hint string) {
	f.list = append(f.list, Error{Key: key, Text: text, Hint: hint})
}

func (f *findings) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		f.add(key, "unknown value "+strconv.Quote(value), "use one of: "+strings.Join(allowed, ", "))
	}
}

func (f *findings) address(key, value string) {
	if _, _, err := net.SplitHostPort(value); err != nil {
		f.add(key, "not an address", "use host:port, e.g. 127.0.0.1:8080")
	}
}

func (f *findings) cvr(key, value string) {
	if _, err := gateway.ParseCVR(value); err != nil {
		f.add(key, "not a CVR number", "a CVR number is eight digits, in quotes")
	}
}

// check lists everything that would keep the process from working.
func (c *Config) check() Errors {
	var f findings
	f.address("http.listen", c.HTTP.Listen)
	if c.Metrics.Listen != "" {
		f.address("metrics.listen", c.Metrics.Listen)
	}
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "json", "text")
	c.checkJournal(&f)
	c.checkDocuments(&f)
	if err := queue.CheckURL(c.Queue.URL); err != nil {
		f.add("queue.url", err.Error(),
			"redis://HOST, redis-sentinel://HOST,HOST,HOST?master=NAME, redis-cluster://HOST,HOST,HOST, rediss: with TLS")
	}
	pair(&f, "http", c.HTTP.CertificateFile, c.HTTP.KeyFile, false)
	c.checkServiceplatformen(&f)
	c.checkBeskedfordeler(&f)
	c.checkSF1606(&f)
	c.checkSenders(&f)
	c.checkWindows(&f)
	c.checkChannels(&f)
	c.checkPeople(&f)
	c.checkAccess(&f)
	c.checkDownloads(&f)
	c.Retention.check(&f)
	if c.Keys.MasterFile != "" && c.Keys.File == "" {
		f.add("keys.file", "missing, and there is a keys.master_file", "name the file whose keys the master key seals")
	}
	if _, err := c.Codes(); err != nil {
		f.add("codes_file", err.Error(), "CSV with a header and rows as in sf1601/codes.csv")
	}
	c.warn()
	return f.list
}

func (c *Config) checkDocuments(f *findings) {
	const hint = "file:DIR, or s3://BUCKET?region=REGION&endpoint=URL&prefix=PREFIX&path_style=true"
	switch scheme(c.Documents.URL) {
	case "file":
	case "s3":
		if err := s3.CheckURL(c.Documents.URL); err != nil {
			f.add("documents.url", err.Error(), hint)
		}
	default:
		f.add("documents.url", "unknown document store "+strconv.Quote(scheme(c.Documents.URL)+":"), hint)
	}
}

func scheme(url string) string {
	s, _, _ := strings.Cut(url, ":")
	return s
}

func (c *Config) checkSenders(f *findings) {
	if len(c.Senders) == 0 {
		f.add("senders", "no sender profile", "an intent names one: senders: {jobcenter: {cvr: ..., label: ...}}")
	}
	for name, s := range c.Senders {
		f.cvr("senders."+name+".cvr", s.CVR)
		if n := len([]rune(s.Label)); n == 0 || n > gateway.MaxText {
			f.add("senders."+name+".label", "missing or over 256 characters", "what the recipient sees as sender")
		}
		c.checkWindowName(f, "senders."+name+".window", s.Window)
	}
}

func (c *Config) checkWindows(f *findings) {
	for name, w := range c.Windows {
		if _, err := w.Parse(); err != nil {
			f.add("windows."+name, err.Error(), "")
		}
	}
}

// checkWindowName demands that a window of this name is defined, or none named.
func (c *Config) checkWindowName(f *findings, key, name string) {
	if _, known := c.Windows[name]; name != "" && !known {
		f.add(key, "there is no window "+strconv.Quote(name), "define it under windows")
	}
}

// Parse makes the window.
func (w Window) Parse() (window.Window, error) {
	return window.Parse(window.Spec{From: w.From, To: w.To, Days: w.Days, Zone: w.Zone, Holidays: w.Holidays})
}

// Codes loads the table of the far ends' codes: the default one with the rows of codes_file.
func (c *Config) Codes() (*sf1601.Table, error) {
	if c.CodesFile == "" {
		return sf1601.DefaultTable(), nil
	}
	return sf1601.LoadTable(c.CodesFile)
}

func (c *Config) checkDownloads(f *findings) {
	if c.Downloads == (Downloads{}) {
		return
	}
	s, err := c.Downloads.Signer()
	if err != nil {
		f.add("downloads.key_file", err.Error(), "32 random bytes in hex, e.g. from: openssl rand -hex 32")
		return
	}
	if err := s.Validate(); err != nil {
		f.add("downloads.base_url", err.Error(), "where recipients reach this gateway, e.g. https://post.testby.example/hent")
	}
}

// Signer makes what signs the links.
func (d Downloads) Signer() (*download.Signer, error) {
	raw, err := os.ReadFile(d.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("the key cannot be read: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != download.KeySize {
		return nil, download.ErrKey
	}
	return &download.Signer{Key: key, BaseURL: d.BaseURL, Life: d.Life, Now: time.Now}, nil
}

// warn notes keys that are understood but idle in this version, so that nobody relies on them.
func (c *Config) warn() {
	idle := func(set bool, key, what string) {
		if set {
			c.warnings = append(c.warnings, key+": "+what)
		}
	}
	idle(c.Keys.File == "" && slices.Contains([]string{"exttest", "prod"}, c.Serviceplatformen.Environment), "keys.file",
		"nothing is encrypted at rest: whoever gets hold of the database, the document folder or a backup reads every letter; "+
			"set it and run: brevdue keys init --config FILE")
	for name, ch := range c.Channels {
		idle(name == "sms", "channels."+name, "the channel is not in this version; intents that name it are refused")
		idle(ch.URL != "" && name != "smtp", "channels."+name+".url", "only smtp has a server of its own")
	}
	slices.Sort(c.warnings)
}
