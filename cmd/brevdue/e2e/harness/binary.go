package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// BinaryVariable names a binary to use instead of building one, e.g. one that was instrumented by hand.
const BinaryVariable = "BREVDUE_E2E_BINARY"

// Build builds cmd/brevdue into dir and returns the path of the binary; with race, one with the race detector. The
// current directory must be inside the module.
func Build(ctx context.Context, dir string, race bool) (string, error) {
	if given := os.Getenv(BinaryVariable); given != "" {
		path, err := filepath.Abs(given)
		if err != nil {
			return "", fmt.Errorf("%s: %w", BinaryVariable, err)
		}
		return path, nil
	}
	path := filepath.Join(dir, "brevdue")
	args := []string{"build", "-o", path}
	if race {
		args = append(args, "-race")
	}
	args = append(args, "github.com/brevdue/brevdue/cmd/brevdue")
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // fixed words and a folder of ours
	cmd.Env = os.Environ()
	if race {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build brevdue: %w\n%s", err, out)
	}
	return path, nil
}

// Run runs the binary to its end and returns what it printed. The error is *exec.ExitError when it exited non-zero.
func Run(ctx context.Context, binary, dir string, args ...string) (string, error) {
	return run(ctx, binary, dir, nil, args...)
}

// Command runs a command of the API's client against the gateway, and returns what it printed.
func (g *Gateway) Command(ctx context.Context, dir string, args ...string) (string, error) {
	return run(ctx, g.binary, dir, []string{"BREVDUE_URL=http://" + g.API, "BREVDUE_TOKEN=" + Token}, args...)
}

func run(ctx context.Context, binary, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the binary we built
	cmd.Dir, cmd.Env = dir, append(environment(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("brevdue %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// environment is ours without BREVDUE_ variables: those would be read as settings.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "BREVDUE_") })
}

// ErrNoRedis is returned when redis-server is not installed.
var ErrNoRedis = errors.New("redis-server is not installed")
