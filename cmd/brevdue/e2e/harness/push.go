package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// Push hands a status to the gateway as Beskedfordeler does, beside those of the simulator. Only an acknowledgement is no
// error.
func (w *World) Push(ctx context.Context, b *beskedfordeler.Besked) error {
	return w.PushBytes(ctx, beskedfordeler.EncodeInput(b))
}

// PushBytes is Push for a body as it stands.
func (w *World) PushBytes(ctx context.Context, input []byte) error {
	settings, err := w.Gateway.Settings()
	if err != nil {
		return err
	}
	section, _ := settings["beskedfordeler"].(map[string]any)
	address, _ := section["listen"].(string)
	file := func(name string) string { return filepath.Join(w.Sim.Dir, name) }
	cert, err := tls.LoadX509KeyPair(file("client.pem"), file("client-key.pem"))
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	roots, err := config.Pool(file("ca.pem"), false)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, pushURL(address), bytes.NewReader(input))
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	if res.StatusCode != http.StatusOK || !strings.Contains(string(answer), ">20<") {
		return fmt.Errorf("push: %s: %s", res.Status, answer)
	}
	return nil
}
