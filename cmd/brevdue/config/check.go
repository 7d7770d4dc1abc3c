package config

import (
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/download"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/gateway/window"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
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
	def(&c.Beskedfordeler.Mode, "push")
	def(&c.Beskedfordeler.Listen, "127.0.0.1:8445")
	def(&c.Log.Level, "info")
	def(&c.Log.Format, "json")
	if c.HTTP.MaxBody == 0 {
		c.HTTP.MaxBody = 16 << 20
	}
	for n := range c.Producers {
		if len(c.Producers[n].Scopes) == 0 {
			c.Producers[n].Scopes = scopes()
		}
	}
}

// scopes are what a producer may be allowed; without a list it is allowed everything.
func scopes() []string {
	var names []string
	for _, s := range httpapi.Scopes() {
		names = append(names, string(s))
	}
	return names
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
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "json", "text")
	if scheme, _, _ := strings.Cut(c.Journal.URL, ":"); scheme != "sqlite" {
		f.add("journal.url", "unknown journal "+strconv.Quote(scheme+":"), "this version keeps its journal in SQLite: sqlite:PATH")
	}
	if scheme, _, _ := strings.Cut(c.Documents.URL, ":"); scheme != "file" {
		f.add("documents.url", "unknown document store "+strconv.Quote(scheme+":"), "this version keeps documents in a folder: file:DIR")
	}
	f.oneOf("queue.url", scheme(c.Queue.URL), "embedded", "redis", "rediss", "redis-sentinel", "redis-cluster")
	pair(&f, "http", c.HTTP.CertificateFile, c.HTTP.KeyFile, false)
	c.checkServiceplatformen(&f)
	c.checkBeskedfordeler(&f)
	c.checkSenders(&f)
	c.checkWindows(&f)
	c.checkChannels(&f)
	c.checkPeople(&f)
	c.checkDownloads(&f)
	if _, err := c.Codes(); err != nil {
		f.add("codes_file", err.Error(), "CSV with a header and rows as in sf1601/codes.csv")
	}
	c.warn()
	return f.list
}

func scheme(url string) string {
	s, _, _ := strings.Cut(url, ":")
	return s
}

func (c *Config) checkServiceplatformen(f *findings) {
	s := c.Serviceplatformen
	f.oneOf("serviceplatformen.environment", s.Environment, "sim", "exttest", "prod", "custom")
	f.oneOf("serviceplatformen.signature", s.Signature,
		string(signature.Detached), string(signature.TechnicalDocument), string(signature.Enveloped))
	f.oneOf("serviceplatformen.memo_version", s.MemoVersion, string(memo.V1_1), string(memo.V1_2))
	f.cvr("serviceplatformen.cvr", s.CVR)
	if s.Environment == "custom" {
		if err := (sf1601.Endpoints{STS: s.STSURL, Base: s.BaseURL}).Validate(); err != nil {
			key := "serviceplatformen.base_url"
			if strings.Contains(err.Error(), "STS") {
				key = "serviceplatformen.sts_url"
			}
			f.add(key, err.Error(), "with environment custom both sts_url and base_url are needed")
		}
	} else if s.STSURL != "" || s.BaseURL != "" {
		f.add("serviceplatformen.environment", "sts_url and base_url are for environment custom only",
			"set environment: custom, or leave them out")
	}
	if _, key, err := c.Certificate(); err != nil {
		f.add(key, err.Error(),
			hint(err, "the system certificate as PEM (certificate_file, key_file), or as PKCS#12 (pkcs12_file, password_file)"))
	}
	certificatePool(f, "serviceplatformen.ca_file", s.CAFile, false)
}

// hint prefers what the error itself advises.
func hint(err error, otherwise string) string {
	var e *sf1601.CertificateError
	if errors.As(err, &e) && e.Hint != "" {
		return e.Hint
	}
	return otherwise
}

// Certificate loads the system certificate, and names the key that is at fault when it cannot.
func (c *Config) Certificate() (tls.Certificate, string, error) {
	s := c.Serviceplatformen
	key := "serviceplatformen.certificate_file"
	var cert tls.Certificate
	var err error
	if s.PKCS12File != "" {
		key = "serviceplatformen.pkcs12_file"
		cert, err = sf1601.LoadPKCS12(s.PKCS12File, s.PasswordFile)
	} else {
		if s.CertificateFile != "" && s.KeyFile == "" {
			key = "serviceplatformen.key_file"
		}
		cert, err = sf1601.LoadPEM(s.CertificateFile, s.KeyFile)
	}
	if err == nil {
		err = sf1601.CheckCertificate(cert, time.Now())
	}
	return cert, key, err
}

