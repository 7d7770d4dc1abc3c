package sf1601

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/go-resty/resty/v2"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// Service is what one can be registered for.
type Service string

// The services PostForespoerg answers for. They are independent: one who is
// exempt from Digital Post may still have NemSMS.
const (
	DigitalPost Service = "digitalpost"
	NemSMS      Service = "nemsms"
)

// Identifier names a person (CPR, 10 digits) or a company (CVR, 8 digits). It
// masks itself in texts and logs.
type Identifier struct {
	Type  memo.IDType // memo.CPR or memo.CVR
	Value string
}

// String gives the type only.
func (i Identifier) String() string { return string(i.Type) + " (masked)" }

// GoString gives the type only.
func (i Identifier) GoString() string { return i.String() }

var identifierShapes = map[memo.IDType]*regexp.Regexp{
	memo.CPR: regexp.MustCompile(`^[0-9]{10}$`),
	memo.CVR: cvrShape,
}

var parameters = map[memo.IDType]string{memo.CPR: "cprNumber", memo.CVR: "cvrNumber"}

// PostForespoerg asks whether a person or company is registered for a service.
// Only a clear answer is one: every failure is an *Error, never "not
// registered". A look-up changes nothing at the far end, so its errors are
// Temporary, Rejected or Denied.
//
// The protocol puts the identifier into the query of the URL; the URL is
// therefore kept out of every error.
func (c *Client) PostForespoerg(ctx context.Context, service Service, id Identifier) (bool, error) {
	registered, err := c.postForespoerg(ctx, service, id)
	if err != nil {
		return false, err
	}
	return registered, nil
}

func (c *Client) postForespoerg(ctx context.Context, service Service, id Identifier) (bool, error) {
	shape, known := identifierShapes[id.Type]
	if !known || !shape.MatchString(id.Value) || service != DigitalPost && service != NemSMS {
		invalid := errors.New("want a service and a CPR of 10 or a CVR of 8 digits")
		return false, &Error{Class: Rejected, Op: OpForespoerg, Code: CodeInvalid, Err: invalid}
	}
	transactionID := c.cfg.NewUUID()
	audience := c.cfg.Endpoints.audience(c.cfg.CVR, EntityPostForespoerg)
	ask := func(r *resty.Request) (*resty.Response, error) {
		return r.SetQueryParam(parameters[id.Type], id.Value).Get(c.cfg.Endpoints.Base + forespoergPath + string(service))
	}
	for repeated := false; ; repeated = true {
		access, err := c.token(ctx, audience)
		if err != nil {
			return false, err
		}
		a, err := c.call(ctx, call{OpForespoerg, 0, access, transactionID, "application/json", ask})
		if err != nil {
			return false, &Error{Class: Temporary, Op: OpForespoerg, TransactionID: transactionID, Err: err}
		}
		if a.status == statusUnauthorized {
			c.tokens.Invalidate(audience, access)
			if !repeated {
				continue
			}
		}
		return c.registered(a, transactionID)
	}
}

// registered reads {"result": true|false}.
func (c *Client) registered(a *answer, transactionID string) (bool, error) {
	r, unreadable := readReaction(a.body)
	if a.cut != nil {
		unreadable = a.cut
	}
	if a.status == http.StatusOK && unreadable == nil && r.result != nil && len(r.fejl) == 0 {
		return *r.result, nil
	}
	if len(r.fejl) == 0 {
		r.result = nil // a result beside an error status decides nothing
	}
	e := c.refused(OpForespoerg, a, r, unreadable)
	e.TransactionID = transactionID
	if e.Class == Unknown {
		e.Class = Temporary
	}
	return false, e
}
