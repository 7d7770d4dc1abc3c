package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/brevdue/brevdue/gateway"
)

// washers is how many look-ups of one list are under way at a time. The registry may bound them further.
const washers = 16

// RegistrationRequest asks whether somebody is registered for a service: "digitalpost" or "nemsms". Exactly one of CPR and
// CVR is set.
type RegistrationRequest struct {
	CPR     string `json:"cpr,omitzero"`
	CVR     string `json:"cvr,omitzero"`
	Service string `json:"service"`
	Fresh   bool   `json:"fresh,omitzero"` // ask past what is remembered of an earlier look-up
}

// RegistrationAnswer is what POST /v1/registrations answers.
type RegistrationAnswer struct {
	Registered bool `json:"registered"`
}

// WashLine is the answer to one line of a list of identifiers: either whether it is registered, or a problem. It never
// repeats the identifier.
type WashLine struct {
	Line       int      `json:"line"`   // from 1
	Status     int      `json:"status"` // 200, or that of the problem
	Registered *bool    `json:"registered,omitempty"`
	Problem    *Problem `json:"problem,omitzero"`
}

// Registration is API.
func (s service) Registration(ctx context.Context, in *RegistrationRequest) (*RegistrationAnswer, error) {
	r := &reading{}
	id := r.identifier("", in.CPR, in.CVR)
	if len(r.problems) > 0 {
		return nil, newProblem(codeLookup, "", findings(r.problems)...)
	}
	registered, err := s.gateway.Registered(ctx, in.Service, id, in.Fresh)
	if invalid, ok := errors.AsType[*gateway.Invalid](err); ok {
		return nil, newProblem(codeLookup, "", findings(invalid.Problems)...).because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("registration: %w", err)
	}
	return &RegistrationAnswer{Registered: registered}, nil
}

// decodeQuestion reads a look-up. Its errors repeat no name of the body, which may be an identifier in the wrong place.
func decodeQuestion(body []byte) (*RegistrationRequest, error) {
	in, err := decode[RegistrationRequest](body)
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		return in, err
	}
	const detail = "A look-up is an object with cpr or cvr, service, and fresh if need be."
	for n := range p.Errors {
		f := &p.Errors[n]
		if f.Detail = detail; f.Pointer != "/cpr" && f.Pointer != "/cvr" && f.Pointer != "/service" && f.Pointer != "/fresh" {
			f.Pointer = ""
		}
	}
	p.Detail = detail
	return nil, p
}

// Wash is API.
func (s service) Wash(ctx context.Context, lines io.Reader, each func(WashLine) error) error {
	in := s.lists.reader(lines)
	if _, err := in.in.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the list: %w", err)
	}
	return inOrder(ctx, in, washers, s.washLine, each)
}

// washLine answers one line.
func (s service) washLine(ctx context.Context, l line) (answer WashLine) {
	defer func() {
		if p := recover(); p != nil { // here it would end the process, not the request
			answer = WashLine{Line: l.n, Status: http.StatusInternalServerError, Problem: panicked(p)}
		}
	}()
	found, err := s.lookUpLine(ctx, l)
	if err != nil {
		p := problemOf(err)
		return WashLine{Line: l.n, Status: p.Status, Problem: p}
	}
	return WashLine{Line: l.n, Status: http.StatusOK, Registered: &found.Registered}
}

func (s service) lookUpLine(ctx context.Context, l line) (*RegistrationAnswer, error) {
	defer l.free()
	if l.err != nil {
		return nil, l.err
	}
	in, err := decodeQuestion(*l.body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.lists.patience)
	defer cancel()
	return s.Registration(ctx, in)
}

// Errors is API.
func (s service) Errors(context.Context) (*ErrorList, error) {
	codes := s.gateway.ErrorCodes()
	list := &ErrorList{Errors: make([]ErrorView, len(codes))}
	for n, c := range codes {
		list.Errors[n] = ErrorView{
			Code: c.Code, FarEnd: c.FarEnd, Outcome: string(c.Outcome), Hint: c.HintEN, HintDA: c.HintDA, Source: c.Source,
		}
		if !c.Date.IsZero() {
			list.Errors[n].Date = c.Date.Format("2006-01-02")
		}
	}
	return list, nil
}
