package sf1601test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// Files that WriteFiles makes and LoadOrCreate reads. The first three are what
// a gateway is configured with.
const (
	FileCA        = "ca.pem"
	FileClient    = "client.pem"
	FileClientKey = "client-key.pem"
	fileCAKey     = "ca-key.pem"
	fileServer    = "server.pem"
	fileServerKey = "server-key.pem"
)

// AuthorityOptions say what certificates an Authority makes.
type AuthorityOptions struct {
	// CVR is the eight digits of the authority in the client certificate's
	// organizationIdentifier; empty means 55133018.
	CVR string
	// KeyBits is the RSA size of the authority's and the client's key; zero
	// means 3072, the size of OCES3 certificates. Tests use 2048.
	KeyBits int
	// Validity of what is made; zero means three years, as OCES3.
	Validity time.Duration
	// PKCS1 signs the certificates with PKCS #1 v1.5 instead of the PSS of
	// OCES3: RabbitMQ on Erlang/OTP 25 calls a PSS signature invalid.
	PKCS1 bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o AuthorityOptions) withDefaults() AuthorityOptions {
	if o.CVR == "" {
		o.CVR = "55133018"
	}
	if o.KeyBits == 0 {
		o.KeyBits = 3072
	}
	if o.Validity == 0 {
		o.Validity = 3 * 365 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Authority is a certificate authority of the simulator's own with one server
// and one client certificate. Certificates look like OCES3 where a client can
// tell the difference: RSA 3072, signed with SHA256-RSAPSS, an
// organizationIdentifier NTRDK-<CVR>. (The server's own key is ECDSA P-256,
// which costs a handshake less.)
//
// Both certificates serve both directions (EKU clientAuth and serverAuth, SAN
// 127.0.0.1, ::1, localhost): the client pair can be the gateway's push
// listener, the server pair is what the simulator pushes with.
//
// The private keys protect nothing but a simulation.
type Authority struct {
	caCert *x509.Certificate
	caKey  *rsa.PrivateKey
	server tls.Certificate
	client tls.Certificate
	sts    tls.Certificate
}

// NewAuthority makes an authority in memory. With 3072 bits it takes a second
// or two of CPU.
func NewAuthority(opts AuthorityOptions) (*Authority, error) {
	opts = opts.withDefaults()
	if !digits(opts.CVR, 8) {
		return nil, errors.New("sf1601test: the CVR must be 8 digits")
	}
	var (
		group            errgroup.Group
		caKey, clientKey *rsa.PrivateKey
		serverKey        *ecdsa.PrivateKey
		newRSA           = func(into **rsa.PrivateKey) func() error {
			return func() error {
				key, err := rsa.GenerateKey(rand.Reader, opts.KeyBits)
				*into = key
				return err //nolint:wrapcheck // wrapped once below
			}
		}
	)
	group.Go(newRSA(&caKey))
	group.Go(newRSA(&clientKey))
	group.Go(func() error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		serverKey = key
		return err //nolint:wrapcheck // wrapped once below
	})
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("sf1601test: make keys: %w", err)
	}
	a := &Authority{caKey: caKey}
	if err := a.issueAll(opts, clientKey, serverKey); err != nil {
		return nil, fmt.Errorf("sf1601test: issue certificates: %w", err)
	}
	return a, nil
}

func (a *Authority) issueAll(opts AuthorityOptions, clientKey *rsa.PrivateKey, serverKey *ecdsa.PrivateKey) error {
	from := opts.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	base := x509.Certificate{
		NotBefore: from, NotAfter: from.Add(opts.Validity), SignatureAlgorithm: x509.SHA256WithRSAPSS,
		BasicConstraintsValid: true,
	}
	if opts.PKCS1 {
		base.SignatureAlgorithm = x509.SHA256WithRSA
	}
	ca := base
	ca.Subject = pkix.Name{Country: []string{"DK"}, Organization: []string{"brevdue simulator"}, CommonName: "brevdue simulator CA"}
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	der, err := sign(&ca, &ca, a.caKey.Public(), a.caKey)
	if err != nil {
		return err
	}
	if a.caCert, err = x509.ParseCertificate(der); err != nil {
		return err //nolint:wrapcheck // wrapped by NewAuthority
	}
	leaf := base
	leaf.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = []string{"localhost"}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}

	client := leaf
	client.Subject = subject(opts.CVR, "brevdue simulator system certificate")
	if a.client, err = a.issue(&client, clientKey); err != nil {
		return err
	}
	server := leaf
	server.Subject = subject("19435075", "brevdue simulator Serviceplatformen")
	if a.server, err = a.issue(&server, serverKey); err != nil {
		return err
	}
	return a.issueSTS()
}

// subject is the name of an OCES3 organisation certificate: serialNumber
// UI:DK-O:G:<uuid>, organizationIdentifier NTRDK-<CVR> (OID 2.5.4.97).
func subject(cvr, name string) pkix.Name {
	return pkix.Name{
		Country: []string{"DK"}, Organization: []string{"Testby Kommune"}, CommonName: name,
		SerialNumber: "UI:DK-O:G:" + newUUID(rand.Reader),
		ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "NTRDK-" + cvr},
		},
	}
}

