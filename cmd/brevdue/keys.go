package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/keys"
)

// keysCommand is the work with the keys of encryption at rest.
func keysCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "keys", Short: "Make, rotate and destroy the keys that seal what is stored",
		Long: "What is stored about people is sealed under the keys of one file (keys.file). LOSING THAT FILE IS LOSING THE DATA:\n" +
			"there is no second way in. Keep a copy of it, apart from every backup of the data.\n" +
			"To replace a key while the gateway runs: rotate, reencrypt, and after a minute destroy the old one.",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(keysInitCommand(t), keysListCommand(t), keysRotateCommand(t), keysReencryptCommand(t), keysDestroyCommand(t))
	return group
}

// keysCall is one call of a command about keys.
type keysCall struct {
	terminal
	path   string
	asJSON bool
	wait   bool
}

// command makes the command, with the flags that all have.
func (c *keysCall) command(cmd *cobra.Command) *cobra.Command {
	configFlag(cmd, &c.path)
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
	return cmd
}

// load reads the configuration, which must name a keyset file.
func (c *keysCall) load() (*config.Config, error) {
	cfg, err := config.Load(c.path, c.environ)
	if err != nil {
		return nil, err
	}
	if cfg.Keys.File == "" {
		const hint = "name the file that the keys are to be in, e.g. /var/lib/brevdue/keyset.json"
		return nil, config.Errors{{Key: "keys.file", Text: "missing", Hint: hint}}
	}
	return cfg, nil
}

func (c *keysCall) open() (*config.Config, *keys.Keys, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	k, err := serve.OpenKeys(cfg, false)
	return cfg, k, err
}

// answer prints in JSON what text says to a person.
func (c *keysCall) answer(fields map[string]any, text string) error {
	if c.asJSON {
		return json.NewEncoder(c.out).Encode(fields) //nolint:wrapcheck // of the terminal
	}
	fmt.Fprintln(c.out, text)
	return nil
}

func keysInitCommand(t terminal) *cobra.Command {
	c := &keysCall{terminal: t}
	return c.command(&cobra.Command{
		Use: "init", Short: "Make the keyset file, with its first key",
		Long: "Make the keyset file that keys.file names (mode 0600), with its first key. A file that is there is never overwritten.\n" +
			"With keys.master_file (64 hexadecimal digits, from openssl rand -hex 32) its secrets are sealed by that key.\n" +
			"Restart the gateway after it; then `brevdue keys reencrypt` seals what was stored before.",
		Example: "  brevdue keys init --config brevdue.yaml", Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return c.init() },
	})
}

func (c *keysCall) init() error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	k, err := keys.Create(serve.KeysConfig(cfg))
	if err != nil {
		return err
	}
	id := k.List()[0].ID
	fmt.Fprintf(c.err, "KEEP A COPY of %s, apart from every backup of the data: "+
		"without it nothing that is stored from now on can ever be read.\n", cfg.Keys.File)
	if k.Master() == "" {
		fmt.Fprintln(c.err, "Its secrets are not sealed themselves: whoever has the file and the data reads both. See keys.master_file.")
	}
	return c.answer(map[string]any{"file": cfg.Keys.File, "key": id, "master": k.Master()}, "made "+cfg.Keys.File+" with the key "+id)
}

func keysListCommand(t terminal) *cobra.Command {
	c := &keysCall{terminal: t}
	return c.command(&cobra.Command{
		Use: "list", Short: "List the keys, without their secrets",
		Example: "  brevdue keys list --config brevdue.yaml\n  brevdue keys list --config brevdue.yaml --json",
		Args:    arguments(cobra.NoArgs),
		RunE:    func(*cobra.Command, []string) error { return c.list() },
	})
}

// listedKey is a key in JSON.
type listedKey struct {
	ID      string    `json:"id"`
	Status  string    `json:"status"` // seals: it seals and opens; opens: it only opens
	Created time.Time `json:"created"`
	Retired time.Time `json:"retired,omitzero"`
}

func (c *keysCall) list() error {
	cfg, k, err := c.open()
	if err != nil {
		return err
	}
	var list []listedKey
	for _, info := range k.List() {
		status := "opens"
		if info.Primary {
			status = "seals"
		}
		list = append(list, listedKey{ID: info.ID, Status: status, Created: info.Created, Retired: info.Retired})
	}
	if c.asJSON {
		return c.answer(map[string]any{"file": cfg.Keys.File, "master": k.Master(), "keys": list}, "")
	}
	for _, key := range list {
		line := key.ID + "  " + key.Status + "  created " + key.Created.UTC().Format(time.RFC3339)
		if !key.Retired.IsZero() {
			line += "  retired " + key.Retired.UTC().Format(time.RFC3339)
		}
		fmt.Fprintln(c.out, line)
	}
	return nil
}

func keysRotateCommand(t terminal) *cobra.Command {
	c := &keysCall{terminal: t}
	return c.command(&cobra.Command{
		Use: "rotate", Short: "Add a key that seals from now on",
		Long: "Add a key that seals from now on; the others go on opening what they sealed. Running processes take it within a second.\n" +
			"Copy the keyset file again. Then `brevdue keys reencrypt` seals anew what the old keys sealed.",
		Example: "  brevdue keys rotate --config brevdue.yaml", Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return c.rotate() },
	})
}

