package sf1601

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/brevdue/brevdue/sf1601/sts"
)

// Paths under Endpoints.Base (Serviceplatformen, SF1601).
const (
	kombiPath      = "/service/KombiPostAfsend_1/kombi"
	forespoergPath = "/service/PostForespoerg_1/"
)

// Entity ids of the services, the audiences of the SAML tokens.
const (
	EntityKombiPostAfsend = "http://entityid.kombit.dk/service/kombipostafsend/1"
	EntityPostForespoerg  = "http://entityid.kombit.dk/service/postforespoerg/1"
)

// Endpoints says where the far end is. Both are scheme://host[:port] without a
// path; the known paths are appended.
type Endpoints struct {
	STS  string // the Security Token Service (Adgangsstyring for systemer)
	Base string // Serviceplatformen
}

// Environment gives the addresses of a named environment: "prod", "exttest"
// (KOMBIT's external test) or "sim" (`brevdue sim` on this machine).
func Environment(name string) (Endpoints, error) {
	switch name {
	case "prod":
		return Endpoints{STS: "https://n2adgangsstyring.stoettesystemerne.dk", Base: "https://prod.serviceplatformen.dk"}, nil
	case "exttest":
		return Endpoints{
			STS:  "https://n2adgangsstyring.eksterntest-stoettesystemerne.dk",
			Base: "https://exttest.serviceplatformen.dk",
		}, nil
	case "sim":
		return Endpoints{STS: "https://127.0.0.1:9443", Base: "https://127.0.0.1:9443"}, nil
	}
	return Endpoints{}, fmt.Errorf("unknown environment %q: want prod, exttest or sim", name)
}

// Validate checks that both addresses are https without path, query or user.
func (e Endpoints) Validate() error {
	if err := validOrigin("STS", e.STS); err != nil {
		return err
	}
	return validOrigin("Base", e.Base)
}

func validOrigin(field, address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("endpoint %s: not a URL", field)
	case u.Scheme != "https":
		return fmt.Errorf("endpoint %s: must be https://host[:port], mutual TLS is part of the protocol", field)
	case u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("endpoint %s: must be https://host[:port] without path or query", field)
	}
	return nil
}

func (e Endpoints) audience(cvr, entity string) sts.Audience {
	return sts.Audience{CVR: cvr, EntityID: entity}
}