func (c *Config) checkBeskedfordeler(f *findings) {
	b := c.Beskedfordeler
	switch b.Mode {
	case "pull":
		f.add("beskedfordeler.mode", "pull is not in this version", "use push, or off")
	case "push":
		f.address("beskedfordeler.listen", b.Listen)
		pair(f, "beskedfordeler", b.CertificateFile, b.KeyFile, true)
		certificatePool(f, "beskedfordeler.client_ca_file", b.ClientCAFile, true)
	default:
		f.oneOf("beskedfordeler.mode", b.Mode, "push", "pull", "off")
	}
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

// RampOrDefault is the ramp of the channel.
func (c Channel) RampOrDefault() time.Duration {
	if c.Ramp == nil {
		return DefaultRamp
	}
	return *c.Ramp
}

// Parse makes the window.
func (w Window) Parse() (window.Window, error) {
	return window.Parse(window.Spec{From: w.From, To: w.To, Days: w.Days, Zone: w.Zone, Holidays: w.Holidays})
}

func (c *Config) checkChannels(f *findings) {
	for name, ch := range c.Channels {
		at := "channels." + name
		f.oneOf(at, name, "digitalpost", "nemsms", "smtp", "print", "automatic", "sms")
		f.oneOf(at+".on_unknown", ch.OnUnknown, "", string(gateway.Resend), string(gateway.Hold))
		c.checkWindowName(f, at+".window", ch.Window)
		if r := ch.RampOrDefault(); r < 0 || r > gateway.LongestRamp {
			f.add(at+".ramp", "not between 0s and "+gateway.LongestRamp.String(), "a duration such as 10m; 0s for none")
		}
		if _, err := ch.PerSecond(); err != nil {
			f.add(at+".rate", err.Error(), "e.g. 50/s or 3000/m")
		}
		f.oneOf(at+".ask_first", ch.AskFirst, "", "never", "fallback", "always")
		if name == "smtp" {
			if _, err := smtp.ParseURL(ch.URL); err != nil {
				f.add(at+".url", err.Error(), "e.g. smtp://mail.testby.example:587?starttls=required")
			}
		}
		if ch.Concurrency < 0 {
			f.add(at+".concurrency", "negative", "how many letters may be on their way at once; default 20")
		}
		for key, d := range map[string]time.Duration{
			"next_after": ch.NextAfter, "unknown_wait": ch.UnknownWait, "give_up_after": ch.GiveUpAfter,
			"retry_first": ch.RetryFirst, "retry_max": ch.RetryMax,
		} {
			if d < 0 {
				f.add(at+"."+key, "negative", "a duration such as 30s or 2m")
			}
		}
	}
}

var errRate = errors.New("not a rate")

// PerSecond reads the rate; 0 means none.
func (c Channel) PerSecond() (float64, error) {
	if c.Rate == "" {
		return 0, nil
	}
	count, unit, found := strings.Cut(c.Rate, "/")
	n, err := strconv.ParseFloat(count, 64)
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !found || err != nil || n <= 0 || n > 1e6 || per == 0 {
		return 0, errRate
	}
	return n / per, nil
}

func (c *Config) checkPeople(f *findings) {
	names := make(map[string]bool)
	for n, p := range c.Producers {
		at := "producers." + strconv.Itoa(n)
		if p.Name == "" || names[p.Name] {
			f.add(at+".name", "missing or used twice", "every producer has a name of its own")
		}
		names[p.Name] = true
		if _, err := p.Tokens(); err != nil {
			f.add(at+".token_sha256", err.Error(), "make one with: printf %s TOKEN | sha256sum")
		}
		for _, s := range p.Scopes {
			f.oneOf(at+".scopes", s, scopes()...)
		}
	}
	for n, o := range c.Operators {
		at := "operators." + strconv.Itoa(n)
		if o.Name == "" {
			f.add(at+".name", "missing", "what the operator logs in with")
		}
		if _, err := hashes(o.TokenSHA256); err != nil {
			f.add(at+".token_sha256", err.Error(), "make one with: printf %s PASSWORD | sha256sum")
		}
	}
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

// Tokens returns the hashes of a producer's tokens.
func (p Producer) Tokens() ([][32]byte, error) { return hashes(p.TokenSHA256) }

// Hash returns the hash of an operator's password.
func (o Operator) Hash() ([32]byte, error) {
	all, err := hashes(o.TokenSHA256)
	if err != nil {
		return [32]byte{}, err
	}
	return all[0], nil
}

var errHash = errors.New("not the hex of a SHA-256")

func hashes(list string) ([][32]byte, error) {
	var out [][32]byte
	for part := range strings.SplitSeq(list, ",") {
		raw, err := hex.DecodeString(strings.TrimSpace(part))
		if err != nil || len(raw) != 32 {
			return nil, errHash
		}
		out = append(out, [32]byte(raw))
	}
	return out, nil
}

// warn notes keys that are understood but idle in this version, so that nobody relies on them.
func (c *Config) warn() {
	idle := func(set bool, key, what string) {
		if set {
			c.warnings = append(c.warnings, key+": "+what)
		}
	}
	idle(c.Keys.File != "", "keys.file", "encryption at rest is not in this version; data is stored as it is")
	idle(c.SF1606 != (SF1606{}), "sf1606", "inbound post is not in this version; nothing listens")
	for name, ch := range c.Channels {
		idle(name == "sms", "channels."+name, "the channel is not in this version; intents that name it are refused")
		idle(ch.URL != "" && name != "smtp", "channels."+name+".url", "only smtp has a server of its own")
	}
	for _, p := range c.Producers {
		idle(p.Callback.URL != "", "producers."+p.Name+".callback", "callbacks are not in this version; read GET /v1/events")
	}
	slices.Sort(c.warnings)
}