func (a *Authority) issue(template *x509.Certificate, key crypto.Signer) (tls.Certificate, error) {
	der, err := sign(template, a.caCert, key.Public(), a.caKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse own certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("serial number: %w", err)
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("create certificate: %w", err)
	}
	return der, nil
}

// ClientCertificate is the system certificate a gateway uses, with its key.
func (a *Authority) ClientCertificate() tls.Certificate { return a.client }

// ServerCertificate is the simulator's own pair, for listening and pushing.
func (a *Authority) ServerCertificate() tls.Certificate { return a.server }

// RootCAs is a pool with the authority alone.
func (a *Authority) RootCAs() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.caCert)
	return pool
}

// WriteFiles writes the authority into dir, which is created when missing:
// ca.pem, client.pem, client-key.pem for the gateway and the simulator's own
// files for the next start. Keys get mode 0600. Each file is replaced whole.
func (a *Authority) WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("sf1601test: certificate folder: %w", err)
	}
	chain := func(c tls.Certificate) []byte { return block("CERTIFICATE", c.Certificate[0]) }
	// Keys first and ca.pem last: whoever waits for ca.pem finds all of it.
	for _, f := range []struct {
		name string
		key  any
		pem  []byte
	}{
		{name: fileCAKey, key: a.caKey},
		{name: fileServerKey, key: a.server.PrivateKey},
		{name: fileServer, pem: chain(a.server)},
		{name: FileClientKey, key: a.client.PrivateKey},
		{name: FileClient, pem: chain(a.client)},
		{name: FileSTS, pem: chain(a.sts)},
		{name: FileCA, pem: block("CERTIFICATE", a.caCert.Raw)},
	} {
		mode := os.FileMode(0o644)
		if f.key != nil {
			der, err := x509.MarshalPKCS8PrivateKey(f.key)
			if err != nil {
				return fmt.Errorf("sf1601test: encode %s: %w", f.name, err)
			}
			f.pem, mode = block("PRIVATE KEY", der), 0o600
		}
		if err := replaceFile(filepath.Join(dir, f.name), f.pem, mode); err != nil {
			return fmt.Errorf("sf1601test: write %s: %w", f.name, err)
		}
	}
	return nil
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// replaceFile writes beside the target and renames, so a reader sees the old
// or the new file and never half of one.
func replaceFile(path string, content []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already after the rename
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// LoadOrCreate reads the authority that an earlier start wrote into dir, or
// makes one and writes it. What is there is kept while it fits: all files
// parse, belong together, are valid for another day, and have the CVR and key
// size asked for. So a restarted simulator does not break a running gateway.
func LoadOrCreate(dir string, opts AuthorityOptions) (*Authority, error) {
	opts = opts.withDefaults()
	if a, err := load(dir); err == nil && a.fits(opts) == nil {
		return a, nil
	}
	a, err := NewAuthority(opts)
	if err != nil {
		return nil, err
	}
	return a, a.WriteFiles(dir)
}

func load(dir string) (*Authority, error) {
	pair := func(cert, key string) (tls.Certificate, error) {
		return tls.LoadX509KeyPair(filepath.Join(dir, cert), filepath.Join(dir, key))
	}
	ca, errCA := pair(FileCA, fileCAKey)
	server, errServer := pair(fileServer, fileServerKey)
	client, errClient := pair(FileClient, FileClientKey)
	if err := errors.Join(errCA, errServer, errClient); err != nil {
		return nil, err
	}
	key, ok := ca.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the authority's key is not RSA")
	}
	a := &Authority{caCert: ca.Leaf, caKey: key, server: server, client: client}
	return a, a.loadSTS(dir)
}

// fits says why a loaded authority cannot be used with opts.
func (a *Authority) fits(opts AuthorityOptions) error {
	if opts.PKCS1 && a.caCert.SignatureAlgorithm != x509.SHA256WithRSA {
		return errors.New("another signature algorithm")
	}
	soon := opts.Now().Add(24 * time.Hour)
	for _, c := range []tls.Certificate{a.server, a.client} {
		if _, err := c.Leaf.Verify(x509.VerifyOptions{
			Roots: a.RootCAs(), CurrentTime: soon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		}); err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
	}
	key, ok := a.client.PrivateKey.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() != opts.KeyBits || a.caKey.N.BitLen() != opts.KeyBits {
		return errors.New("another key size")
	}
	for _, n := range a.client.Leaf.Subject.Names {
		if n.Type.String() == "2.5.4.97" && n.Value == "NTRDK-"+opts.CVR {
			return nil
		}
	}
	return errors.New("another CVR")
}

// thumbprint identifies a certificate the way tokens are bound to it.
func thumbprint(c *x509.Certificate) [sha256.Size]byte { return sha256.Sum256(c.Raw) }
