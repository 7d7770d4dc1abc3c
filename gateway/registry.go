package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Registry knows whether a recipient is registered for a service of Digital Post.
type Registry interface {
	// Registered answers for one of the RegistryServices. fresh asks past whatever the registry remembers. An error
	// means that it is not known: it is never to be read as "not registered".
	Registered(ctx context.Context, service string, id Identifier, fresh bool) (bool, error)
}

// ErrNoRegistry says that this gateway has nobody to ask about registrations.
var ErrNoRegistry = errors.New("no registry is configured")

// RegistryServices lists the services one can be registered for.
func RegistryServices() []string { return []string{"digitalpost", "nemsms"} }

// Registered tells whether a person or a company is registered for a service. Errors: *Invalid for an unknown service
// (pointer /service) or no identifier (pointer empty), ErrNoRegistry, and ErrUnavailable when the look-up failed, for
// whatever reason. No error holds the identifier.
func (g *Gateway) Registered(ctx context.Context, service string, id Identifier, fresh bool) (bool, error) {
	var ps problems
	if !slices.Contains(RegistryServices(), service) {
		ps.add("/service", "service.unknown", "A service is one of: "+strings.Join(RegistryServices(), ", ")+".")
	}
	if id.IsZero() {
		ps.add("", "recipient.missing", "There is no CPR number and no CVR number.")
	}
	switch {
	case len(ps.list) > 0:
		return false, &Invalid{Problems: ps.list}
	case g.registry == nil:
		return false, ErrNoRegistry
	}
	registered, err := g.registry.Registered(ctx, service, id, fresh)
	if err != nil {
		return false, fmt.Errorf("look up a registration: %w: %w", ErrUnavailable, err)
	}
	return registered, nil
}
