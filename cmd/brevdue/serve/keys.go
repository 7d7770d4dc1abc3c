package serve

import (
	"context"
	"errors"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/keys"
)

// KeysConfig says where the configured keys are.
func KeysConfig(cfg *config.Config) keys.Config {
	return keys.Config{File: cfg.Keys.File, MasterFile: cfg.Keys.MasterFile}
}

// OpenKeys opens the configured keys; nil when none are. create makes them where there is no file. The error is
// config.Errors.
func OpenKeys(cfg *config.Config, create bool) (*keys.Keys, error) {
	if cfg.Keys.File == "" {
		return nil, nil //nolint:nilnil // no keys are a configuration like another
	}
	k, err := keys.Open(KeysConfig(cfg))
	if create && errors.Is(err, keys.ErrNoFile) {
		k, err = keys.Create(KeysConfig(cfg))
	}
	switch {
	case err == nil:
		return k, nil
	case errors.Is(err, keys.ErrNoFile):
		return nil, config.Errors{{Key: "keys.file", Text: err.Error(), Hint: "put the file back from its copy; where nothing was ever " +
			"sealed, run: brevdue keys init --config FILE"}}
	case errors.Is(err, keys.ErrMaster):
		return nil, config.Errors{{Key: "keys.master_file", Text: err.Error()}}
	default:
		return nil, config.Errors{{Key: "keys.file", Text: err.Error()}}
	}
}

// OpenJournal opens the configured journal with keys, or without when k is nil. Keys that are not the journal's are
// config.Errors.
func OpenJournal(ctx context.Context, cfg *config.Config, k *keys.Keys, opts journal.Options) (*journal.Journal, error) {
	if k != nil {
		opts.Sealer = k
	}
	j, err := journal.Open(ctx, cfg.Journal.URL, opts)
	if errors.Is(err, gateway.ErrNoKey) {
		return nil, otherKeys(err)
	}
	return j, err
}

func otherKeys(err error) error {
	return config.Errors{{Key: "keys.file", Text: err.Error(), Hint: "put back the keyset file that belongs to this data"}}
}
