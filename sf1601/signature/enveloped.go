package signature

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// SignEnveloped gives doc with a ds:Signature over it as the last child of its
// root (transforms: enveloped-signature, exclusive C14N). doc is read once, as
// a stream; the result has a new size and digest.
func SignEnveloped(ctx context.Context, key *Key, doc *xmlstream.Document) (*xmlstream.Document, error) {
	digest, err := doc.Canonical().Digest(ctx)
	if err != nil {
		return nil, fmt.Errorf("signature: digest of the document: %w", err)
	}
	ref := reference("", "", []string{algEnveloped, algExcC14N}, digest)
	fragment, err := key.signature(ctx, []*etree.Element{ref})
	if err != nil {
		return nil, err
	}
	return doc.WithLastChild(fragment), nil
}

// NamedDigest is a file of a letter.
type NamedDigest struct {
	Filename string
	Digest   [32]byte // SHA-256 of the file's own bytes, before base64
}

// The file that carries the signature of a letter's documents inside the MeMo.
const (
	DocumentsFilename = "signatur.xml"
	DocumentsFormat   = "text/xml"
)

// SignDocuments signs a letter's files: a ds:Signature with one ds:Reference
// per file, whose URI is the file name as a relative URI (see FileURI), so that
// any XML-DSig validator checks all files that lie beside the signature. It
// travels in the MeMo as a TechnicalDocument named DocumentsFilename.
func SignDocuments(ctx context.Context, key *Key, files []NamedDigest) ([]byte, error) {
	if len(files) == 0 {
		return nil, errors.New("signature: a letter without documents has nothing to sign")
	}
	seen := map[string]int{}
	refs := make([]*etree.Element, len(files))
	for i, f := range files {
		if f.Filename == "" {
			return nil, fmt.Errorf("signature: document %d has no file name", i)
		}
		seen[f.Filename]++
		refs[i] = reference(FileURI(f.Filename, seen[f.Filename]), "", nil, f.Digest)
	}
	return key.signature(ctx, refs)
}

// FileURI is the relative URI of the nth file of that name in a letter,
// counted from 1: its percent-encoded name, and for the second and later ones
// the number as a folder before it.
func FileURI(filename string, nth int) string {
	if nth > 1 {
		filename = strconv.Itoa(nth) + "/" + filename
	}
	return (&url.URL{Path: filename}).String()
}
