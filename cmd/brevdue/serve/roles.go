package serve

import (
	"fmt"
	"slices"
	"strings"
)

// Roles says what a process does.
type Roles []string

// The roles of this version.
const (
	RoleAPI    = "api"    // HTTP API and console
	RoleWorker = "worker" // letters out, and repair
	RoleStatus = "status" // statuses in
)

// ParseRoles reads a comma-separated list; empty means all. "inbound" is known and does nothing in this version.
func ParseRoles(list string) (Roles, error) {
	if list == "" {
		return Roles{RoleAPI, RoleWorker, RoleStatus}, nil
	}
	var roles Roles
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		switch name {
		case RoleAPI, RoleWorker, RoleStatus, "inbound":
			roles = append(roles, name)
		default:
			return nil, fmt.Errorf("unknown role %q: use %s, %s, %s or inbound", name, RoleAPI, RoleWorker, RoleStatus)
		}
	}
	return roles, nil
}

func (r Roles) has(name string) bool { return slices.Contains(r, name) }
