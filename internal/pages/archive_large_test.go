package pages

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// More files than a plain zip can count.
func TestManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	files := make([]MemFile, 70_000)
	for i := range files {
		files[i] = MemFile{Path: fmt.Sprintf("%05d", i), Data: []byte{byte(i)}}
	}
	a, err := PlanBytes(t.Context(), files, nil, PlanOptions{})
	require.NoError(t, err)
	b := readAll(t, a)
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	require.Len(t, zr.File, len(files))
	r, err := zr.File[69_999].Open()
	require.NoError(t, err)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, []byte{69_999 & 0xff}, content)
}

// An archive whose offsets do not fit into 32 bits, made of one planned file
// under many names.
func TestLargeArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("streams 4.5 GB")
	}
	one, err := PlanBytes(t.Context(), []MemFile{
		{Path: "000.zip", Data: make([]byte, MaxAssetSize)}, // stored by its name
		{Path: "zz.txt", Data: []byte("the last file, behind four gigabytes")},
	}, nil, PlanOptions{})
	require.NoError(t, err)
	a := &Archive{}
	for i := range 180 {
		e := one.entries[0]
		e.name = fmt.Sprintf("assets/%03d.zip", i)
		a.entries = append(a.entries, e)
	}
	a.entries = append(a.entries, one.entries[1])
	a.ZipSize, err = a.measure()
	require.NoError(t, err)
	require.Greater(t, a.ZipSize, int64(1)<<32)
	r, err := a.Open(t.Context())
	require.NoError(t, err)
	defer r.Close()
	sparse := &sparseBuffer{parts: map[int64][]byte{}}
	_, err = io.CopyBuffer(struct{ io.Writer }{sparse}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	require.NoError(t, err)
	require.Equal(t, a.ZipSize, sparse.size)
	zr, err := zip.NewReader(sparse, sparse.size)
	require.NoError(t, err)
	require.Len(t, zr.File, 181)
	f, err := zr.Open("assets/zz.txt")
	require.NoError(t, err)
	content, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "the last file, behind four gigabytes", string(content))
}

const sparseBlock = 4096

// sparseBuffer keeps only those blocks that are not zero.
type sparseBuffer struct {
	size  int64
	parts map[int64][]byte
}

func (s *sparseBuffer) Write(p []byte) (int, error) {
	var zero [sparseBlock]byte
	for rest := p; len(rest) > 0; {
		block, at := s.size/sparseBlock, s.size%sparseBlock
		n := min(int64(len(rest)), sparseBlock-at)
		if !bytes.Equal(rest[:n], zero[:n]) {
			if s.parts[block] == nil {
				s.parts[block] = make([]byte, sparseBlock)
			}
			copy(s.parts[block][at:], rest[:n])
		}
		s.size += n
		rest = rest[n:]
	}
	return len(p), nil
}

func (s *sparseBuffer) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off < s.size {
		block, at := off/sparseBlock, off%sparseBlock
		part := int(min(int64(len(p)-n), sparseBlock-at, s.size-off))
		clear(p[n : n+part])
		if b := s.parts[block]; b != nil {
			copy(p[n:n+part], b[at:])
		}
		n += part
		off += int64(part)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
