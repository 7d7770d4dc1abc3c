package signature_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/signature"
)

const (
	lone        = "letter-1"
	sha256Name  = "http://www.w3.org/2001/04/xmlenc#sha256"
	sha1Name    = "http://www.w3.org/2000/09/xmldsig#sha1"
	rsa256Name  = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	excC14NName = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

var letter = []byte("<kombi_request>the letter</kombi_request>")

func between(s, from, to string) string {
	i := strings.Index(s, from)
	j := strings.Index(s[i:], to)
	return s[i : i+j+len(to)]
}

// forge puts the digest of other bytes into the manifest's entry.
func forge(manifest string) string {
	signed, forged := sha256.Sum256(letter), sha256.Sum256([]byte("another letter"))
	return strings.ReplaceAll(manifest, base64.StdEncoding.EncodeToString(signed[:]), base64.StdEncoding.EncodeToString(forged[:]))
}

func TestVerifyManifestRefuses(t *testing.T) {
	t.Parallel()
	good := string(signTogether(t, map[string][]byte{lone: letter}).XML)
	manifest := between(good, "<ds:Manifest", "</ds:Manifest>")
	info := between(good, "<ds:SignedInfo>", "</ds:SignedInfo>")
	reference := between(info, "<ds:Reference", "</ds:Reference>")
	entry := between(manifest, "<ds:Reference", "</ds:Reference>")
	object := between(good, "<ds:Object>", "</ds:Object>")
	certificate := func(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
	foreign := func() string {
		key, err := signature.NewKey(otherOnce())
		if err != nil {
			t.Fatal(err)
		}
		m, err := signature.SignForTest(key, newUUID(), []signature.Entry{{Reference: lone, Digest: sha256.Sum256(letter)}}, clock)
		if err != nil {
			t.Fatal(err)
		}
		return string(m.XML)
	}
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the signature does not contain %q", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, c := range map[string]struct {
		xml  string
		want error
	}{
		"a changed entry":                        {forge(good), signature.ErrSignature},
		"a changed reference name":               {strings.ReplaceAll(good, `URI="letter-1"`, `URI="letter-2"`), signature.ErrSignature},
		"a changed signature value":              {replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"), signature.ErrSignature},
		"signed by somebody else":                {foreign(), signature.ErrUntrusted},
		"another certificate in KeyInfo":         {replace(certificate(keyOnce().Certificate[0]), certificate(otherOnce().Certificate[0])), signature.ErrUntrusted},
		"two certificates":                       {replace("<ds:X509Certificate>", "<ds:X509Certificate>"+certificate(otherOnce().Certificate[0])+"</ds:X509Certificate><ds:X509Certificate>"), signature.ErrFormat},
		"wrapped in another element":             {"<wrapper>" + good + "</wrapper>", signature.ErrFormat},
		"two signatures":                         {"<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">" + good + good + "</ds:Signature>", signature.ErrFormat},
		"a signature nested in an object":        {replace(object, "<ds:Object>"+forge(manifest)+"</ds:Object><ds:Object>"+good+"</ds:Object>"), signature.ErrFormat},
		"a second SignedInfo":                    {replace(info, info+info), signature.ErrFormat},
		"a forged SignedInfo before":             {replace(info, strings.Replace(info, "URI=\"#", "URI=\"#x", 1)+info), signature.ErrFormat},
		"a forged manifest before, same Id":      {replace(object, "<ds:Object>"+forge(manifest)+"</ds:Object>"+object), signature.ErrFormat},
		"a forged manifest after, same Id":       {replace(object, object+"<ds:Object>"+forge(manifest)+"</ds:Object>"), signature.ErrFormat},
		"two manifests in one object":            {replace(manifest, manifest+forge(manifest)), signature.ErrFormat},
		"the manifest under another Id":          {replace(`<ds:Manifest Id="manifest-`, `<ds:Manifest Id="manifest-x`), signature.ErrFormat},
		"a manifest without Id":                  {replace(between(manifest, " Id=", `"`+">"), ">"), signature.ErrFormat},
		"the signature refers to something else": {replace(`URI="#manifest-`, `URI="#other-`), signature.ErrFormat},
		"the signature refers to the document":   {replace(between(reference, ` URI="`, `">`), ` URI="">`), signature.ErrFormat},
		"a reference of another type":            {replace(` Type="http://www.w3.org/2000/09/xmldsig#Manifest"`, ""), signature.ErrFormat},
		"a second reference in SignedInfo":       {replace(reference, reference+reference), signature.ErrFormat},
		"no reference in SignedInfo":             {replace(reference, ""), signature.ErrFormat},
		"an entry with a transform":              {replace(entry, strings.Replace(entry, "<ds:DigestMethod", "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"></ds:Transform></ds:Transforms><ds:DigestMethod", 1)), signature.ErrSignature},
		"an XPath transform of the manifest":     {replace(`<ds:Transform Algorithm="`+excC14NName, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116`), signature.ErrFormat},
		"SHA-1 digest of the manifest":           {replace(sha256Name, sha1Name), signature.ErrFormat},
		"RSA-SHA1":                               {replace(rsa256Name, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), signature.ErrFormat},
		"an unknown algorithm":                   {replace(rsa256Name, "urn:x"), signature.ErrFormat},
		"HMAC with the public key":               {replace(rsa256Name, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), signature.ErrFormat},
		"canonical form with comments":           {replace(excC14NName, excC14NName+"WithComments"), signature.ErrFormat},
		"a comment in a digest":                  {replace("<ds:DigestValue>", "<ds:DigestValue><!-- x -->"), signature.ErrFormat},
		"a processing instruction":               {replace("<ds:KeyInfo>", "<?x y?><ds:KeyInfo>"), signature.ErrFormat},
		"a DTD":                                  {"<!DOCTYPE Signature [<!ENTITY x \"y\">]>" + good, signature.ErrFormat},
		"an entity":                              {replace("letter-1", "&x;"), signature.ErrFormat},
		"the prefix bound to another namespace":  {replace("<ds:Object>", `<ds:Object xmlns:ds="urn:x">`), signature.ErrFormat},
		"an attribute twice":                     {replace("<ds:Manifest Id=", `<ds:Manifest Id="manifest-1" Id=`), signature.ErrFormat},
		"truncated":                              {good[:len(good)-20], signature.ErrFormat},
		"something after the end":                {good + "<x></x>", signature.ErrFormat},
		"empty":                                  {"", signature.ErrFormat},
		"not XML":                                {"%PDF-1.7", signature.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, claimed := range [][]byte{letter, []byte("another letter")} {
				v, err := signature.VerifyManifest([]byte(c.xml), signature.Trust{Certificate: keyOnce().Leaf}, map[string][32]byte{lone: sha256.Sum256(claimed)})
				if v != nil || !errors.Is(err, c.want) {
					t.Errorf("VerifyManifest = %v, %v; want %v", v, err, c.want)
				}
			}
		})
	}
}

func TestVerifyManifestOfOneLetterAmongMany(t *testing.T) {
	t.Parallel()
	m := signTogether(t, letters)
	const one = "01JABCDEFGHJKMNPQRSTVWXYZ0"
	trust := signature.Trust{Certificate: keyOnce().Leaf}
	v, err := signature.VerifyManifest(m.XML, trust, map[string][32]byte{one: sha256.Sum256(letters[one])})
	if err != nil || v.Checked != 1 || len(v.Entries) != 3 || !v.Certificate.Equal(keyOnce().Leaf) {
		t.Errorf("VerifyManifest = %+v, %v", v, err)
	}
	if _, err := signature.VerifyManifest(m.XML, trust, nil); !errors.Is(err, signature.ErrChanged) {
		t.Errorf("nothing to compare: %v", err)
	}
	if _, err := signature.VerifyManifest(m.XML, trust, map[string][32]byte{"letter-9": {}}); !errors.Is(err, signature.ErrChanged) {
		t.Errorf("a letter that is not listed: %v", err)
	}
	if _, err := signature.VerifyDocuments(m.XML, trust, digests(letters)); !errors.Is(err, signature.ErrFormat) {
		t.Errorf("a manifest taken for a signature over documents: %v", err)
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	m := signTogether(t, map[string][]byte{lone: letter})
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(keyOnce().Leaf)
	others.AddCert(otherOnce().Leaf)
	for name, c := range map[string]struct {
		trust signature.Trust
		want  error
	}{
		"nobody":                  {signature.Trust{}, signature.ErrUntrusted},
		"another certificate":     {signature.Trust{Certificate: otherOnce().Leaf}, signature.ErrUntrusted},
		"the root, when valid":    {signature.Trust{Roots: roots, At: clock}, nil},
		"the root, years later":   {signature.Trust{Roots: roots, At: clock.AddDate(9, 0, 0)}, signature.ErrUntrusted},
		"the root, time unknown":  {signature.Trust{Roots: roots}, signature.ErrUntrusted},
		"another root":            {signature.Trust{Roots: others, At: clock}, signature.ErrUntrusted},
		"certificate, other root": {signature.Trust{Certificate: keyOnce().Leaf, Roots: others, At: clock}, signature.ErrUntrusted},
	} {
		_, err := signature.VerifyManifest(m.XML, c.trust, map[string][32]byte{lone: sha256.Sum256(letter)})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: err = %v, want %v", name, err, c.want)
		}
	}
}

// TestAManifestOfTheLargestSize has more elements than goxmldsig's limits of
// other operations.
func TestAManifestOfTheLargestSize(t *testing.T) {
	t.Parallel()
	key, err := signature.NewKey(keyOnce())
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]signature.Entry, signature.DefaultMax)
	want := map[string][32]byte{}
	for i := range entries {
		entries[i] = entry(i)
		want[entries[i].Reference] = entries[i].Digest
	}
	m, err := signature.SignForTest(key, newUUID(), entries, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v, err := signature.VerifyManifest(m.XML, signature.Trust{Certificate: keyOnce().Leaf}, want)
	if err != nil || v.Checked != signature.DefaultMax {
		t.Errorf("%v", err)
	}
	t.Logf("%d letters: %d bytes", len(entries), len(m.XML))
}

// FuzzVerifyManifest: whatever is verified lists the signed letter and nothing
// else, because only the one genuine manifest can be.
func FuzzVerifyManifest(f *testing.F) {
	key, err := signature.NewKey(keyOnce())
	if err != nil {
		f.Fatal(err)
	}
	good, err := signature.SignForTest(key, "5f3c1c1e-0b7e-4a39-8a0e-000000000001", []signature.Entry{{Reference: lone, Digest: sha256.Sum256(letter)}}, clock)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.XML)
	f.Add([]byte(forge(string(good.XML))))
	f.Add(bytes.ReplaceAll(good.XML, []byte("ds:"), nil))
	f.Add(good.XML[:len(good.XML)/2])
	f.Fuzz(func(t *testing.T, xml []byte) {
		v, err := signature.VerifyManifest(xml, signature.Trust{Certificate: keyOnce().Leaf}, map[string][32]byte{lone: sha256.Sum256(letter)})
		if (v == nil) == (err == nil) {
			t.Fatalf("VerifyManifest = %v, %v", v, err)
		}
		if err == nil && (len(v.Entries) != 1 || !reflect.DeepEqual(v.Entries[0], signature.Entry{Reference: lone, Digest: sha256.Sum256(letter)})) {
			t.Fatalf("verified %+v", v.Entries)
		}
	})
}
