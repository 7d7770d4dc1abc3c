package harness

import (
	"context"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// Settings reads the gateway's configuration file.
func (g *Gateway) Settings() (map[string]any, error) {
	text, err := os.ReadFile(g.ConfigFile)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	settings := map[string]any{}
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return settings, nil
}

// Reconfigure changes the configuration file as an operator would, and starts the gateway anew on it.
func (w *World) Reconfigure(ctx context.Context, change func(settings map[string]any)) error {
	settings, err := w.Gateway.Settings()
	if err != nil {
		return err
	}
	change(settings)
	text, err := yaml.Marshal(settings)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if err := os.WriteFile(w.Gateway.ConfigFile, text, 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	code, err := w.Gateway.Terminate(ctx)
	if err != nil {
		return fmt.Errorf("stop the gateway: %w", err)
	}
	if code != 0 {
		return fmt.Errorf("the gateway stopped with exit code %d", code)
	}
	return w.Restart(ctx)
}
