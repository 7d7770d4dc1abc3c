package sf1601_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/sts"
)

// soapClient is a client of the strict far end that asks the STS in SOAP.
func soapClient(t *testing.T, trusted ...*x509.Certificate) (*sf1601.Client, *sf1601test.Server) {
	t.Helper()
	authority, err := sharedAuthority()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sf1601test.Start(sf1601test.Config{Authority: authority})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	if trusted == nil {
		trusted = []*x509.Certificate{authority.STSCertificate().Leaf}
	}
	batcher, err := signature.NewBatcher(signature.BatcherConfig{
		Certificate: srv.ClientCertificate(), Keep: (&shelf{}).keep, NewUUID: uuidCounter(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(batcher.Close)
	c, err := sf1601.New(sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: srv.URL(), Base: srv.URL()}, Certificate: srv.ClientCertificate(), RootCAs: srv.RootCAs(),
		CVR: "55133018", Signer: batcher, STSMode: sts.SOAP, STSCertificates: trusted,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, srv
}

func TestALetterIsAcceptedWithATokenAskedForInSOAP(t *testing.T) {
	t.Parallel()
	c, srv := soapClient(t)
	k := to(cpr, 1, small())
	got, err := c.KombiPostAfsend(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "C=DK,O=55133018,CN=simulator" {
		t.Errorf("the letter went with a token of %q", got.Subject)
	}
	if _, ok := srv.Message(k.Message.Header.MessageUUID); !ok {
		t.Error("the far end has no such letter")
	}
	if n := srv.Stats().Requests; n["issue-soap"] != 1 || n["issue"] != 0 || n["token"] != 1 {
		t.Errorf("requests: %v", n)
	}
}

func TestNoLetterLeavesWithATokenThatIsNotVerified(t *testing.T) {
	t.Parallel()
	c, srv := soapClient(t, certificate().Leaf)
	_, err := c.KombiPostAfsend(t.Context(), to(cpr, 1, small()))
	e, ok := errors.AsType[*sf1601.Error](err)
	if !ok || e.Class != sf1601.Denied || e.Op != sts.OpIssue || !strings.Contains(e.Hint, "sts_certificate_file") {
		t.Fatalf("err = %#v", err)
	}
	if n := srv.Stats().Requests; n["token"] != 0 || n["kombi"]+n["memos"] != 0 {
		t.Errorf("requests: %v", n)
	}
}

func TestAnUnknownModeOfTheSTSIsRefused(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	batcher, err := signature.NewBatcher(signature.BatcherConfig{Certificate: certificate(), Keep: (&shelf{}).keep, NewUUID: uuidCounter()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(batcher.Close)
	_, err = sf1601.New(sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: f.URL, Base: f.URL}, Certificate: certificate(), CVR: "55133018", Signer: batcher, STSMode: "post",
	})
	if err == nil || !strings.Contains(err.Error(), `"post"`) {
		t.Errorf("err = %v", err)
	}
}
