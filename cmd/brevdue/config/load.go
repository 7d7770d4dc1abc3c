package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/goccy/go-yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// Error is one thing wrong with the configuration.
type Error struct {
	Key  string // e.g. serviceplatformen.certificate_file
	Text string // what is wrong, without any secret
	Hint string // what to do
}

// Error names the key first.
func (e Error) Error() string {
	if e.Hint == "" {
		return e.Key + ": " + e.Text
	}
	return e.Key + ": " + e.Text + " (" + e.Hint + ")"
}

// Errors is everything wrong with a configuration.
type Errors []Error

// Error puts one problem on a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for n, e := range es {
		lines[n] = e.Error()
	}
	return "configuration: " + strings.Join(lines, "\nconfiguration: ")
}

// notConfig are BREVDUE_ variables that belong to the command line, not to the configuration.
var notConfig = []string{"BREVDUE_URL", "BREVDUE_TOKEN"}

// Load reads the file and the environment (in the form of os.Environ), fills in defaults and checks everything. The
// error is Errors when the content is wrong. An empty path means no file: defaults and environment only.
func Load(path string, environ []string) (*Config, error) {
	tree := map[string]any{}
	if path != "" {
		raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if errors.Is(err, fs.ErrNotExist) {
			return nil, Errors{{Key: "--config", Text: "there is no file " + path}}
		}
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		if err := yaml.Unmarshal(raw, &tree); err != nil {
			return nil, Errors{{Key: "--config", Text: "the file is not YAML: " + firstLine(yaml.FormatError(err, false, false))}}
		}
	}
	overlay, problems := fromEnvironment(environ)
	if len(problems) > 0 {
		return nil, problems
	}
	k := koanf.New("\x00") // names of senders may hold dots
	for _, m := range []map[string]any{tree, overlay} {
		if err := k.Load(confmap.Provider(m, ""), nil); err != nil {
			return nil, fmt.Errorf("merge configuration: %w", err)
		}
	}
	return decode(k)
}

func decode(k *koanf.Koanf) (*Config, error) {
	var c Config
	var meta mapstructure.Metadata
	err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		Result: &c, Metadata: &meta, WeaklyTypedInput: true, TagName: "koanf",
		MatchName:  func(key, field string) bool { return key == field },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(mapstructure.StringToTimeDurationHookFunc(), unitWanted),
	}})
	if err != nil {
		return nil, Errors{{Key: badKey(err), Text: "the value has the wrong form", Hint: lastLine(err.Error())}}
	}
	if len(meta.Unused) > 0 {
		sort.Strings(meta.Unused)
		var es Errors
		for _, key := range meta.Unused {
			es = append(es, Error{
				Key: dotted.Replace(key), Text: "unknown key", Hint: "the keys are listed in README.md, section Configuration",
			})
		}
		return nil, es
	}
	return Parse(&c)
}

// Parse fills in the defaults of a configuration made in Go, and checks it like one from a file.
func Parse(c *Config) (*Config, error) {
	c.setDefaults()
	if es := c.check(); len(es) > 0 {
		return nil, es
	}
	return c, nil
}

// errUnit refuses a duration such as 10, which would be nanoseconds.
var errUnit = errors.New("a duration has a unit, such as 30s or 10m")

func unitWanted(from, to reflect.Type, value any) (any, error) {
	if to == reflect.TypeFor[time.Duration]() && from != to {
		return nil, errUnit
	}
	return value, nil
}

// dotted writes mapstructure's channels[digitalpost].pace as the path of the key.
var dotted = strings.NewReplacer("[", ".", "]", "")

// badKey finds the key in mapstructure's error, which quotes it first.
func badKey(err error) string {
	if de, ok := errors.AsType[*mapstructure.DecodeError](err); ok {
		return dotted.Replace(de.Name())
	}
	return "--config"
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
