// Package oss is the local ESA's object storage: the PostObject endpoint that
// routine code and assets are uploaded to. It checks the form's policy and
// signature as OSS does, streams the file to disk and hands it to whoever asked
// for the upload.
//
// It must not know what an object is for, nor any ESA operation.
package oss

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/esa-mcp/esa-mcp/internal/local/state"
)

// Bucket is the one bucket of the local object storage.
const Bucket = "esa-local"

// Host is the storage's host name: the bucket is also at http://Bucket.Host:PORT/.
const Host = "oss.localhost"

// maxDrain is how much of a refused body is still read, in bytes, so that a
// client that writes all before it reads gets the answer and no broken pipe.
const maxDrain = 64 << 20

// Object is an upload that is complete on disk.
type Object struct {
	Key string
	// Path is a file of its own in the store's blob folder. Uploaded owns it
	// once it has returned nil.
	Path string
	Size int64 // bytes
	// Callback says that the form carried a callback, so that the storage would
	// have told the application server about the object.
	Callback bool
}

// Config is what New needs.
type Config struct {
	Logger *slog.Logger     // nil: no logs
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // nil: crypto/rand
	// Uploaded takes over an object. An error makes the upload fail.
	Uploaded func(ctx context.Context, object Object) error
}

// New returns the endpoint, to be mounted at /oss/. The address of an upload is
// URL(base address of the listener).
func New(store *state.Store, cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	return &handler{store: store, cfg: cfg}
}

// URL is the upload address below a base address such as "http://127.0.0.1:4001".
func URL(baseURL string) string {
	return strings.TrimSuffix(baseURL, "/") + "/oss/" + Bucket + "/"
}

// AtBucket reports whether a request went to the bucket's own host name.
func AtBucket(r *http.Request) bool {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return strings.EqualFold(host, Bucket+"."+Host)
}

// place is the bucket that a request names, and the address that its objects are
// below.
func place(r *http.Request) (bucket, base string) {
	if AtBucket(r) && strings.Trim(r.URL.Path, "/") == "" {
		return Bucket, "http://" + r.Host + "/"
	}
	return strings.Trim(strings.TrimPrefix(r.URL.Path, "/oss/"), "/"), "http://" + r.Host + "/oss/" + Bucket + "/"
}

type handler struct {
	store *state.Store
	cfg   Config
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := h.requestID()
	w.Header().Set("Server", "AliyunOSS (local)")
	w.Header().Set("X-Oss-Request-Id", id)
	answer, err := h.post(r)
	if err != nil {
		var refused *refusal
		if !errors.As(err, &refused) {
			h.cfg.Logger.ErrorContext(r.Context(), "upload failed", "request_id", id, "error", err)
			refused = refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		}
		h.cfg.Logger.DebugContext(r.Context(), "upload refused", "request_id", id, "code", refused.code)
		refused.send(w, r, id)
		return
	}
	answer.write(w)
}

// send reads the rest of the body and answers. That the body is read after the
// answer was decided, and in vain for a client that is gone, does not change the
// answer.
func (e *refusal) send(w http.ResponseWriter, r *http.Request, id string) {
	_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
	e.write(w, id, r.Host)
}

// Refuse answers an upload with an error of the storage, for those who stand
// before it.
func Refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	refuse(status, code, "%s", message).send(w, r, strings.Repeat("0", 24))
}

// post carries out one PostObject request.
func (h *handler) post(r *http.Request) (answer, error) {
	if r.Method != http.MethodPost {
		return answer{}, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	bucket, base := place(r)
	if bucket != Bucket {
		return answer{}, refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist.")
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return answer{}, malformed()
	}
	f, err := readForm(parts)
	if err != nil {
		return answer{}, err
	}
	f.fields["bucket"] = bucket // policies may demand it, and no form sends it
	p, err := h.authorize(r.Context(), f.fields)
	if err != nil {
		return answer{}, err
	}
	a, err := h.receive(r.Context(), f, p)
	a.location = base + a.key
	return a, err
}

// authorize checks who signed the form, and that the form obeys what was signed.
func (h *handler) authorize(ctx context.Context, fields map[string]string) (*policy, error) {
	for _, name := range []string{"key", "OSSAccessKeyId", "policy", "Signature"} {
		if fields[strings.ToLower(name)] == "" {
			return nil, missingField(name)
		}
	}
	var secret, token string
	err := h.store.DB().QueryRowContext(ctx,
		`SELECT secret, security_token FROM oss_grants WHERE access_key_id = ?`, fields["ossaccesskeyid"]).Scan(&secret, &token)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, refuse(http.StatusForbidden, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")
	}
	if err != nil {
		return nil, fmt.Errorf("look up the upload's access key: %w", err)
	}
	if !validSignature(secret, fields["policy"], fields["signature"]) {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	if token != "" && fields["x-oss-security-token"] != token {
		return nil, refuse(http.StatusForbidden, "InvalidSecurityToken", "The security token you provided is invalid.")
	}
	p, err := parsePolicy(fields["policy"])
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: %v.", err)
	}
	return p, p.check(fields, h.cfg.Now())
}

// receive stores the file, hands it over and says what to answer.
func (h *handler) receive(ctx context.Context, f form, p *policy) (answer, error) {
	name, size, err := saveFile(h.store.BlobDir(), f.file, p.min, p.max)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: http.StatusNoContent, key: f.fields["key"], etag: h.requestID()}
	if n, err := strconv.Atoi(f.fields["success_action_status"]); err == nil && (n == 200 || n == 201) {
		a.status = n
	}
	callback, sent := f.fields["callback"]
	if sent && !validCallback(callback) {
		return answer{}, errors.Join(refuse(http.StatusNonAuthoritativeInfo, "CallbackFailed", "Error status : 400."), removeFile(name))
	}
	// A client that hangs up now has still uploaded everything.
	err = h.cfg.Uploaded(context.WithoutCancel(ctx), Object{Key: a.key, Path: name, Size: size, Callback: sent})
	if err != nil {
		err = errors.Join(fmt.Errorf("take over object: %w", err), removeFile(name))
		if sent {
			h.cfg.Logger.WarnContext(ctx, "upload callback failed", "error", err)
			return answer{}, refuse(http.StatusNonAuthoritativeInfo, "CallbackFailed", "Error status : 500.")
		}
		return answer{}, err
	}
	a.callback = sent
	return a, nil
}

// validCallback checks the field's form: base64 of JSON with an address.
func validCallback(text string) bool {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	var c struct {
		URL string `json:"callbackUrl"`
	}
	return json.Unmarshal(raw, &c) == nil && c.URL != ""
}

func (h *handler) requestID() string {
	b := make([]byte, 12)
	if _, err := io.ReadFull(h.cfg.Random, b); err != nil {
		return strings.Repeat("0", 24) // the id only helps to find a log line
	}
	return strings.ToUpper(hex.EncodeToString(b))
}

// form is an upload's fields, by lower-case name, and its file.
type form struct {
	fields map[string]string
	file   *multipart.Part
}
