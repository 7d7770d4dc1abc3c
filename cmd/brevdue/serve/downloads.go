package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/download"
)

// openDownloads makes what signs links to large documents, where the configuration has a place for them.
func (a *App) openDownloads() error {
	if a.cfg.Downloads == (config.Downloads{}) {
		return nil
	}
	var err error
	a.downloads, err = a.cfg.Downloads.Signer()
	return err
}

// mountDownloads adds the pages of download links at the path of their base URL.
func (a *App) mountDownloads(mounts map[string]http.Handler) error {
	if a.downloads == nil {
		return nil
	}
	u, err := url.Parse(a.downloads.BaseURL)
	if err != nil {
		return fmt.Errorf("downloads.base_url: %w", err)
	}
	path := "/" + strings.Trim(u.Path, "/")
	handler := download.Handler(download.Config{Signer: a.downloads, Documents: attachments{a}, Logger: a.log.With("part", "downloads")})
	mounts[path+"/"] = http.StripPrefix(path, handler)
	return nil
}

// attachments opens the documents that links name.
type attachments struct{ app *App }

// Open implements download.Opener.
func (d attachments) Open(ctx context.Context, messageID string, index int) (download.Document, io.ReadCloser, error) {
	doc, from, content, err := d.app.gateway.Attachment(ctx, messageID, index)
	if errors.Is(err, gateway.ErrNotFound) {
		err = errors.Join(download.ErrNotFound, err)
	}
	if err != nil {
		return download.Document{}, nil, err
	}
	return download.Document{Filename: doc.Filename, ContentType: doc.ContentType, Size: doc.Size, From: from}, content, nil
}