func (c *keysCall) rotate() error {
	cfg, k, err := c.open()
	if err != nil {
		return err
	}
	before, err := k.Current()
	if err != nil {
		return err
	}
	id, err := k.Rotate()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "KEEP A COPY of %s as it is now: what is stored from now on needs the new key.\n", cfg.Keys.File)
	return c.answer(map[string]any{"key": id, "previous": before}, id+" seals from now on, "+before+" only opens")
}

func keysReencryptCommand(t terminal) *cobra.Command {
	c := &keysCall{terminal: t}
	return c.command(&cobra.Command{
		Use: "reencrypt", Short: "Seal under the present key what is not",
		Long: "Seal under the present key everything in the journal and the document folder that is not: what older keys sealed, and\n" +
			"what was stored before there were keys. The gateway may run meanwhile. It can be stopped and called again.",
		Example: "  brevdue keys reencrypt --config brevdue.yaml", Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.reencrypt(cmd.Context()) },
	})
}

// stores are what keys seal.
type stores struct {
	journal   *journal.Journal
	documents serve.Documents
}

// withStores runs do with the stores open.
func withStores(ctx context.Context, cfg *config.Config, k *keys.Keys, do func(stores) error) error {
	j, err := serve.OpenJournal(ctx, cfg, k, journal.Options{})
	if errors.Is(err, journal.ErrPendingMigration) {
		return config.Errors{{Key: "journal.url", Text: err.Error(), Hint: "run: brevdue migrate --config FILE"}}
	}
	if err != nil {
		return err
	}
	f, err := serve.OpenDocuments(ctx, cfg, k, nil)
	if err == nil {
		err = do(stores{j, f})
	}
	return errors.Join(err, j.Close())
}

// under counts what is sealed under each key; "" is what is not sealed.
func (s stores) under(ctx context.Context) (records, files map[string]int, err error) {
	if records, err = s.journal.SealedUnder(ctx); err != nil {
		return nil, nil, err
	}
	files, err = s.documents.SealedUnder(ctx)
	return records, files, err
}

func (c *keysCall) reencrypt(ctx context.Context) error {
	cfg, k, err := c.open()
	if err != nil {
		return err
	}
	return withStores(ctx, cfg, k, func(s stores) error {
		records, files, err := s.under(ctx)
		if err != nil {
			return err
		}
		open := records[""] + files[""]
		sealed, err := s.journal.Reseal(ctx)
		if err != nil {
			return err
		}
		put, err := s.documents.Reseal(ctx)
		if err != nil {
			return err
		}
		if open > 0 {
			fmt.Fprintf(c.err, "%d of them were stored open. A database keeps what it has overwritten until it is compacted: "+
				"VACUUM (SQLite), VACUUM FULL (PostgreSQL). Old backups hold it, too.\n", open)
		}
		return c.answer(map[string]any{"records": sealed, "documents": put},
			fmt.Sprintf("sealed %d records and %d documents anew", sealed, put))
	})
}

func keysDestroyCommand(t terminal) *cobra.Command {
	c := &keysCall{terminal: t}
	cmd := c.command(&cobra.Command{
		Use: "destroy ID", Short: "Take an old key out of the keyset file, when nothing needs it",
		Long: "Take an old key out of the keyset file. It is refused while the key seals, until a minute after it did (a running\n" +
			"process may not know yet), and while anything in the journal or the document folder is sealed under it.\n" +
			"Backups of the data from before need the key: destroy its copies when those backups are gone.",
		Example: "  brevdue keys destroy 5f0c9a1e --config brevdue.yaml\n  brevdue keys destroy 5f0c9a1e --wait --config brevdue.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.destroy(cmd.Context(), args[0]) },
	})
	cmd.Flags().BoolVar(&c.wait, "wait", false, "wait until the minute has passed")
	return cmd
}

func (c *keysCall) destroy(ctx context.Context, id string) error {
	cfg, k, err := c.open()
	if err != nil {
		return err
	}
	if err := c.idle(ctx, k, id); err != nil {
		return err
	}
	return withStores(ctx, cfg, k, func(s stores) error {
		records, files, err := s.under(ctx)
		if err != nil {
			return err
		}
		if records[id]+files[id] > 0 {
			return fmt.Errorf("%w: %d records and %d documents are sealed under %s; run: brevdue keys reencrypt", keys.ErrInUse,
				records[id], files[id], id)
		}
		if err := k.Destroy(id); err != nil {
			return err
		}
		return c.answer(map[string]any{"key": id}, "destroyed "+id)
	})
}

// idle returns when nobody can seal under a key any more.
func (c *keysCall) idle(ctx context.Context, k *keys.Keys, id string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		err := k.Idle(id)
		if current, _ := k.Current(); err == nil || !c.wait || !errors.Is(err, keys.ErrInUse) || current == id {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
