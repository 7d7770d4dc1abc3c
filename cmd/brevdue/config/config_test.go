package config_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/sf1601"
)

var key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// certificate writes a self-signed pair that ends at the given time and returns the two files.
func certificate(t *testing.T, dir string, notAfter time.Time) (certFile, keyFile string) {
	t.Helper()
	k, err := key()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: notAfter.Add(-48 * time.Hour), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	return certFile, keyFile
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// dueslag is the queue of a pull.
const dueslag = "0f4ed2ae-63d3-4c40-8e1d-0b6b7d4a1f55"

// file writes a valid configuration, changed by replacing old with new pairs, and returns its name.
func file(t *testing.T, notAfter time.Time, changes ...string) string {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile := certificate(t, dir, notAfter)
	text := strings.NewReplacer("CERT", certFile, "KEY", keyFile).Replace(`
serviceplatformen: {environment: sim, certificate_file: "CERT", key_file: "KEY", cvr: "55133018"}
beskedfordeler: {mode: push, certificate_file: "CERT", key_file: "KEY", client_ca_file: "CERT"}
senders: {jobcenter: {cvr: "55133018", label: "Testby Kommune"}}
windows: {day: {from: "09:00", to: "22:00"}}
channels: {digitalpost: {window: day, rate: 50/s}}
producers: [{name: p, token_sha256: "` + strings.Repeat("ab", 32) + `"}]
`)
	path := filepath.Join(dir, "brevdue.yaml")
	write(t, path, []byte(strings.NewReplacer(changes...).Replace(text)))
	return path
}

func TestLoadFillsInDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Load(file(t, time.Now().Add(time.Hour)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:8080" || c.Queue.URL != "embedded" || c.Serviceplatformen.Signature != "detached" ||
		len(c.Producers[0].Scopes) != 2 || len(c.Warnings()) != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestLoadKnowsTheBrokerOfAnEnvironment(t *testing.T) {
	t.Parallel()
	c, err := config.Load(file(t, time.Now().Add(time.Hour), "environment: sim", "environment: exttest",
		"mode: push", "queue: "+dueslag), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := c.Beskedfordeler; b.Mode != "pull" || !strings.Contains(b.AMQPURL, ".eksterntest-stoettesystemerne.dk:5671/BF") {
		t.Fatalf("%+v", b)
	}
}

func TestLoadNamesTheKey(t *testing.T) {
	t.Parallel()
	valid := time.Now().Add(time.Hour)
	for name, tc := range map[string]struct {
		notAfter time.Time
		change   []string
		key      string
		text     string // part of text or hint
	}{
		"unknown key":            {valid, []string{"environment: sim", "surroundings: sim"}, "serviceplatformen.surroundings", "unknown key"},
		"unknown key in a map":   {valid, []string{"rate: 50/s", "pace: 50/s"}, "channels.digitalpost.pace", "unknown key"},
		"unknown section":        {valid, []string{"windows:", "window:"}, "window", "unknown key"},
		"unknown environment":    {valid, []string{"environment: sim", "environment: test"}, "serviceplatformen.environment", "custom"},
		"custom without URLs":    {valid, []string{"environment: sim", "environment: custom"}, "serviceplatformen.sts_url", "https://"},
		"missing certificate":    {valid, []string{`environment: sim, certificate_file: "`, `environment: sim, certificate_file: "/nowhere`}, "serviceplatformen.certificate_file", "PKCS#12"},
		"expired certificate":    {time.Now().Add(-time.Hour), nil, "serviceplatformen.certificate_file", "expired"},
		"expired push":           {time.Now().Add(-time.Hour), nil, "beskedfordeler.certificate_file", "renew"},
		"no trust for push":      {valid, []string{"client_ca_file", "amqp_url"}, "beskedfordeler.client_ca_file", "roots"},
		"unknown mode":           {valid, []string{"mode: push", "mode: pul"}, "beskedfordeler.mode", "unknown value"},
		"pull without queue":     {valid, []string{"mode: push", "mode: pull, amqp_url: 'amqps://b:5671/BF'"}, "beskedfordeler.queue", "not a UUID"},
		"pull without broker":    {valid, []string{"mode: push", "mode: pull, queue: " + dueslag}, "beskedfordeler.amqp_url", "missing"},
		"pull in the clear":      {valid, []string{"mode: push", "mode: pull, queue: " + dueslag + ", amqp_url: 'amqp://b/BF'"}, "beskedfordeler.amqp_url", "not the address"},
		"pull with a password":   {valid, []string{"mode: push", "mode: pull, queue: " + dueslag + ", amqp_url: 'amqps://a:b@b/BF'"}, "beskedfordeler.amqp_url", "holds a user"},
		"pull without vhost":     {valid, []string{"mode: push", "mode: pull, queue: " + dueslag + ", amqp_url: 'amqps://b:5671/'"}, "beskedfordeler.amqp_url", "not the address"},
		"system that is no UUID": {valid, []string{"mode: push", "mode: push, systems: [os2]"}, "beskedfordeler.systems", "not a UUID"},
		"inbound without rules": {valid, []string{"senders:", "sf1606: {listen: 127.0.0.1:0, certificate_file: \"CERT\", key_file: \"KEY\", client_ca_file: \"CERT\"}\nsenders:"},
			"sf1606.routes_file", "missing"},
		"inbound without a listener": {valid, []string{"senders:", "sf1606: {routes_file: routes.yaml}\nsenders:"}, "sf1606.listen", "missing"},
		"callback in the clear":      {valid, []string{"name: p,", `name: p, callback: {url: "http://p.example/"},`}, "producers.0.callback.url", "https"},
		"callback without a secret":  {valid, []string{"name: p,", `name: p, callback: {url: "https://p.example/"},`}, "producers.0.callback.secret_file", "missing"},
		"unknown sts":                {valid, []string{"environment: sim", "environment: sim, sts: saml"}, "serviceplatformen.sts", "use one of: rest, soap"},
		"bad CVR":                    {valid, []string{`{cvr: "55133018", label`, `{cvr: "5513301", label`}, "senders.jobcenter.cvr", "eight digits"},
		"bad window":                 {valid, []string{`"09:00"`, `"25:00"`}, "windows.day", "from"},
		"channel's window":           {valid, []string{"window: day", "window: night"}, "channels.digitalpost.window", "windows"},
		"sender's window":            {valid, []string{`label: "Testby Kommune"`, `label: "Testby Kommune", window: night`}, "senders.jobcenter.window", "windows"},
		"bad holidays":               {valid, []string{`to: "22:00"`, `to: "22:00", holidays: closed`}, "windows.day", "next_day"},
		"negative ramp":              {valid, []string{"window: day", "window: day, ramp: -1m"}, "channels.digitalpost.ramp", "10m"},
		"ramp of a day":              {valid, []string{"window: day", "window: day, ramp: 24h"}, "channels.digitalpost.ramp", "12h"},
		"ramp without a unit":        {valid, []string{"window: day", "window: day, ramp: ten"}, "ramp", "wrong form"},
		"bad rate":                   {valid, []string{"50/s", "50/day"}, "channels.digitalpost.rate", "3000/m"},
		"unknown channel":            {valid, []string{"digitalpost:", "fax:"}, "channels.fax", "nemsms"},
		"bad hash":                   {valid, []string{strings.Repeat("ab", 32), "secret"}, "producers.0.token_sha256", "brevdue token new"},
		"value of the wrong form":    {valid, []string{"rate: 50/s", "concurrency: many"}, "concurrency", "wrong form"},
		"duration without a unit":    {valid, []string{"rate: 50/s", "unknown_wait: 10"}, "unknown_wait", "30s or 10m"},
		"journal of no kind":         {valid, []string{"windows:", `journal: {url: "mysql://h/db"}` + "\nwindows:"}, "journal.url", "postgres"},
		"journal without a file":     {valid, []string{"windows:", `journal: {url: "sqlite:"}` + "\nwindows:"}, "journal.url", "sqlite:PATH"},
		"journal with a password":    {valid, []string{"windows:", `journal: {url: "postgres://u:hemmelig@h/db"}` + "\nwindows:"}, "journal.url", "passfile"},
		"password as a parameter":    {valid, []string{"windows:", `journal: {url: "postgres://u@h/db?password=x"}` + "\nwindows:"}, "journal.url", "passfile"},
		"journal that is no url":     {valid, []string{"windows:", `journal: {url: "postgres://u:50%@h/db"}` + "\nwindows:"}, "journal.url", "%XX"},
		"journal of a bad parameter": {valid, []string{"windows:", `journal: {url: "postgres://h/db?sslmode=maybe"}` + "\nwindows:"}, "journal.url", "libpq"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(file(t, tc.notAfter, tc.change...), nil)
			var es config.Errors
			if !errors.As(err, &es) {
				t.Fatalf("error %v", err)
			}
			for _, e := range es {
				if strings.Contains(e.Key, tc.key) && strings.Contains(e.Text+" "+e.Hint, tc.text) {
					return
				}
			}
			t.Fatalf("want %s (%s), got %v", tc.key, tc.text, es)
		})
	}
}

func TestEnvironmentOverlaysEveryKindOfKey(t *testing.T) {
	t.Parallel()
	c, err := config.Load(file(t, time.Now().Add(time.Hour)), []string{
		"PATH=/bin", "BREVDUE_TOKEN=not-a-key", "BREVDUE_URL=not-a-key",
		"BREVDUE_JOURNAL_URL=sqlite:/tmp/other.db", "BREVDUE_SERVICEPLATFORMEN_MEMO_VERSION=1.2",
		"BREVDUE_SENDERS_JOBCENTER_LABEL=Anden By", "BREVDUE_SENDERS_BORGER_SERVICE_CVR=01234567", "BREVDUE_SENDERS_BORGER_SERVICE_LABEL=Service",
		"BREVDUE_CHANNELS_DIGITALPOST_UNKNOWN_WAIT=90s", "BREVDUE_CHANNELS_DIGITALPOST_CONCURRENCY=7",
		`BREVDUE_OPERATORS=[{"name": "anna", "token_sha256": "` + strings.Repeat("cd", 32) + `"}]`,
		"BREVDUE_SENDERS_JOBCENTER_CONTACT_POINT_ID=241d39f6-998e-4929-b198-ccacbbf4b330",
	})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Channels["digitalpost"]
	if c.Journal.URL != "sqlite:/tmp/other.db" || c.Serviceplatformen.MemoVersion != "1.2" || c.Senders["jobcenter"].Label != "Anden By" ||
		c.Senders["borger_service"].CVR != "01234567" || d.UnknownWait != 90*time.Second || d.Concurrency != 7 || d.Window != "day" ||
		c.Operators[0].Name != "anna" || c.Senders["jobcenter"].ContactPoint.ID == "" {
		t.Fatalf("%+v", c)
	}
}

func TestCodesFile(t *testing.T) {
	t.Parallel()
	codes := filepath.Join(t.TempDir(), "codes.csv")
	const head = "code,source,outcome,hint,hint_da,origin,date\n"
	path := file(t, time.Now().Add(time.Hour), "windows:", "codes_file: "+codes+"\nwindows:")
	for content, want := range map[string]string{
		"": "line 1", head + "box.closed,,maybe,h,d,us,2026-01-01\n": `line 2: unknown outcome "maybe"`,
		head + "box.closed,,next,h,d,us,2026-01-01\nbox.closed,,next\n": "line 3",
	} {
		write(t, codes, []byte(content))
		_, err := config.Load(path, nil)
		var es config.Errors
		if !errors.As(err, &es) || len(es) != 1 || es[0].Key != "codes_file" || !strings.Contains(es[0].Text, want) || es[0].Hint == "" {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
	write(t, codes, []byte(head+"box.closed,,next,h,d,us,2026-01-01\n"))
	c, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	table, err := c.Codes()
	if err != nil {
		t.Fatal(err)
	}
	if row, listed := table.Lookup("box.closed"); !listed || row.Outcome != sf1601.OutcomeNext {
		t.Errorf("%+v, %t", row, listed)
	}
}

func TestWindowsAndRamps(t *testing.T) {
	t.Parallel()
	c, err := config.Load(file(t, time.Now().Add(time.Hour),
		`to: "22:00"`, `to: "22:00", holidays: next_day`, `label: "Testby Kommune"`, `label: "Testby Kommune", window: day`,
		"channels: {", "channels: {print: {ramp: 0s}, nemsms: {ramp: 30m}, "), []string{"BREVDUE_CHANNELS_AUTOMATIC_RAMP=90s"})
	if err != nil {
		t.Fatal(err)
	}
	for channel, want := range map[string]time.Duration{
		"digitalpost": 10 * time.Minute, "smtp": 10 * time.Minute, "print": 0, "nemsms": 30 * time.Minute, "automatic": 90 * time.Second,
	} {
		if got := c.Channels[channel].RampOrDefault(); got != want {
			t.Errorf("%s has a ramp of %s, want %s", channel, got, want)
		}
	}
	if got := c.Senders["jobcenter"].Window; got != "day" {
		t.Errorf("the sender's window is %q", got)
	}
}

func TestMisspeltVariableIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"BREVDUE_JORNAL_URL", "BREVDUE_JOURNAL_URLS", "BREVDUE_SENDERS", "BREVDUE_CHANNELS_DIGITALPOST_WINDOWS", "BREVDUE_"} {
		_, err := config.Load(file(t, time.Now().Add(time.Hour)), []string{name + "=[x"})
		var es config.Errors
		if !errors.As(err, &es) || es[0].Key != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdleKeysAreWarnedAbout(t *testing.T) {
	t.Parallel()
	c, err := config.Load(file(t, time.Now().Add(time.Hour), "channels: {", `keys: {file: keyset.json}`+"\nchannels: {sms: {window: day}, "), nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := strings.Join(c.Warnings(), "\n"); strings.Contains(w, "keys.file") || !strings.Contains(w, "channels.sms") {
		t.Fatal(w)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("journal: {url: x}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("senders: [1]\nproducers: {x: 1}"))
	f.Add([]byte("channels: {digitalpost: {unknown_wait: 1}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "c.yaml")
		write(t, path, b)
		_, err := config.Load(path, nil)
		var es config.Errors
		if err != nil && (!errors.As(err, &es) || len(es) == 0 || es[0].Key == "") {
			t.Fatalf("an error without a key: %v", err)
		}
	})
}
