package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// maxCitation bounds a citation in bytes, so that one that is never closed is told as such.
const maxCitation = 400

var (
	opening = regexp.MustCompile(`\[s` + `rc:`) // parted, so that this line is none
	// continued is what stands before the text of a comment's next line, whatever the language.
	continued = regexp.MustCompile(`\n[ \t]*(?://+|#+|--|\*|>)?[ \t]*`)
)

// citation is one source named by one file.
type citation struct {
	line int
	id   string
}

// citations finds the citations in a file's bytes. The error counts lines and says what is wrong with the first that is
// not written in the fixed form.
func citations(text []byte) ([]citation, error) {
	var found []citation

	for _, at := range opening.FindAllIndex(text, -1) {
		line := 1 + bytes.Count(text[:at[0]], []byte("\n"))

		rest := text[at[1]:min(len(text), at[1]+maxCitation)]
		body, _, closed := bytes.Cut(rest, []byte("]"))
		if !closed {
			return nil, fmt.Errorf("line %d: citation is not closed by ]", line)
		}

		for part := range strings.SplitSeq(continued.ReplaceAllString(string(body), " "), ";") {
			words := strings.Fields(part)
			if len(words) == 0 {
				return nil, fmt.Errorf("line %d: citation without a source", line)
			}

			found = append(found, citation{line: line, id: words[0]})
		}
	}

	return found, nil
}

// tally counts what was cited.
type tally struct {
	files     int
	citations int
	sources   map[string]bool
}

// findingsError holds the citations that do not resolve, each as file:line and what is wrong.
type findingsError []string

// Error returns one finding a line.
func (e findingsError) Error() string { return strings.Join(e, "\n") }

// check holds the citations of the named files against the known sources. Its error is a findingsError when a citation
// is wrong. Files that are gone (deleted but still tracked) and files with a NUL byte (not text) are passed over.
func check(root fs.FS, names []string, known map[string]bool) (tally, error) {
	cited := tally{sources: map[string]bool{}}

	var findings findingsError

	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			continue
		}

		inFile, err := citations(text)
		if err != nil {
			findings = append(findings, fmt.Sprintf("%s: %v", name, err))
		}

		if len(inFile) > 0 {
			cited.files++
		}

		for _, c := range inFile {
			if !known[c.id] {
				findings = append(findings, fmt.Sprintf("%s:%d: unknown source %q (add it to %s)", name, c.line, c.id, sourcesFile))

				continue
			}

			cited.citations++
			cited.sources[c.id] = true
		}
	}

	if len(findings) > 0 {
		return cited, findings
	}

	return cited, nil
}
