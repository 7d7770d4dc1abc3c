package serve

import (
	"fmt"
	"slices"
	"strings"
)

// Roles says what a process does.
type Roles []string

// The roles.
const (
	RoleAPI     = "api"     // HTTP API and console
	RoleWorker  = "worker"  // letters out, events and inbound post to those who want them, and repair
	RoleStatus  = "status"  // statuses in
	RoleInbound = "inbound" // post in
)

// ParseRoles reads a comma-separated list; empty means all.
func ParseRoles(list string) (Roles, error) {
	if list == "" {
		return Roles{RoleAPI, RoleWorker, RoleStatus, RoleInbound}, nil
	}
	var roles Roles
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		switch name {
		case RoleAPI, RoleWorker, RoleStatus, RoleInbound:
			roles = append(roles, name)
		default:
			return nil, fmt.Errorf("unknown role %q: use %s, %s, %s or %s", name, RoleAPI, RoleWorker, RoleStatus, RoleInbound)
		}
	}
	return roles, nil
}

func (r Roles) has(name string) bool { return slices.Contains(r, name) }
