package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// TestMain lets the scripts run this test binary as brevdue.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"brevdue": main})
}

// TestScripts runs the command line as a shell would, one file of testdata/script a story. Every script finds a simulator's
// certificates in sim/, expired ones in expired/, and evidence of a letter (see writeEvidence).
func TestScripts(t *testing.T) {
	t.Parallel()
	certificates := sync.OnceValues(func() (pair [2]*sf1601test.Authority, err error) {
		now, errs := time.Now(), [2]error{}
		pair[0], errs[0] = sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
		pair[1], errs[1] = sf1601test.NewAuthority(sf1601test.AuthorityOptions{
			KeyBits: 2048, Validity: time.Hour, Now: func() time.Time { return now.AddDate(-1, 0, 0) },
		})
		return pair, errors.Join(errs[:]...)
	})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true, Deadline: time.Now().Add(2 * time.Minute),
		Setup: func(env *testscript.Env) error {
			pair, err := certificates()
			if err != nil {
				return err
			}
			return errors.Join(
				pair[0].WriteFiles(filepath.Join(env.WorkDir, "sim")), pair[1].WriteFiles(filepath.Join(env.WorkDir, "expired")),
				writeEvidence(env.WorkDir, pair[0]),
			)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exitcode": exitCode},
	})
}

// exitCode is the script command `exitcode N brevdue ARGS...`: the program exits with exactly that code. (exec can only
// tell failure from success.)
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N brevdue ARGS...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// TestHelp holds every command to an example, a sentence of what it does, and exit code 0 for --help.
func TestHelp(t *testing.T) {
	t.Parallel()
	var all func(cmd *cobra.Command) []*cobra.Command
	all = func(cmd *cobra.Command) []*cobra.Command {
		list := []*cobra.Command{cmd}
		for _, sub := range cmd.Commands() {
			list = append(list, all(sub)...)
		}
		return list
	}
	for _, cmd := range all(newRoot(terminal{})) {
		words := strings.Fields(cmd.CommandPath())[1:]
		t.Run(strings.Join(append([]string{"brevdue"}, words...), " "), func(t *testing.T) {
			t.Parallel()
			var out, errOut strings.Builder
			code := run(t.Context(), append(words, "--help"), terminal{in: strings.NewReader(""), out: &out, err: &errOut})
			if code != exitOK || errOut.Len() > 0 {
				t.Errorf("exit code %d, stderr %q", code, errOut.String())
			}
			if cmd.Short == "" {
				t.Error("it does not say what it does")
			}
			if cmd.HasSubCommands() && cmd.HasParent() {
				return // a group: its commands have the examples
			}
			example := "Examples:\n  " + cmd.CommandPath()
			if !cmd.HasParent() {
				example = "Examples:\n  brevdue "
			}
			if !strings.Contains(out.String(), example) {
				t.Errorf("the help has no %q:\n%s", fmt.Sprintf("%q", example), out.String())
			}
		})
	}
}
