package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/gateway/access"
)

// tokenBytes is how much of a token is random.
const tokenBytes = 32

func tokenCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "token", Short: "Make tokens of producers and passwords of operators", Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(tokenNewCommand(t), tokenPasswordCommand(t))
	return group
}

func tokenNewCommand(t terminal) *cobra.Command {
	var note string
	var expires string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "new", Short: "Make a token for a producer",
		Long: "Make a random token, and the line for the producer's tokens in the configuration. The line has only the token's SHA-256:\n" +
			"whoever reads the configuration cannot use it. The token itself is shown once; hand it to the producer and to nobody else.",
		Example: "  brevdue token new --expires 2027-06-30 --note \"huskeservice, server 1\"",
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if expires != "" {
				if _, err := time.Parse(time.DateOnly, expires); err != nil {
					return &usageError{errors.New("--expires is not a date such as 2027-06-30")}
				}
			}
			raw := make([]byte, tokenBytes)
			_, _ = rand.Read(raw) // never fails
			token := "brevdue_" + base64.RawURLEncoding.EncodeToString(raw)
			sum := sha256.Sum256([]byte(token))
			line := map[string]string{"sha256": hex.EncodeToString(sum[:])}
			if expires != "" {
				line["expires"] = expires
			}
			if note != "" {
				line["note"] = note
			}
			if asJSON {
				return json.NewEncoder(t.out).Encode(map[string]any{"token": token, "entry": line})
			}
			var text strings.Builder
			fmt.Fprintf(&text, "- {sha256: %q", line["sha256"])
			for _, key := range []string{"expires", "note"} {
				if line[key] != "" {
					fmt.Fprintf(&text, ", %s: %q", key, line[key])
				}
			}
			fmt.Fprintf(t.out, "token:  %s\n\nIn the configuration, under the producer's tokens:\n  %s}\n", token, text.String())
			return nil
		},
	}
	cmd.Flags().StringVar(&expires, "expires", "", "last `date` that the token works, e.g. 2027-06-30 (default: it does not end)")
	cmd.Flags().StringVar(&note, "note", "", "`text` for people: what the token is for")
	cmd.Flags().BoolVar(&asJSON, "json", false, "answer in JSON")
	return cmd
}

func tokenPasswordCommand(t terminal) *cobra.Command {
	return &cobra.Command{
		Use: "password", Short: "Hash a password for an operator",
		Long: "Read a password from the standard input, one line, and print its hash: the password_hash of an operator in the\n" +
			"configuration. In a terminal the password is seen while it is typed; a password manager can hand it over unseen.",
		Example: "  brevdue token password < password.txt\n  pass show brevdue/vagt | brevdue token password",
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			line, err := bufio.NewReader(io.LimitReader(t.in, access.MaxPassword+2)).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read the password: %w", err)
			}
			hash, err := access.HashPassword(strings.TrimRight(line, "\r\n"))
			if err != nil {
				return &usageError{fmt.Errorf("a password has %d to %d bytes", access.MinPassword, access.MaxPassword)}
			}
			fmt.Fprintln(t.out, hash)
			return nil
		},
	}
}
