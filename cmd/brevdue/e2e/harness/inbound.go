package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// Inbound says how a gateway receives post.
type Inbound struct {
	// Routes are the distribution rules. In them {{inbox}} is a folder of the world in which Folders are made, {{receiver}}
	// the URL of an HTTPS receiver, {{secret}} the file of its secret and {{ca}} the root it is trusted by.
	Routes   string
	Folders  []string
	Settings map[string]any // of sf1606, beside or instead of the usual ones
	Answer   Answer         // of the receiver; nil takes everything
}

// inbound is what a world that receives post has.
type inbound struct {
	Receiver *Receiver // of targets, and of the producer's callbacks; nil when the world receives nothing
	Inbox    string    // holds the folders of targets

	authority *sf1601test.Authority
	address   string // of PostModtag
}

// openInbound starts the receiver and makes the folders. The rules are beside the gateway's configuration.
func (w *World) openInbound(dir, address string) error {
	o := w.options.Inbound
	var err error
	if w.authority, err = sf1601test.LoadOrCreate(w.Sim.Dir, sf1601test.AuthorityOptions{PKCS1: w.options.Pull}); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	w.address, w.Inbox = address, filepath.Join(dir, "inbox")
	for _, name := range append([]string{"."}, o.Folders...) {
		if err := os.MkdirAll(filepath.Join(w.Inbox, name), 0o700); err != nil {
			return fmt.Errorf("folders of targets: %w", err)
		}
	}
	w.Receiver, err = newReceiver(dir, w.authority, o.Answer)
	return err
}

// receiving is the section sf1606 of the configuration.
func (w *World) receiving(dir string) (map[string]any, error) {
	o := w.options.Inbound
	file := func(name string) string { return filepath.Join(w.Sim.Dir, name) }
	words := strings.NewReplacer(
		"{{inbox}}", w.Inbox, "{{receiver}}", w.Receiver.URL, "{{secret}}", w.Receiver.SecretFile, "{{ca}}", file(sf1601test.FileCA))
	rules := filepath.Join(dir, "routes.yaml")
	if err := os.WriteFile(rules, []byte(words.Replace(o.Routes)), 0o600); err != nil {
		return nil, fmt.Errorf("distribution rules: %w", err)
	}
	section := map[string]any{
		"listen": w.address, "certificate_file": file(sf1601test.FileClient), "key_file": file(sf1601test.FileClientKey),
		"client_ca_file": file(sf1601test.FileCA), "routes_file": rules,
	}
	maps.Copy(section, o.Settings)
	return section, nil
}

// PostModtag is where the gateway expects post.
func (w *World) PostModtag() string { return "https://" + w.address + sf1606.DefaultPath }

// Sender is the Postkomponent of the world's gateway: a URL, certificate and roots that cfg leaves empty are the right ones.
func (w *World) Sender(cfg sf1606test.SenderConfig) (*sf1606test.Sender, error) {
	if cfg.URL == "" {
		cfg.URL = w.PostModtag()
	}
	if len(cfg.Certificate.Certificate) == 0 {
		cfg.Certificate = w.authority.ServerCertificate()
	}
	if cfg.RootCAs == nil {
		cfg.RootCAs = w.authority.RootCAs()
	}
	return sf1606test.NewSender(cfg)
}

// CallBack changes settings so that the producer is told of its events at the receiver, and may read the posts they name.
func (w *World) CallBack(settings map[string]any) {
	producers, _ := settings["producers"].([]any)
	for _, p := range producers {
		if producer, ok := p.(map[string]any); ok {
			producer["scopes"] = []string{"intents:write", "intents:read", "inbound:read", "inbound:decide"}
			producer["callback"] = map[string]any{
				"url": w.Receiver.URL, "secret_file": w.Receiver.SecretFile, "allow_private": true,
				"ca_file": filepath.Join(w.Sim.Dir, sf1601test.FileCA),
			}
		}
	}
}

// Delivered lists the messages in the folder of a target, by the messageUUID that each folder is named after.
func (w *World) Delivered(folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.Inbox, folder))
	if err != nil {
		return nil, fmt.Errorf("folder of a target: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Files lists what is in the document folder of the gateway: the path from it, and the bytes.
func (g *Gateway) Files() (map[string]int64, error) {
	settings, err := g.Settings()
	if err != nil {
		return nil, err
	}
	section, _ := settings["documents"].(map[string]any)
	address, _ := section["url"].(string)
	root, files := strings.TrimPrefix(address, "file:"), map[string]int64{}
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a temporary file that is gone meanwhile
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			files[strings.TrimPrefix(path, root+string(filepath.Separator))] = info.Size()
		}
		return err //nolint:wrapcheck // wrapped once below
	})
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	return files, nil
}

// AwaitDelivered waits until a target has so many messages.
func (w *World) AwaitDelivered(ctx context.Context, folder string, n int) error {
	have := 0
	err := Poll(ctx, pollFolder, func() (bool, error) {
		names, err := w.Delivered(folder)
		have = len(names)
		return have >= n, err
	})
	if err != nil {
		return fmt.Errorf("%d of %d messages in %s: %w", have, n, folder, err)
	}
	return nil
}
