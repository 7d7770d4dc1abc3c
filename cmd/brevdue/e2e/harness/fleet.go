package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// The parts of a [World] one by one, for those who build one that is not in it: several gateways on one journal.

// FreeAddresses finds n loopback ports that nobody listens on.
func FreeAddresses(ctx context.Context, n int) ([]string, error) { return freeAddresses(ctx, n) }

// StartSim starts a far end. Statuses are the arguments that say where they go: --push URL, or --amqp URL and --queue NAME.
func StartSim(ctx context.Context, binary, dir, listen, admin string, statuses ...string) (*Sim, error) {
	return startSim(ctx, binary, dir, listen, admin, statuses)
}

// PushURL is where a far end must post statuses for a gateway whose push listens at address.
func PushURL(address string) string { return pushURL(address) }

// StartBroker is a RabbitMQ with the queue [Dueslag] that trusts the certificates in the folder of the simulator.
// rabbittest.ErrNoRabbit when there is none.
func StartBroker(ctx context.Context, dir, sim string) (*rabbittest.Node, error) {
	return startBroker(ctx, dir, sim)
}

// NewReceiver starts a receiver of callbacks with a certificate of the authority in the folder of the simulator.
func NewReceiver(dir, sim string, pkcs1 bool, answer Answer) (*Receiver, error) {
	a, err := sf1601test.LoadOrCreate(sim, sf1601test.AuthorityOptions{PKCS1: pkcs1})
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return newReceiver(dir, a, answer)
}

// Configuration is what a world writes for its gateway, as the keys of the file.
func (w *World) Configuration(dir, api, push string, o Options) map[string]any {
	w.options = o
	return configuration(dir, api, push, w)
}

// NewNode is a gateway in dir that has not been started: its configuration is written, its journal not migrated.
func NewNode(binary, dir, api string, settings map[string]any) (*Gateway, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the gateway: %w", err)
	}
	text, err := yaml.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	g := &Gateway{
		Dir: dir, API: api, binary: binary,
		ConfigFile: filepath.Join(dir, "brevdue.yaml"), LogFile: filepath.Join(dir, "serve.log"),
		Client: &httpapi.Client{
			BaseURL: "http://" + api, Token: Token,
			HTTP: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		},
	}
	if err := os.WriteFile(g.ConfigFile, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return g, nil
}

// Launch starts `brevdue serve` with the roles and waits for nothing.
func (g *Gateway) Launch(roles string) (*Process, error) {
	return start("brevdue serve", g.Dir, g.LogFile, g.binary, "serve", "--config", g.ConfigFile, "--roles", roles)
}

// Pause stops every thread of the process where it stands (SIGSTOP). Connections stay open and nothing answers.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Resume has a paused process go on (SIGCONT).
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	if err := syscall.Kill(-p.PID(), s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Succeeded reports whether the process ended with exit code 0; it must have ended.
func (p *Process) Succeeded() bool { return p.cmd.ProcessState.ExitCode() == 0 }

// Tail is the end of a file of a world, for a message about a failure.
func Tail(file string, lines int) string { return strings.TrimSpace(tail(file, lines)) }
