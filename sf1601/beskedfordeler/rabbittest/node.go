package rabbittest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// ErrNoRabbit says that there is no rabbitmq-server to run.
var ErrNoRabbit = errors.New("rabbittest: no rabbitmq-server")

// Config is how a node is set up.
type Config struct {
	// Dir is the private folder of the node; it is created. Required.
	Dir string
	// Authority makes the certificates; it must sign them with PKCS #1 (see
	// sf1601test.AuthorityOptions). Nil makes one in memory.
	Authority *sf1601test.Authority
	// InitialFrameMax is the broker's limit of a login in bytes; zero means
	// 131072. RabbitMQ's own default is 4096, too little for an assertion of
	// more than 3,900 bytes.
	InitialFrameMax int
	// Password lets the user named [PasswordUser] log in with it (SASL PLAIN),
	// who may do everything in vhost BF. Empty: certificates alone log in. A
	// client certificate is wanted in either case.
	Password string
}

// PasswordUser is the user of Config.Password.
const PasswordUser = "brevdue"

// Node is one broker.
type Node struct {
	cfg     Config
	scripts string // folder of rabbitmq-server and rabbitmqctl
	amqp    int
	dist    int
	names   int // epmd's port

	mu     sync.Mutex
	epmd   *process
	broker *process // nil while it is down
	admin  *admin
}

// Start sets a node up and starts it. ErrNoRabbit is wrapped when the program
// is not installed.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	n := &Node{cfg: cfg, admin: &admin{}}
	var err error
	if n.scripts, err = findScripts(); err != nil {
		return nil, err
	}
	if cfg.Dir == "" {
		return nil, errors.New("rabbittest: Dir is required")
	}
	if n.cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, fmt.Errorf("rabbittest: folder: %w", err)
	}
	if cfg.Authority == nil {
		if n.cfg.Authority, err = sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048, PKCS1: true}); err != nil {
			return nil, err
		}
	}
	for try := 1; ; try++ {
		err := n.first(ctx)
		if err == nil {
			return n, nil
		}
		n.Close()
		if try == tries || ctx.Err() != nil || errors.Is(err, ErrNoRabbit) {
			return nil, err
		}
	}
}

// tries is how often a node is set up: somebody else may take a port between
// our finding and the node's using it.
const tries = 3

// first writes the files for ports that are free now and starts epmd and node.
func (n *Node) first(ctx context.Context) error {
	epmd, err := exec.LookPath("epmd")
	if err != nil {
		return errors.Join(ErrNoRabbit, err)
	}
	if err := freePorts(ctx, &n.amqp, &n.dist, &n.names); err != nil {
		return err
	}
	if err := n.writeFiles(); err != nil {
		return err
	}
	n.epmd, err = launch(n.cfg.Dir, n.file("epmd.log"), n.environment(), epmd,
		"-port", strconv.Itoa(n.names), "-address", "127.0.0.1")
	if err != nil {
		return err
	}
	return n.Start(ctx)
}

// Start starts a node that is down, on the data it left behind, and returns
// when it takes connections.
func (n *Node) Start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broker != nil {
		return errors.New("rabbittest: the node runs already")
	}
	log := n.file("stdout.log")
	broker, err := launch(n.cfg.Dir, log, n.environment(), filepath.Join(n.scripts, "rabbitmq-server"))
	if err != nil {
		return err
	}
	if err := n.untilUp(ctx, broker); err != nil {
		broker.kill()
		said, _ := os.ReadFile(log) //nolint:gosec // a file in the node's folder
		return fmt.Errorf("rabbittest: start: %w: %s", err, lastLines(string(said), 20))
	}
	n.broker = broker
	return nil
}

// Stop ends the node politely (SIGTERM) and waits for it.
func (n *Node) Stop(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broker == nil {
		return nil
	}
	n.admin.close()
	broker := n.broker
	n.broker = nil
	if err := broker.signal(syscall.SIGTERM); err != nil {
		broker.kill()
		return err
	}
	select {
	case <-broker.exited:
		return nil
	case <-ctx.Done():
		broker.kill()
		return fmt.Errorf("rabbittest: stop: %w", ctx.Err())
	}
}

// Kill ends the node with SIGKILL and waits for it.
func (n *Node) Kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broker == nil {
		return
	}
	n.broker.kill()
	n.broker = nil
	n.admin.close()
}

// Restart is Stop and Start.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Stop(ctx); err != nil {
		return err
	}
	return n.Start(ctx)
}

// Close kills everything that runs. The folder stays.
func (n *Node) Close() {
	n.Kill()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.epmd != nil {
		n.epmd.kill()
		n.epmd = nil
	}
}

// URL is what a puller of vhost BF is configured with.
func (n *Node) URL() string { return "amqps://" + n.Address() + "/" + vhost }

// Address is host:port of AMQP over TLS.
func (n *Node) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.amqp)) }

// PID is the process id of the node, 0 while it is down.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broker == nil {
		return 0
	}
	return n.broker.cmd.Process.Pid
}

// Authority made the certificates.
func (n *Node) Authority() *sf1601test.Authority { return n.cfg.Authority }

// ClientTLS is what a puller is configured with: the client certificate, which
// may read every queue of vhost BF but those that begin with ClosedPrefix.
func (n *Node) ClientTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: n.cfg.Authority.RootCAs(),
		Certificates: []tls.Certificate{n.cfg.Authority.ClientCertificate()},
	}
}

func (n *Node) untilUp(ctx context.Context, p *process) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	dialer := net.Dialer{Timeout: time.Second}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", n.Address())
		if err == nil {
			return conn.Close() //nolint:wrapcheck // Start does
		}
		select {
		case <-ticker.C:
		case <-p.exited:
			return errors.New("it ended by itself")
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// findScripts finds RabbitMQ's own scripts: Debian's in /usr/sbin change the
// user and the folders.
func findScripts() (string, error) {
	found, err := filepath.Glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("rabbitmq-server")
	if err != nil {
		return "", errors.Join(ErrNoRabbit, err)
	}
	return filepath.Dir(path), nil
}

// freePorts finds some.
func freePorts(ctx context.Context, ports ...*int) error {
	var lc net.ListenConfig
	var held []net.Listener // until all are found
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, port := range ports {
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("rabbittest: find a port: %w", err)
		}
		held = append(held, l)
		address, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return errors.New("rabbittest: find a port: not TCP")
		}
		*port = address.Port
	}
	return nil
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
