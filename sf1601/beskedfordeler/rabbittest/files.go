package rabbittest

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

const (
	vhost = "BF"
	// ClosedVHost is a virtual host that exists and that the client
	// certificate may not enter.
	ClosedVHost = "LUKKET"
	// ClosedPrefix begins the names of queues the client certificate may not
	// read.
	ClosedPrefix = "lukket-"

	nodeName = "rabbittest@localhost"
)

// defaultInitialFrameMax takes every assertion there is.
const defaultInitialFrameMax = 131072

func (n *Node) file(name string) string { return filepath.Join(n.cfg.Dir, name) }

// environment is all the node, its epmd and rabbitmqctl get to see: the folder
// instead of the system's, ports of our own, and no proxy process between us
// and the node (ALLOW_INPUT), so that a signal to our child is one to the node.
func (n *Node) environment() []string {
	dir := n.cfg.Dir
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"HOME=" + dir, // the Erlang cookie
		"RABBITMQ_NODENAME=" + nodeName,
		"RABBITMQ_MNESIA_BASE=" + filepath.Join(dir, "mnesia"),
		"RABBITMQ_LOG_BASE=" + filepath.Join(dir, "log"), "RABBITMQ_LOGS=" + n.LogFile(),
		"RABBITMQ_PID_FILE=" + n.file("pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + n.file("enabled_plugins"),
		"RABBITMQ_CONFIG_FILE=" + n.file("rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE=/dev/null",
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + n.file("advanced.config"),
		"RABBITMQ_GENERATED_CONFIG_DIR=" + filepath.Join(dir, "gen"),
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(n.dist),
		"ERL_EPMD_PORT=" + strconv.Itoa(n.names), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_ALLOW_INPUT=1", "RABBITMQ_SERVER_START_ARGS=-noinput",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
	}
}

// LogFile is the node's own log.
func (n *Node) LogFile() string { return filepath.Join(n.cfg.Dir, "log", "node.log") }

func (n *Node) writeFiles() error {
	for _, dir := range []string{"mnesia", "log", "gen"} {
		if err := os.MkdirAll(n.file(dir), 0o700); err != nil {
			return fmt.Errorf("rabbittest: %w", err)
		}
	}
	certificates := n.file("certificates")
	if err := n.cfg.Authority.WriteFiles(certificates); err != nil {
		return err
	}
	definitions, err := n.definitions()
	if err != nil {
		return err
	}
	frame := n.cfg.InitialFrameMax
	if frame == 0 {
		frame = defaultInitialFrameMax
	}
	plain := ""
	if n.cfg.Password != "" {
		plain = "auth_mechanisms.2 = PLAIN\n"
	}
	conf := fmt.Sprintf(`listeners.tcp = none
listeners.ssl.1 = %s
ssl_options.cacertfile = %s
ssl_options.certfile = %s
ssl_options.keyfile = %s
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
auth_mechanisms.1 = EXTERNAL
%sssl_cert_login_from = common_name
initial_frame_max = %d
load_definitions = %s
log.file.level = info
disk_free_limit.absolute = 1MB
`, n.Address(), filepath.Join(certificates, sf1601test.FileCA), filepath.Join(certificates, "server.pem"),
		filepath.Join(certificates, "server-key.pem"), plain, frame, n.file("definitions.json"))
	var errs []error
	for name, text := range map[string][]byte{
		"enabled_plugins":  []byte("[rabbitmq_auth_mechanism_ssl].\n"),
		"rabbitmq.conf":    []byte(conf),
		"definitions.json": definitions,
	} {
		errs = append(errs, os.WriteFile(n.file(name), text, 0o600))
	}
	return errors.Join(errs...)
}

// definitions are the users, by the common names of their certificates: the
// client may read, the server pair, which the tests publish with, may all.
func (n *Node) definitions() ([]byte, error) {
	name := func(c tls.Certificate) string { return c.Leaf.Subject.CommonName }
	reader, writer := name(n.cfg.Authority.ClientCertificate()), name(n.cfg.Authority.ServerCertificate())
	type object map[string]any
	user := func(name string) object {
		return object{"name": name, "password_hash": "", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""}
	}
	users := []object{user(reader), user(writer)}
	permissions := []object{
		{"user": reader, "vhost": vhost, "configure": "^$", "write": "^$", "read": "^(?!" + ClosedPrefix + ").*$"},
		{"user": writer, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"},
	}
	if n.cfg.Password != "" {
		one := user(PasswordUser)
		one["password_hash"] = passwordHash(n.cfg.Password)
		users = append(users, one)
		permissions = append(permissions, object{
			"user": PasswordUser, "vhost": vhost, "configure": ".*", "write": "^(?!" + ClosedPrefix + ").*$", "read": ".*",
		})
	}
	out, err := json.MarshalIndent(object{
		"users": users, "vhosts": []object{{"name": vhost}, {"name": ClosedVHost}}, "permissions": permissions,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("rabbittest: definitions: %w", err)
	}
	return out, nil
}

// passwordHash is RabbitMQ's: a salt, and SHA-256 of salt and password.
func passwordHash(password string) string {
	salt := []byte("test")
	sum := sha256.Sum256(append(salt, password...))
	return base64.StdEncoding.EncodeToString(append(salt, sum[:]...))
}
