package pages

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// pageMark begins every script that WrapPage makes.
const pageMark = "// One HTML page as an edge function; made by esa-mcp.\n"

// pageHandler answers as a site with that one file would.
const pageHandler = `export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/" && pathname !== "/index.html") {
      return new Response("404 Not Found\n", { status: 404, headers: { "Content-Type": "text/plain; charset=utf-8" } });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("405 Method Not Allowed\n", { status: 405, headers: { "Allow": "GET, HEAD", "Content-Type": "text/plain; charset=utf-8" } });
    }
    return new Response(request.method === "HEAD" ? null : page, { headers: { "Content-Type": type } });
  },
};
`

// WrapPage makes a function's script of an HTML page, for a routine that cannot
// have static files. The page is a JSON string in it, which every byte survives;
// a template literal would eat backslashes and evaluate ${}. A page that is not
// UTF-8 is carried as base64 and sent without a charset, so that what the page
// itself says of its encoding holds. The error is an *Error: the script is
// larger than MaxCodeSize.
func WrapPage(page []byte) ([]byte, error) {
	var script bytes.Buffer
	script.WriteString(pageMark)
	if utf8.Valid(page) {
		script.WriteString("const type = \"text/html; charset=utf-8\";\nconst page = ")
		text := json.NewEncoder(&script) // ends with a line feed
		text.SetEscapeHTML(false)
		if err := text.Encode(string(page)); err != nil {
			return nil, fmt.Errorf("write the page as JSON: %w", err)
		}
	} else {
		script.WriteString("const type = \"text/html\";\nconst text = atob(\"" + base64.StdEncoding.EncodeToString(page) + "\");\n" +
			"const page = new Uint8Array(text.length);\nfor (let i = 0; i < text.length; i++) page[i] = text.charCodeAt(i);\n")
	}
	script.WriteString(pageHandler)
	if n := int64(script.Len()); n > MaxCodeSize {
		return nil, &Error{
			Guardrail: GuardLimits,
			Problem:   fmt.Sprintf("This routine has no static files, so the page becomes a script of %s, and ESA takes at most %s", megabytes(n), megabytes(MaxCodeSize)),
			Fix:       fmt.Sprintf("Deploy under a new name: a page of its own may have %s", megabytes(MaxAssetSize)),
		}
	}
	return script.Bytes(), nil
}

// IsWrappedPage reports whether WrapPage made the script.
func IsWrappedPage(script string) bool {
	return strings.HasPrefix(script, pageMark)
}
