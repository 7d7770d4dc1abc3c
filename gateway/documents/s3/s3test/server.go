// Package s3test runs a real S3 server for tests, on loopback and with all files in the test's folder: versitygw, which
// `make tools` builds.
//
// The job, in the order it happens: [Start] starts the server with one empty bucket and waits until it answers; the test uses
// URL and Credentials, and kills, stops and restarts the server as it likes; Close kills it.
package s3test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrNoServer is returned when the server has not been built.
var ErrNoServer = errors.New("versitygw is not there; build it with: make tools")

// What a server is started with. They open nothing but a test's own server.
const (
	Bucket    = "brevdue"
	AccessKey = "s3test-access"
	SecretKey = "s3test-secret-marker"
)

// Server is one S3 server, which may be killed and started again on the same port and files.
type Server struct {
	Endpoint string // http://127.0.0.1:PORT
	Files    string // the folder that is the bucket

	path string
	dir  string
	mu   sync.Mutex
	cmd  *exec.Cmd
	gone chan struct{}
}

// Start starts a server with its files under dir and waits until it answers.
func Start(ctx context.Context, dir string) (*Server, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("s3test: %w", err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("s3test: %w", err)
	}
	s := &Server{Endpoint: "http://" + address, Files: filepath.Join(dir, "root", Bucket), path: path, dir: dir}
	for _, folder := range []string{s.Files, filepath.Join(dir, "meta")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("s3test: %w", err)
		}
	}
	if err := s.Restart(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// find looks for the program on the PATH and where `make tools` puts it, in the module of the working directory.
func find() (string, error) {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		found, err := filepath.Glob(filepath.Join(dir, ".tools", "versitygw-*", "versitygw"))
		if err != nil || len(found) == 0 {
			return "", ErrNoServer
		}
		return found[len(found)-1], nil
	}
	return "", ErrNoServer
}

// Restart starts the server anew after Kill and waits until it answers.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	address := strings.TrimPrefix(s.Endpoint, "http://")
	cmd := exec.Command(s.path, "--port", address, "--quiet", "--health", "/health", //nolint:gosec,noctx // the test's server; Kill ends it
		"posix", "--sidecar", filepath.Join(s.dir, "meta"), filepath.Join(s.dir, "root"))
	cmd.Env = []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey}
	out, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("s3test: %w", err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	dieWithUs(cmd.SysProcAttr)
	gone, started := make(chan struct{}), make(chan error)
	go func() { // with a thread of its own: on Linux the kernel kills a child when the thread that started it ends
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = out.Close() }()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is of no interest
		}
		close(gone)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("s3test: %w", err)
	}
	s.cmd, s.gone = cmd, gone
	return s.await(ctx, func() error { return s.ask(ctx) })
}

// await repeats ask until it succeeds, for at most half a minute.
func (s *Server) await(ctx context.Context, ask func() error) error {
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
		case <-s.gone:
			return errors.Join(errors.New("s3test: the server ended by itself; see its log"), err)
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// ask is nil when the server answers.
func (s *Server) ask(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/health", http.NoBody)
	if err != nil {
		return fmt.Errorf("s3test: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("s3test: %w", err)
	}
	return resp.Body.Close()
}

// URL is the address of the store: one of its own for every prefix.
func (s *Server) URL(prefix string) string {
	return "s3://" + Bucket + "?path_style=true&endpoint=" + s.Endpoint + "&prefix=" + prefix
}

// Credentials are those of the server.
func (s *Server) Credentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: SecretKey}, nil
	})
}

// Kill ends the server with SIGKILL and waits until it is gone. It may be called again.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.gone
	s.cmd = nil
}

// Pause stops the server in its tracks and returns when it stands: connections stay open and nothing is answered. Continue lets
// it go on.
func (s *Server) Pause(ctx context.Context) error {
	if err := s.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return s.await(ctx, s.stands)
}

// stands is nil when every thread of the process has stopped, as far as the system tells.
func (s *Server) stands() error {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.cmd.Process.Pid))
	if err != nil {
		return fmt.Errorf("s3test: %w", err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread) //nolint:gosec // of the test's own server
		if err != nil {
			continue // it ended
		}
		if _, state, found := strings.Cut(string(stat), ") "); found && !strings.HasPrefix(state, "T") {
			return errors.New("s3test: the server still runs")
		}
	}
	return nil
}

// Continue lets a paused server go on.
func (s *Server) Continue() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(which syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return errors.New("s3test: the server does not run")
	}
	if err := s.cmd.Process.Signal(which); err != nil {
		return fmt.Errorf("s3test: %w", err)
	}
	return nil
}

// Close kills the server.
func (s *Server) Close() { s.Kill() }
