package local

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"
)

// script runs testdata/calls.txt: a good call of every operation.
type script struct {
	t    *testing.T
	info Info
	// vars are what lines have called parts of answers by.
	vars map[string]any
	// before looks at each call before it is sent; may be nil.
	before func(line int, action string, params map[string]any)
	// answered looks at each answer; may be nil.
	answered func(action string, answer map[string]any)
}

// newScript starts a script on a fresh local ESA.
func newScript(t *testing.T, info Info) *script {
	t.Helper()
	s := &script{t: t, info: info, vars: map[string]any{}}
	for name, at := range map[string]time.Duration{"from": -time.Hour, "until": time.Hour} {
		s.vars[name] = time.Now().UTC().Add(at).Format("2006-01-02T15:04:05Z")
	}
	s.vars["cert"], s.vars["key"] = selfSigned(t, "www.full.example", "www.named.example")
	s.vars["ca"], _ = signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: "authority.example"}, IsCA: true, BasicConstraintsValid: true})
	return s
}

// run runs the lines from one mark to another: all of them from "" to "".
func (s *script) run(from, to string) {
	s.t.Helper()
	text, err := os.ReadFile("testdata/calls.txt")
	require.NoError(s.t, err)
	running := from == ""
	for i, line := range strings.Split(string(text), "\n") {
		switch word, rest, _ := strings.Cut(line, " "); {
		case line == "" || line[0] == '#':
		case word == to:
			return
		case word == from:
			running = true
		case !running:
		case word == "@exported":
		case word[0] == '@':
			s.special(word, rest)
		default:
			s.call(i+1, word, rest)
		}
	}
}

// call sends the call of a line.
func (s *script) call(line int, action, rest string) {
	s.t.Helper()
	rest, saved, _ := strings.Cut(rest, " > ")
	var params map[string]any
	d := json.NewDecoder(strings.NewReader(rest))
	d.UseNumber()
	require.NoError(s.t, d.Decode(&params), "line %d", line)
	for name, value := range params {
		params[name] = s.fill(value)
	}
	if s.before != nil {
		s.before(line, action, params)
	}
	answer, err := call(s.t, s.info, action, params)
	if err != nil {
		s.t.Errorf("line %d: %s %v: %v", line, action, params, err)
		return
	}
	if s.answered != nil {
		s.answered(action, answer)
	}
	for save := range strings.FieldsSeq(saved) {
		name, path, _ := strings.Cut(save, "=")
		value := any(answer)
		for part := range strings.SplitSeq(path, ".") {
			if i, err := strconv.Atoi(part); err == nil {
				list, _ := value.([]any)
				require.Greater(s.t, len(list), i, "line %d: %v has no %s", line, answer, path)
				value = list[i]
				continue
			}
			members, _ := value.(map[string]any)
			value = members[part]
		}
		require.NotNil(s.t, value, "line %d: %v has no %s", line, answer, path)
		s.vars[name] = value
	}
}

