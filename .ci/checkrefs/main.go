// Command checkrefs proves that every source cited in the tree is a known one.
//
// A comment says where a rule comes from in one fixed form: the word src and a colon in square brackets, then the id of
// a source and, after a space, the place in it; a semicolon parts several. CONTRIBUTING.md shows the form in use. Go's
// own doc links cannot be mistaken for it, since they hold neither a colon nor a space.
//
// The job, in order:
//
//  1. [readSources] reads docs/sources.txt, the list of what may be cited, and checks the list itself.
//  2. [citations] finds the citations of one file; one may run over several comment lines.
//  3. [check] holds every citation of every file against the list.
//
// It exits 0 when all of them resolve, 1 when one does not (each is printed as file:line), 2 when it cannot work.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// sourcesFile is the list of citable sources, from the module root.
const sourcesFile = "docs/sources.txt"

func main() {
	root := flag.String("root", ".", "root of the git checkout to check")
	flag.Parse()

	err := run(*root, os.Stdout)

	switch _, unresolved := errors.AsType[findingsError](err); {
	case unresolved:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "checkrefs:", err)
		os.Exit(2)
	}
}

// run checks the tracked and the new files under root and writes one line with the counts to out.
func run(root string, out io.Writer) error {
	list, err := os.Open(filepath.Join(root, sourcesFile)) //nolint:gosec // whoever runs it names the checkout
	if err != nil {
		return err
	}
	defer func() { _ = list.Close() }()

	known, err := readSources(list)
	if err != nil {
		return err
	}

	names, err := files(root)
	if err != nil {
		return err
	}

	cited, err := check(os.DirFS(root), names, known)
	if err != nil {
		return err
	}

	_, err = fmt.Fprintf(out, "checkrefs: %d citations in %d files resolve to %d of %d sources\n",
		cited.citations, cited.files, len(cited.sources), len(known))

	return err
}

// files lists what git tracks or would track under root, without the list of sources itself.
func files(root string) ([]string, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard") //nolint:noctx // ends with this program
	cmd.Dir = root

	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}

	var names []string

	for name := range strings.SplitSeq(string(out), "\x00") {
		if name != "" && name != sourcesFile {
			names = append(names, filepath.ToSlash(name))
		}
	}

	return names, nil
}
