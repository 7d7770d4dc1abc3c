package signature_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

var letters = map[string][]byte{
	"5f3c1c1e-0b7e-4a39-8a0e-000000000001": []byte("<kombi_request>first</kombi_request>"),
	"5f3c1c1e-0b7e-4a39-8a0e-000000000002": []byte("<kombi_request>second, with æøå</kombi_request>"),
	"01JABCDEFGHJKMNPQRSTVWXYZ0":           bytes.Repeat([]byte("third"), 10_000),
}

func digests(files map[string][]byte) map[string][32]byte {
	out := map[string][32]byte{}
	for name, content := range files {
		out[name] = sha256.Sum256(content)
	}
	return out
}

// signTogether signs all letters in one manifest.
func signTogether(t *testing.T, files map[string][]byte) signature.Manifest {
	t.Helper()
	key, err := signature.NewKey(keyOnce())
	if err != nil {
		t.Fatal(err)
	}
	var entries []signature.Entry
	for ref, d := range digests(files) {
		entries = append(entries, signature.Entry{Reference: ref, Digest: d})
	}
	m, err := signature.SignForTest(key, newUUID(), entries, clock)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

func TestManifestIsVerifiedByXmlsec(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := signTogether(t, letters)
	write(t, filepath.Join(dir, "manifest.xml"), m.XML)
	for ref, content := range letters {
		write(t, filepath.Join(dir, ref), content)
	}
	out, ok := xmlsec1(t, dir, "manifest.xml")
	if !ok || !strings.Contains(out, "Manifests References (ok/all): 3/3") || !strings.Contains(out, "SignedInfo References (ok/all): 1/1") {
		t.Fatalf("xmlsec1 says ok=%v\n%s", ok, out)
	}
	v, err := signature.VerifyManifest(m.XML, signature.Trust{Certificate: keyOnce().Leaf}, digests(letters))
	if err != nil || v.Checked != 3 || v.ID != m.ID {
		t.Fatalf("VerifyManifest = %+v, %v", v, err)
	}

	// One letter of the three is changed by one byte.
	const changed = "01JABCDEFGHJKMNPQRSTVWXYZ0"
	content := bytes.Clone(letters[changed])
	content[777] ^= 1
	write(t, filepath.Join(dir, changed), content)
	out, _ = xmlsec1(t, dir, "manifest.xml")
	if !strings.Contains(out, "Manifests References (ok/all): 2/3") {
		t.Errorf("xmlsec1 does not show the changed letter\n%s", out)
	}
	_, err = signature.VerifyManifest(m.XML, signature.Trust{Certificate: keyOnce().Leaf}, map[string][32]byte{changed: sha256.Sum256(content)})
	if !errors.Is(err, signature.ErrChanged) {
		t.Errorf("VerifyManifest of the changed letter: %v, want ErrChanged", err)
	}
}

func envelope(t *testing.T, content []byte) *xmlstream.Document {
	t.Helper()
	root := etree.NewElement("kombi_request")
	root.CreateElement("KombiValgKode").SetText("Digital Post")
	message := root.CreateElement("memo:Message")
	message.CreateAttr("xmlns:memo", "https://DigitalPost.dk/MeMo-1")
	message.CreateElement("memo:label").SetText("Blåbær & \r\n<ø>")
	message.CreateElement("memo:content").AddChild(xmlstream.Placeholder(0))
	doc, err := xmlstream.New(root, []xmlstream.Content{xmlstream.Bytes(content)})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestEnvelopedIsVerifiedByXmlsec(t *testing.T) {
	t.Parallel()
	key, err := signature.NewKey(keyOnce())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := signature.SignEnveloped(t.Context(), key, envelope(t, bytes.Repeat([]byte{1, 2, 3}, 100_000)))
	if err != nil {
		t.Fatal(err)
	}
	r := doc.Open(t.Context())
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(raw, []byte("</ds:Signature></kombi_request>")) {
		t.Errorf("the signature is not the last child: …%s", raw[len(raw)-100:])
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "kombi.xml"), raw)
	if out, ok := xmlsec1(t, dir, "kombi.xml"); !ok || !strings.Contains(out, "SignedInfo References (ok/all): 1/1") {
		t.Fatalf("xmlsec1 says ok=%v\n%s", ok, out)
	}
	write(t, filepath.Join(dir, "kombi.xml"), bytes.Replace(raw, []byte("AQID"), []byte("AQIE"), 1))
	if out, ok := xmlsec1(t, dir, "kombi.xml"); ok {
		t.Errorf("xmlsec1 accepts a changed letter\n%s", out)
	}
}

func TestEnvelopedPassesOnAFailingContent(t *testing.T) {
	t.Parallel()
	key, err := signature.NewKey(keyOnce())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := signature.SignEnveloped(ctx, key, envelope(t, []byte("x"))); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want context.Canceled", err)
	}
}

func TestDocumentsAreVerifiedByXmlsec(t *testing.T) {
	t.Parallel()
	key, err := signature.NewKey(keyOnce())
	if err != nil {
		t.Fatal(err)
	}
	files := []struct {
		name    string
		content []byte
	}{
		{"Indkaldelse til møde.pdf", []byte("%PDF-1.7 the letter")},
		{"bilag_100%.txt", []byte("Bilag\r\n")},
		{"bilag_100%.txt", []byte("another of the same name")},
	}
	dir := t.TempDir()
	named := make([]signature.NamedDigest, len(files))
	byURI := map[string][32]byte{}
	for i, f := range files {
		named[i] = signature.NamedDigest{Filename: f.name, Digest: sha256.Sum256(f.content)}
		folder, nth := "", 1
		if i == 2 {
			folder, nth = "2", 2
		}
		write(t, filepath.Join(dir, folder, f.name), f.content)
		byURI[signature.FileURI(f.name, nth)] = named[i].Digest
	}
	xml, err := signature.SignDocuments(t.Context(), key, named)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, signature.DocumentsFilename), xml)
	if out, ok := xmlsec1(t, dir, signature.DocumentsFilename); !ok || !strings.Contains(out, "SignedInfo References (ok/all): 3/3") {
		t.Fatalf("xmlsec1 says ok=%v\n%s\n%s", ok, out, xml)
	}
	trust := signature.Trust{Certificate: keyOnce().Leaf}
	if v, err := signature.VerifyDocuments(xml, trust, byURI); err != nil || v.Checked != 3 {
		t.Fatalf("VerifyDocuments = %+v, %v", v, err)
	}

	write(t, filepath.Join(dir, files[0].name), []byte("%PDF-1.7 another letter"))
	if out, ok := xmlsec1(t, dir, signature.DocumentsFilename); ok {
		t.Errorf("xmlsec1 accepts a changed document\n%s", out)
	}
	byURI[signature.FileURI(files[0].name, 1)] = sha256.Sum256([]byte("%PDF-1.7 another letter"))
	if _, err := signature.VerifyDocuments(xml, trust, byURI); !errors.Is(err, signature.ErrChanged) {
		t.Errorf("VerifyDocuments of a changed document: %v, want ErrChanged", err)
	}
	delete(byURI, signature.FileURI(files[0].name, 1))
	if _, err := signature.VerifyDocuments(xml, trust, byURI); !errors.Is(err, signature.ErrChanged) {
		t.Errorf("VerifyDocuments without one document: %v, want ErrChanged", err)
	}
}
