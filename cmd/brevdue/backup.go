package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/backup"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
)

// place is what a configuration says is backed up.
func place(file string, t terminal) (backup.Place, error) {
	cfg, err := config.Load(file, t.environ)
	if err != nil {
		return backup.Place{}, err
	}
	return backup.PlaceOf(cfg.Journal.URL, cfg.Documents.URL)
}

func backupCommand(t terminal) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "backup DIR", Short: "Copy journal and documents to a new folder, while the gateway serves",
		Long: "Copy the journal (SQLite) and the documents to a new folder, while the gateway serves. Keys are not copied: keep\n" +
			"them apart. SHA256SUMS in the folder is written last; check a backup with `sha256sum -c SHA256SUMS`.",
		Example: "  brevdue backup /backup/$(date +%F) --config brevdue.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := place(file, t)
			if err != nil {
				return err
			}
			a, err := backup.Write(cmd.Context(), from, args[0], version, time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintf(t.out, "backed up the journal and %d documents, %d bytes, as of %s\n",
				a.Documents, a.Bytes, a.At.Format(time.RFC3339))
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}

func restoreCommand(t terminal) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "restore DIR", Short: "Put a backup where the configuration says, which must be empty",
		Long: "Put a backup where the configuration says. Nothing is written over: move away first what is there. Every file is\n" +
			"compared with its digest. What may repeat after it is in docs/operations.md.",
		Example: "  brevdue restore /backup/2026-11-21 --config brevdue.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := place(file, t)
			if err != nil {
				return err
			}
			a, err := backup.Restore(cmd.Context(), args[0], to)
			if err != nil {
				return err
			}
			fmt.Fprintf(t.out, "restored the journal and %d documents as of %s, written by brevdue %s\n",
				a.Documents, a.At.Format(time.RFC3339), a.Version)
			if a.Missing > 0 {
				fmt.Fprintf(t.err, "%d documents that the journal speaks of are not there: "+
					"erased while the backup was written, or lost before\n", a.Missing)
			}
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}
