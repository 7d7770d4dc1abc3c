// Command sbom writes the software bill of materials of a Go binary in CycloneDX 1.6 (JSON) to standard output, from what
// the Go linker wrote into the binary: what is in it, not what go.mod would allow. The same binary gives the same bytes.
//
// It is ours because the usual tool, cyclonedx-gomod, cannot be had through every mirror of Go modules that this is built
// behind. Licences of the modules we require ourselves are in docs/dependencies.md.
//
//	go run ./.ci/sbom bin/brevdue > bin/brevdue.cdx.json
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
)

type bom struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: sbom BINARY")
	}
	info, err := buildinfo.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	content, err := os.ReadFile(args[0]) //nolint:gosec // the caller names the binary
	if err != nil {
		return fmt.Errorf("read the binary: %w", err)
	}
	sum := sha256.Sum256(content)
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(bomOf(info, sum[:])); err != nil {
		return fmt.Errorf("write the bill: %w", err)
	}
	return nil
}

// bomOf lists the modules, and the standard library as one of them.
func bomOf(info *buildinfo.BuildInfo, sum []byte) bom {
	main := of("application", &info.Main)
	main.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
	for _, s := range info.Settings {
		main.Properties = append(main.Properties, property{"go:build:" + s.Key, s.Value})
	}
	std := of("library", &debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})
	b := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{main}, Components: []component{std},
	}
	refs := []string{std.Ref}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := of("library", m)
		b.Components = append(b.Components, c)
		refs = append(refs, c.Ref)
	}
	b.Dependencies = []dependency{{main.Ref, refs}} // the linker does not tell which module needs which
	return b
}

func of(kind string, m *debug.Module) component {
	purl := "pkg:golang/" + m.Path + "@" + url.QueryEscape(m.Version)
	c := component{Ref: purl, Type: kind, Name: m.Path, Version: m.Version, PURL: purl}
	if m.Sum != "" {
		c.Properties = []property{{"go:sum", m.Sum}}
	}
	return c
}
