package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/documents/s3"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/keys"
)

// Documents is a document store, wherever its documents lie.
type Documents interface {
	gateway.Documents
	inbound.Documents
	sealed
}

// sealed is what keys need to know of a store.
type sealed interface {
	// Reseal seals every document under the present key and returns how many it sealed.
	Reseal(ctx context.Context) (int, error)
	// SealedUnder counts the documents by the id of their key; "" are those that are not sealed.
	SealedUnder(ctx context.Context) (map[string]int, error)
}

// OpenDocuments opens the configured document store, as OpenJournal.
func OpenDocuments(ctx context.Context, cfg *config.Config, k *keys.Keys, log *slog.Logger) (Documents, error) {
	var sealer gateway.StreamSealer
	if k != nil {
		sealer = k
	}
	store, err := openDocuments(ctx, cfg.Documents.URL, sealer, log)
	if errors.Is(err, gateway.ErrNoKey) {
		return nil, otherKeys(err)
	}
	return store, err
}

func openDocuments(ctx context.Context, url string, sealer gateway.StreamSealer, log *slog.Logger) (Documents, error) {
	if !strings.HasPrefix(url, "s3:") {
		folder, err := documents.Open(url, documents.Options{Sealer: sealer})
		if err != nil {
			return nil, err
		}
		return store[*documents.Staged]{folder}, nil
	}
	bucket, err := s3.Open(ctx, url, s3.Options{Sealer: sealer, Logger: log})
	if err != nil {
		return nil, config.Errors{{Key: "documents.url", Text: err.Error(), Hint: "is the bucket there, and may these credentials " +
			"list, read, write and delete in it?"}}
	}
	return store[*s3.Staged]{bucket}, nil
}

// engine is what a package of documents has, with staged ones of its own type.
type engine[S inbound.Staged] interface {
	gateway.Documents
	sealed
	Stage(ctx context.Context, r io.Reader, limit int64) (S, error)
}

// store makes Documents of an engine.
type store[S inbound.Staged] struct{ engine[S] }

// Stage implements inbound.Documents.
func (s store[S]) Stage(ctx context.Context, r io.Reader, limit int64) (inbound.Staged, error) {
	staged, err := s.engine.Stage(ctx, r, limit)
	if err != nil {
		return nil, err
	}
	return staged, nil
}
