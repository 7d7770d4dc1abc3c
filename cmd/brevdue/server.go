package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway/journal"
)

// newLogger writes to w as the configuration says.
func newLogger(w io.Writer, l config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "", "configuration `file` (YAML)")
}

func serveCommand(t terminal) *cobra.Command {
	var path, roles string
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the gateway",
		Long: "Run the gateway until SIGTERM or SIGINT; letters in flight are finished first.\n" +
			"It refuses to start with a wrong configuration (exit 2, naming the key) or a pending migration.",
		Example: "  brevdue serve --config brevdue.yaml\n  brevdue serve --config brevdue.yaml --roles api",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rs, err := serve.ParseRoles(roles)
			if err != nil {
				return &usageError{err}
			}
			cfg, err := config.Load(path, t.environ)
			if err != nil {
				return err
			}
			app, err := serve.New(cmd.Context(), cfg, serve.Options{Roles: rs, Version: version, Logger: newLogger(t.err, cfg.Log)})
			if err != nil {
				return err
			}
			return app.Run(cmd.Context())
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&roles, "roles", "", "what this process does: api, worker, status (default all)")
	return cmd
}

func migrateCommand(t terminal) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "migrate", Short: "Apply pending migrations to the journal",
		Example: "  brevdue migrate --config brevdue.yaml",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path, t.environ)
			if err != nil {
				return err
			}
			applied, err := journal.Migrate(cmd.Context(), cfg.Journal.URL)
			if err != nil {
				return err
			}
			for _, name := range applied {
				fmt.Fprintln(t.out, "applied", name)
			}
			if len(applied) == 0 {
				fmt.Fprintln(t.out, "nothing to apply")
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func configCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "config", Short: "Work with the configuration", Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var path string
	var asJSON bool
	check := &cobra.Command{
		Use: "check", Short: "Check the configuration and the files it names",
		Example: "  brevdue config check --config brevdue.yaml",
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := config.Load(path, t.environ)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(t.out).Encode(map[string]any{"ok": true, "warnings": append([]string{}, cfg.Warnings()...)})
			}
			for _, w := range cfg.Warnings() {
				fmt.Fprintln(t.out, "warning:", w)
			}
			fmt.Fprintln(t.out, "ok")
			return nil
		},
	}
	configFlag(check, &path)
	check.Flags().BoolVar(&asJSON, "json", false, "answer in JSON")
	group.AddCommand(check)
	return group
}

func versionCommand(t terminal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  brevdue version --json",
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return json.NewEncoder(t.out).Encode(map[string]string{
					"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			fmt.Fprintf(t.out, "brevdue %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "answer in JSON")
	return cmd
}
