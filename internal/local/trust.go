package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// writeAuthority puts the certificate of the state's authority into a file beside
// the state, where clients of the edge's HTTPS find it, and returns its path.
func (s *Server) writeAuthority(ctx context.Context, dir string) (string, error) {
	if dir == state.Memory {
		dir = s.store.BlobDir() // goes with the state
	}
	path, err := filepath.Abs(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return "", fmt.Errorf("find the folder of the local authority's certificate: %w", err)
	}
	text, err := s.edge.certificates.Authority(ctx)
	if err != nil {
		return "", err
	}
	old, err := os.ReadFile(path)
	if err == nil && string(old) == text {
		return path, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the local authority's certificate: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return "", fmt.Errorf("write the local authority's certificate: %w", err)
	}
	return path, nil
}