// fill puts the variables in: one that is a whole text keeps its type.
func (s *script) fill(value any) any {
	switch v := value.(type) {
	case string:
		if name, whole := strings.CutPrefix(v, "$"); whole && s.vars[name] != nil {
			return s.vars[name]
		}
		return regexp.MustCompile(`\$[a-z0-9]+`).ReplaceAllStringFunc(v, func(name string) string {
			if known, ok := s.vars[name[1:]]; ok {
				return fmt.Sprint(known)
			}
			return name // such as the name of a list in an expression
		})
	case []any:
		for i := range v {
			v[i] = s.fill(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = s.fill(v[name])
		}
	}
	return value
}

// special does what a line with @ says.
func (s *script) special(word, rest string) {
	s.t.Helper()
	first, rest, _ := strings.Cut(rest, " ")
	switch word {
	case "@file":
		s.vars[first] = s.file(strings.ReplaceAll(rest, `\n`, "\n"))
	case "@code":
		s.upload(s.fill(first).(map[string]any), []byte(rest))
	case "@zip":
		var files map[string]string
		require.NoError(s.t, json.Unmarshal([]byte(rest), &files))
		var pack bytes.Buffer
		z := zip.NewWriter(&pack)
		for name, content := range files {
			f, err := z.Create(name)
			require.NoError(s.t, err)
			_, err = f.Write([]byte(content))
			require.NoError(s.t, err)
		}
		require.NoError(s.t, z.Close())
		s.upload(s.fill(first).(map[string]any), pack.Bytes())
	case "@available":
		s.eventually("GetRoutineCodeVersionInfo", map[string]any{"Name": first, "CodeVersion": s.fill(rest)}, func(answer map[string]any) bool {
			return strings.EqualFold(answer["Status"].(string), "available")
		})
	case "@issued":
		s.eventually("ListCertificatesByRecord", map[string]any{"SiteId": s.vars["site"], "RecordName": first}, func(answer map[string]any) bool {
			return !bytes.Contains(mustJSON(s.t, answer), []byte("Applying"))
		})
	case "@told": // what an application waits for
		s.eventually("GetCertificate", map[string]any{"SiteId": s.fill(first), "Id": s.fill(rest)}, func(answer map[string]any) bool {
			return answer["Result"].(map[string]any)["ApplyMessage"] != nil
		})
	case "@visit":
		s.visit(first, rest)
	default:
		s.t.Fatalf("no line begins with %s", word)
	}
}

// visit asks the edge for a page, whatever it answers, and waits until the visit is
// counted. It returns the answer's status.
func (s *script) visit(host, path string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.info.Edge+path, nil)
	require.NoError(s.t, err)
	req.Host = host
	res, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	counted := map[string]any{"StartTime": s.vars["from"], "EndTime": s.vars["until"], "Fields": []any{map[string]any{"FieldName": "Requests", "Dimension": []any{"ALL"}}}}
	s.eventually("DescribeSiteTopData", counted, func(answer map[string]any) bool {
		details, _ := answer["Data"].([]any)[0].(map[string]any)["DetailData"].([]any)
		return len(details) > 0
	})
	return res.StatusCode
}

func (s *script) eventually(action string, params map[string]any, good func(map[string]any) bool) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return good(must(s.t, s.info, action, params)) }, time.Minute, 5*time.Millisecond, action)
}

// upload posts a file to where an answer says.
func (s *script) upload(slot map[string]any, content []byte) {
	s.t.Helper()
	fields := map[string]string{}
	for name, value := range slot {
		field, known := map[string]string{"Policy": "policy", "Key": "key", "XOssSecurityToken": "x-oss-security-token", "Url": ""}[name]
		if !known {
			field = name
		}
		fields[field] = value.(string)
	}
	delete(fields, "")
	s.post(slot["Url"].(string), "", fields, content)
}

// post sends a form with a file, to another host than the address's if it is
// given.
func (s *script) post(address, host string, fields map[string]string, content []byte) {
	s.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range fields {
		require.NoError(s.t, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "file")
	require.NoError(s.t, err)
	_, err = part.Write(content)
	require.NoError(s.t, err)
	require.NoError(s.t, w.Close())
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, address, &form)
	require.NoError(s.t, err)
	req.Host = host
	req.Header.Set("Content-Type", w.FormDataContentType())
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	require.True(s.t, slices.Contains([]int{200, 201, 204}, res.StatusCode), "%s: %s", address, res.Status)
}

// file uploads a file for an operation to read, and returns its address.
func (s *script) file(content string) string {
	s.t.Helper()
	client, err := openapi.NewClient(&openapi.Config{AccessKeyId: &s.info.AccessKeyID, AccessKeySecret: &s.info.AccessKeySecret,
		Endpoint: dara.String(strings.TrimPrefix(s.info.Endpoint, "http://")), Protocol: dara.String("http"), HttpClient: plainHTTP{}})
	require.NoError(s.t, err)
	out, err := client.CallApi(&openapi.Params{Action: dara.String("AuthorizeFileUpload"), Version: dara.String("2019-12-19"), Method: dara.String("GET"),
		Pathname: dara.String("/"), Protocol: dara.String("HTTPS"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json")},
		&openapi.OpenApiRequest{Query: map[string]*string{"Product": dara.String("ESA"), "RegionId": dara.String("cn-hangzhou")}}, &dara.RuntimeOptions{})
	require.NoError(s.t, err)
	slot := out["body"].(map[string]any)
	text := func(name string) string { return slot[name].(string) }
	host := text("Bucket") + "." + text("Endpoint")
	s.post(s.info.Endpoint+"/", host, map[string]string{"OSSAccessKeyId": text("AccessKeyId"), "policy": text("EncodedPolicy"),
		"Signature": text("Signature"), "key": text("ObjectKey"), "success_action_status": "201"}, []byte(content))
	return "http://" + host + "/" + text("ObjectKey")
}
