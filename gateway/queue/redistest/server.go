// Package redistest runs real Redis for tests, on loopback and with all files in the test's folder: one server, a primary
// with a replica watched by three sentinels, or a cluster.
//
// The job, in the order it happens: [Start], [StartSentinel] or [StartCluster] starts the processes and waits until they
// work together; the test uses URL, and kills and restarts servers as it likes; Close kills them all.
package redistest

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
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNoRedis is returned when redis-server or redis-cli is not installed.
var ErrNoRedis = errors.New("redis-server and redis-cli are not installed")

// Login is what a server asks for. The zero value is nothing.
type Login struct {
	Password string
	// TLS makes a server speak TLS only. The files are PEM; ClientCA asks callers for a certificate of it.
	Certificate, Key, ClientCA string
	Client                     *tls.Config // for the calls of this package
}

// Server is one redis-server, which may be killed and started again on the same port and files.
type Server struct {
	Address string
	Dir     string
	Client  *redis.Client // asks and changes the server itself

	args []string
	mu   sync.Mutex
	cmd  *exec.Cmd
}

// Start starts a server with the append-only file on and waits until it answers.
func Start(ctx context.Context, dir string, login Login, more ...string) (*Server, error) {
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return nil, err
	}
	return start(ctx, dir, ports[0], login, more...)
}

func start(ctx context.Context, dir string, port int, login Login, more ...string) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("redistest: %w", err)
	}
	number := strconv.Itoa(port)
	s := &Server{Address: "127.0.0.1:" + number, Dir: dir}
	s.args = []string{"--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--logfile", filepath.Join(dir, "log")}
	if login.Certificate != "" {
		s.args = append(s.args, "--port", "0", "--tls-port", number,
			"--tls-cert-file", login.Certificate, "--tls-key-file", login.Key, "--tls-auth-clients")
		if login.ClientCA != "" {
			s.args = append(s.args, "yes", "--tls-ca-cert-file", login.ClientCA)
		} else {
			s.args = append(s.args, "no")
		}
	} else {
		s.args = append(s.args, "--port", number)
	}
	if login.Password != "" {
		s.args = append(s.args, "--requirepass", login.Password, "--masterauth", login.Password)
	}
	s.args = append(s.args, more...)
	s.Client = redis.NewClient(&redis.Options{
		Addr: s.Address, Password: login.Password, TLSConfig: login.Client, MaxRetries: -1, DialTimeout: time.Second,
	})
	if err := s.Restart(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Restart starts the server anew after Kill and waits until it answers.
func (s *Server) Restart(ctx context.Context) error {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return errors.Join(ErrNoRedis, err)
	}
	return s.run(ctx, path, s.args...)
}

func (s *Server) run(ctx context.Context, path string, args ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...) //nolint:gosec // a test engine with arguments of ours
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("redistest: %w", err)
	}
	s.cmd = cmd
	if err := await(ctx, func() error { return s.Client.Ping(ctx).Err() }); err != nil {
		return fmt.Errorf("redistest: %s does not answer: %w", s.Address, err)
	}
	return nil
}

// Kill ends the server with SIGKILL and waits until it is gone. It may be called again.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // says that it was killed
	s.cmd = nil
}

// Forget deletes what a killed server has kept.
func (s *Server) Forget() error {
	return errors.Join(os.RemoveAll(filepath.Join(s.Dir, "appendonlydir")), removeIfThere(filepath.Join(s.Dir, "dump.rdb")))
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("redistest: %w", err)
	}
	return nil
}

// Close kills the server.
func (s *Server) Close() {
	s.Kill()
	_ = s.Client.Close()
}

// await repeats ask until it succeeds, for at most half a minute.
func await(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// freePorts returns ports that nobody listened on a moment ago, all different.
func freePorts(ctx context.Context, count int) ([]int, error) {
	ports, open := make([]int, 0, count), make([]net.Listener, 0, count)
	defer func() { // all of them at the end, so that none is given twice
		for _, l := range open {
			_ = l.Close()
		}
	}()
	for range count {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("redistest: %w", err)
		}
		open = append(open, l)
		address, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return nil, errors.New("redistest: no TCP address")
		}
		ports = append(ports, address.Port)
	}
	return ports, nil
}
