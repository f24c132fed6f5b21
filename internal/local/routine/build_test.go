package routine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/oss"
)

func TestFailedBuild(t *testing.T) {
	f := newFixture(t, Config{BeforeBuild: func(context.Context, string, string) error {
		return errors.New("out of luck")
	}})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	v := f.upload("site", nil, zipOf(t, "assets/a.txt", "a"))
	require.Equal(t, "failed", f.status("site", v))
	reason, err := f.svc.FailureReason(t.Context(), "site", v)
	require.NoError(t, err)
	require.Equal(t, "out of luck", reason)
	require.Empty(t, f.blobFiles())
	message := f.refuses("RoutineCodeVersionNotAvailable", "PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "staging", "CodeVersion": v})
	require.Contains(t, message, "out of luck")
	_, err = f.svc.FailureReason(t.Context(), "site", "1")
	require.Error(t, err)
}

func TestSecondUploadIsDropped(t *testing.T) {
	release := make(chan struct{})
	f := newFixture(t, Config{BeforeBuild: func(context.Context, string, string) error {
		<-release
		return nil
	}})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	made := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})
	for _, content := range []string{"first", "second"} { // as a client that lost the first answer
		status, text := f.send(made, zipOf(t, "assets/a.txt", content))
		require.Equal(t, 204, status, text)
	}
	v := made["CodeVersion"].(string)
	require.Equal(t, "init", f.status("site", v))
	close(release)
	f.svc.builds.Wait()
	require.Equal(t, "available", f.status("site", v))
	status, _ := f.send(made, zipOf(t, "assets/a.txt", "third"))
	require.Equal(t, 204, status)
	require.Equal(t, "first", f.read("site", v, "/a.txt"))
	require.Len(t, f.blobFiles(), 1)
}

// read returns an asset's content.
func (f *fixture) read(name, codeVersion, path string) string {
	f.t.Helper()
	live, err := f.svc.Live(context.Background(), name, Production)
	require.NoError(f.t, err)
	b, err := f.svc.Bundle(context.Background(), live.RoutineID, codeVersion)
	require.NoError(f.t, err)
	a, ok := b.Asset(path)
	require.True(f.t, ok)
	content, err := b.Open(a)
	require.NoError(f.t, err)
	defer content.Close()
	text := make([]byte, a.Size)
	_, err = content.ReadAt(text, 0)
	require.NoError(f.t, err)
	return string(text)
}

func TestVersionDeletedWhileBuilding(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	f := newFixture(t, Config{BeforeBuild: func(context.Context, string, string) error {
		close(started)
		<-release
		return nil
	}})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	made := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})
	f.send(made, zipOf(t, "assets/a.txt", "a"))
	<-started
	f.call("DeleteRoutineCodeVersion", api.Params{"Name": "site", "CodeVersion": made["CodeVersion"]})
	close(release)
	f.svc.builds.Wait()
	require.Empty(t, f.blobFiles())
}

// hang makes builds wait until their service is closed.
func hang(started chan<- struct{}) func(context.Context, string, string) error {
	return func(ctx context.Context, _, _ string) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
}

func TestResumeAfterRestart(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{}, 1)
	first := openFixture(t, dir, Config{BeforeBuild: hang(started)})
	first.call("CreateRoutine", api.Params{"Name": "site"})
	made := first.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})
	first.send(made, zipOf(t, "assets/a.txt", "kept"))
	<-started
	require.NoError(t, first.svc.Close())
	v := made["CodeVersion"].(string)
	require.Equal(t, "init", first.status("site", v), "stopping is no failure")

	second := openFixture(t, dir, Config{})
	require.Equal(t, "init", second.status("site", v))
	require.NoError(t, second.svc.Resume(t.Context()))
	second.svc.builds.Wait()
	require.Equal(t, "available", second.status("site", v))
	require.Equal(t, "kept", second.read("site", v, "/a.txt"))
	require.Len(t, second.blobFiles(), 1)
}

