package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// Token is the token of the one producer, and the password of the one operator.
const Token = "end-to-end"

// Gateway is `brevdue serve`, which may be stopped and started again.
type Gateway struct {
	*Process // the latest one

	Dir        string
	API        string // address
	ConfigFile string
	LogFile    string // of all its lives
	Client     *httpapi.Client

	binary string
}

// Options say how a gateway differs from the defaults.
type Options struct {
	DigitalPost map[string]any // channels.digitalpost
	Windows     map[string]any // windows
	Print       int            // forsendelsestype of the sender; 0: it cannot print
	Roles       string         // --roles
	LogLevel    string         // default info
	Pull        bool           // statuses are pulled from a RabbitMQ of its own
	Inbound     *Inbound       // post is received; nil: it is not
	// Change changes the configuration before the first start.
	Change func(settings map[string]any)
}

// newGateway writes the configuration and migrates the journal.
func newGateway(ctx context.Context, binary, dir, api, push string, w *World) (*Gateway, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the gateway: %w", err)
	}
	settings := configuration(dir, api, push, w)
	if w.options.Inbound != nil {
		section, err := w.receiving(dir)
		if err != nil {
			return nil, err
		}
		settings["sf1606"] = section
	}
	if w.options.Change != nil {
		w.options.Change(settings)
	}
	text, err := yaml.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	g := &Gateway{
		Dir: dir, API: api, binary: binary,
		ConfigFile: filepath.Join(dir, "brevdue.yaml"), LogFile: filepath.Join(dir, "serve.log"),
		Client: &httpapi.Client{
			BaseURL: "http://" + api, Token: Token,
			HTTP: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		},
	}
	if err := os.WriteFile(g.ConfigFile, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	if _, err := Run(ctx, binary, dir, "migrate", "--config", g.ConfigFile); err != nil {
		return nil, err
	}
	return g, nil
}

func configuration(dir, api, push string, w *World) map[string]any {
	sim, o := w.Sim, w.options
	hash := sha256.Sum256([]byte(Token))
	token := hex.EncodeToString(hash[:])
	ca, cert, key := filepath.Join(sim.Dir, "ca.pem"), filepath.Join(sim.Dir, "client.pem"), filepath.Join(sim.Dir, "client-key.pem")
	type section = map[string]any
	channel := section{}
	maps.Copy(channel, o.DigitalPost)
	if o.LogLevel == "" {
		o.LogLevel = "info"
	}
	sender := section{
		"cvr": "55133018", "label": "Testby Kommune, Jobcenter", "from": "jobcenter@testby.example",
		"contact_point": section{"id": "241d39f6-998e-4929-b198-ccacbbf4b330", "group": "22.33.44.55", "label": "Jobcenter"},
	}
	if o.Print > 0 {
		sender["forsendelsestype"] = o.Print
	}
	windows := section{}
	maps.Copy(windows, o.Windows)
	return section{
		"http":      section{"listen": api},
		"journal":   section{"url": "sqlite:" + filepath.Join(dir, "brevdue.db")},
		"queue":     section{"url": w.Redis.URL()},
		"documents": section{"url": "file:" + filepath.Join(dir, "documents")},
		"serviceplatformen": section{
			"environment": "custom", "sts_url": sim.URL, "base_url": sim.URL, "ca_file": ca,
			"certificate_file": cert, "key_file": key, "cvr": "55133018",
		},
		"beskedfordeler": statuses(push, cert, key, ca, w),
		"senders":        section{"jobcenter": sender},
		"windows":        windows,
		"channels":       section{"digitalpost": channel},
		"producers":      []section{{"name": "fagsystem", "token_sha256": token}},
		"operators":      []section{{"name": "operator", "token_sha256": token}},
		"log":            section{"level": o.LogLevel, "format": "json"},
	}
}

// statuses is how they come: pushed, or pulled where there is a broker.
func statuses(push, cert, key, ca string, w *World) map[string]any {
	if w.Broker != nil {
		return map[string]any{"mode": "pull", "amqp_url": w.Broker.URL(), "queue": Dueslag}
	}
	return map[string]any{"mode": "push", "listen": push, "certificate_file": cert, "key_file": key, "client_ca_file": ca}
}

// Start starts `brevdue serve` and waits until /readyz says it is.
func (g *Gateway) Start(ctx context.Context, o Options) error {
	args := []string{"serve", "--config", g.ConfigFile}
	if o.Roles != "" {
		args = append(args, "--roles", o.Roles)
	}
	p, err := start("brevdue serve", g.Dir, g.LogFile, g.binary, args...)
	if err != nil {
		return err
	}
	g.Process = p
	return p.waitUp(ctx, func(ctx context.Context) error { _, err := g.Get(ctx, "/readyz"); return err })
}

// Get reads a public page, such as /metrics.
func (g *Gateway) Get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.API+path, nil)
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", path, err)
	}
	res, err := g.Client.HTTP.Do(req)
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", path, err)
	}
	return string(raw), nil
}

// Close kills it, if it was started.
func (g *Gateway) Close() {
	g.Client.HTTP.CloseIdleConnections()
	if g.Process != nil {
		g.Kill()
	}
}

// Await polls an intent until it has one of the statuses, and returns it. An intent that ends otherwise is an error.
func (g *Gateway) Await(ctx context.Context, id string, statuses ...string) (*httpapi.IntentView, error) {
	var view *httpapi.IntentView
	err := Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		var err error
		view, err = g.Client.Intent(ctx, id)
		if err != nil {
			return false, err
		}
		if slices.Contains(statuses, view.Status) {
			return true, nil
		}
		if !view.FinalAt.IsZero() {
			return false, fmt.Errorf("%s ended as %s", id, view.Status)
		}
		return false, nil
	})
	if err != nil {
		return view, fmt.Errorf("wait for %s to be %v: %w", id, statuses, err)
	}
	return view, nil
}

// Intents lists all intents of the producer, oldest first.
func (g *Gateway) Intents(ctx context.Context) ([]httpapi.IntentView, error) {
	var all []httpapi.IntentView
	for after := ""; ; {
		page, err := g.Client.Intents(ctx, httpapi.IntentQuery{After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		all, after = append(all, page.Intents...), page.Next
		if after == "" {
			return all, nil
		}
	}
}

// Events reads the whole feed.
func (g *Gateway) Events(ctx context.Context) ([]httpapi.FeedEvent, error) {
	all, _, err := g.EventsAfter(ctx, 0)
	return all, err
}

// EventsAfter reads the feed from a cursor to its end, and returns the cursor of the end.
func (g *Gateway) EventsAfter(ctx context.Context, after int64) ([]httpapi.FeedEvent, int64, error) {
	var all []httpapi.FeedEvent
	for {
		page, err := g.Client.Events(ctx, after, 500)
		if err != nil {
			return nil, after, err
		}
		if len(page.Events) == 0 {
			return all, after, nil
		}
		all, after = append(all, page.Events...), page.Next
	}
}

// pushURL is where the simulator must post statuses for a gateway that listens at address.
func pushURL(address string) string { return "https://" + address + serve.PushPath }
