package journal

import (
	"context"

	"github.com/brevdue/brevdue/gateway"
)

// In: id, producer, filename, bytes, SHA-256, time.
const insertUpload = `INSERT INTO uploads (id, producer, filename, size, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?)`

// InsertUpload implements gateway.Tx.
func (t *tx) InsertUpload(u *gateway.Upload) error {
	_, err := t.exec("insert upload", insertUpload, u.ID, u.Producer,
		secretText(placeOf("uploads.filename", u.ID), u.Filename), u.Size, u.SHA256, micros(u.CreatedAt))
	return err
}

// In: id, producer. Out: the upload.
const selectUpload = `SELECT id, producer, filename, size, sha256, created_at FROM uploads WHERE id = ? AND producer = ?`

// Upload implements gateway.Reader.
func (r reader) Upload(ctx context.Context, producer, id string) (*gateway.Upload, error) {
	u := new(gateway.Upload)
	err := r.one(ctx, "upload", selectUpload, func(r row) error {
		return r.Scan(&u.ID, &u.Producer, &opened{&u.Filename, func() string { return placeOf("uploads.filename", u.ID) }},
			&u.Size, &u.SHA256, (*moment)(&u.CreatedAt))
	}, id, producer)
	if err != nil {
		return nil, err
	}
	return u, nil
}
