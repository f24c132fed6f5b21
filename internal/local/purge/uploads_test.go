package purge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// oneFile is a file at every address.
type oneFile string

func (f oneFile) Open(context.Context, string) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader(string(f))), int64(len(f)), nil
}

func TestUploads(t *testing.T) {
	b := newBench(t, Config{Files: oneFile("https://www.example.com/a\n\nhttps://www.example.com/b\r\nhttps://other.com/\n")})
	asked := api.Params{"SiteId": b.site, "Type": "file", "UploadTaskName": "n", "Url": "http://x"}
	id := json.Number(jsonText(b.Must("UploadFile", asked)["UploadId"]))
	one := api.Params{"SiteId": b.site, "UploadId": id}
	require.Equal(t, "init", b.Must("GetUploadTask", one)["Status"])
	require.Equal(t, id, json.Number(jsonText(b.Must("SubmitUploadTask", one)["UploadId"])))
	require.Equal(t, "running", b.Must("GetUploadTask", one)["Status"])
	_, code := b.Call("SubmitUploadTask", one)
	require.Equal(t, "UploadTask.StatusError", code)
	require.Len(t, b.Must("DescribePurgeTasks", api.Params{"SiteId": b.site})["Tasks"], 2)
	b.Now = b.Now.Add(time.Minute)
	require.Equal(t, "partial", b.Must("GetUploadTask", one)["Status"])
	listed := b.Must("ListUploadTasks", api.Params{"SiteId": b.site, "Type": "file"})["Tasks"].([]any)
	require.Len(t, listed, 1)
	require.Equal(t, "partial", listed[0].(map[string]any)["Status"])
	require.Empty(t, b.Must("ListUploadTasks", api.Params{"Type": "preload"})["Tasks"])

	link := b.Must("GetFailFile", one)["DownloadLink"].(string)
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(link, "data:text/plain;base64,"))
	require.NoError(t, err)
	require.Contains(t, string(text), "https://other.com/")

	asked["Type"] = "preload"
	preload := api.Params{"UploadId": json.Number(jsonText(b.Must("UploadFile", asked)["UploadId"]))}
	b.Must("SubmitUploadTask", preload)
	require.Len(t, b.Must("DescribePreloadTasks", api.Params{"SiteId": b.site})["Tasks"], 2)
	asked["Type"] = "everything"
	_, code = b.Call("UploadFile", asked)
	require.Equal(t, "InvalidType", code)
	_, code = b.Call("GetUploadTask", api.Params{"UploadId": "12"})
	require.Equal(t, "InvalidUploadId.NotFound", code)
}

func jsonText(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestUploadsThatAreRefused(t *testing.T) {
	for content, want := range map[string]string{
		"\n\n":                        "InvalidFile.Empty",
		strings.Repeat("x", 10<<20+1): "InvalidFile.ExceedsMaximum",
	} {
		b := newBench(t, Config{Files: oneFile(content)})
		_, code := b.Call("UploadFile", api.Params{"SiteId": b.site, "Type": "file", "UploadTaskName": "n", "Url": "http://x"})
		require.Equal(t, want, code)
	}
}

func TestBlocks(t *testing.T) {
	b := newBench(t, Config{})
	block := api.Params{"SiteId": b.site, "Type": "block", "Content": `["https://www.example.com/a"]`, "Maxage": "60"}
	require.NotEmpty(t, b.Must("BlockObject", block)["TaskId"])
	require.Empty(t, b.Must("DescribePurgeTasks", api.Params{"SiteId": b.site})["Tasks"])
	delete(block, "Maxage")
	_, code := b.Call("BlockObject", block)
	require.Equal(t, "MissingMaxage", code)
	block["Type"] = "unblock"
	b.Must("BlockObject", block)
	block["Content"] = `["https://other.com/"]`
	_, code = b.Call("BlockObject", block)
	require.Equal(t, "InvalidParameter.Content", code)
}
