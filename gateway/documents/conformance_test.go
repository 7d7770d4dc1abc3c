package documents_test

import (
	"path/filepath"
	"testing"

	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/documents/documentstest"
)

func TestConformance(t *testing.T) { //nolint:paralleltest // it measures memory
	documentstest.Run(t, documentstest.Config[*documents.Staged]{
		Open: func(t *testing.T) documentstest.Store[*documents.Staged] {
			t.Helper()
			f, dir := open(t)
			t.Cleanup(func() {
				if left, err := filepath.Glob(filepath.Join(dir, "tmp", "*")); err != nil || len(left) != 0 {
					t.Errorf("%v was left behind, %v", left, err)
				}
			})
			return f
		},
		Memory: 8 << 20,
	})
}