func TestTwoProcessesBuildOneVersion(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{}, 1)
	release := make(chan struct{})
	first := openFixture(t, dir, Config{BeforeBuild: func(context.Context, string, string) error {
		started <- struct{}{}
		<-release
		return nil
	}})
	second := openFixture(t, dir, Config{})
	first.call("CreateRoutine", api.Params{"Name": "site"})
	made := first.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})
	first.send(made, zipOf(t, "assets/a.txt", "once"))
	<-started
	require.NoError(t, second.svc.Resume(t.Context())) // a process that starts meanwhile
	second.svc.builds.Wait()
	v := made["CodeVersion"].(string)
	require.Equal(t, "available", second.status("site", v))
	close(release) // finds its zip gone, or builds in vain
	first.svc.builds.Wait()
	require.Equal(t, "available", first.status("site", v))
	require.Equal(t, "once", first.read("site", v, "/a.txt"))
	require.Len(t, first.blobFiles(), 1)
}

func TestAnotherProcessSeesADeployment(t *testing.T) {
	dir := t.TempDir()
	a, b := openFixture(t, dir, Config{}), openFixture(t, dir, Config{})
	a.call("CreateRoutine", api.Params{"Name": "site"})
	live, err := b.svc.Live(t.Context(), "site", Production)
	require.NoError(t, err)
	require.Empty(t, live.Shares)
	v := a.upload("site", nil, zipOf(t, "assets/a.txt", "a"))
	a.call("PublishRoutineCodeVersion", api.Params{"Name": "site", "Env": "production", "CodeVersion": v})
	live, err = b.svc.Live(t.Context(), "site", Production)
	require.NoError(t, err)
	require.Equal(t, []Share{{v, 100}}, live.Shares)
	require.Equal(t, "a", b.read("site", v, "/a.txt"))
}

func TestSweepTakesOnlyOldStrays(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	v := f.upload("site", nil, zipOf(t, "assets/a.txt", "a"))
	used := f.blobFiles()
	require.Len(t, used, 1)
	old := time.Now().Add(-2 * strayAge)
	require.NoError(t, os.Chtimes(used[0], old, old))
	make := func(name string, age time.Time) string {
		path := filepath.Join(f.store.BlobDir(), name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		require.NoError(t, os.Chtimes(path, age, age))
		return path
	}
	young := []string{make("packs/young", time.Now()), make("uploads/young.part", time.Now())}
	make("packs/old", old)
	make("uploads/old.part", old)
	make("uploads/old.object", old)
	require.NoError(t, f.svc.Resume(t.Context()))
	require.ElementsMatch(t, append(young, used...), f.blobFiles())
	require.Equal(t, "a", f.read("site", v, "/a.txt"))
}

func TestUploadAfterClose(t *testing.T) {
	f := newFixture(t, Config{})
	f.call("CreateRoutine", api.Params{"Name": "site"})
	made := f.call("CreateRoutineWithAssetsCodeVersion", api.Params{"Name": "site"})
	require.NoError(t, f.svc.Close())
	status, _ := f.send(made, zipOf(t, "assets/a.txt", "a"))
	require.Equal(t, 204, status, "the object is safe and the next start builds it")
	require.Equal(t, "init", f.status("site", made["CodeVersion"].(string)))
}

func TestUnknownObjectIsDropped(t *testing.T) {
	f := newFixture(t, Config{})
	path := filepath.Join(f.store.BlobDir(), "stray")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	require.NoError(t, f.svc.Uploaded(t.Context(), oss.Object{Key: "unknown", Path: path, Size: 1}))
	require.NoFileExists(t, path)
}

func TestBundleCacheIsBounded(t *testing.T) {
	var c bundleCache
	for i := range int64(50) {
		c.put(bundleKey{i, "1"}, &Bundle{assets: make([]Asset, maxCachedAssets/10)})
		require.LessOrEqual(t, c.assets, maxCachedAssets)
		require.NotNil(t, c.get(bundleKey{i, "1"}), "the newest stays")
	}
	huge := &Bundle{assets: make([]Asset, 2*maxCachedAssets)}
	c.put(bundleKey{1, "2"}, huge)
	c.put(bundleKey{1, "2"}, huge)
	require.Len(t, c.all, 1)
	require.Equal(t, weight(huge), c.assets)
}
