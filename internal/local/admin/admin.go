// Package admin is the desk of the local ESA: where it is asked and told things
// that no ESA has. It answers below Path on the address of the API, with the
// account's access key as user and password; only where the edge is it tells
// everybody.
//
// It must not know any ESA operation.
package admin

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/esa-mcp/esa-mcp/internal/local/fault"
	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// Path is where the desk is. No path of the API begins with it.
const Path = "/_local"

// maxBody is the longest list of faults, in bytes.
const maxBody = 1 << 20

// Config is what New needs.
type Config struct {
	// AccessKeyID and AccessKeySecret are user and password.
	AccessKeyID, AccessKeySecret string
	Faults                       *fault.Set
	// Status is what /status answers, as JSON.
	Status func(r *http.Request) (any, error)
	// Versions keeps the versions of sites' configurations.
	Versions *version.Service
	// Changed is told of each change before it is answered.
	Changed func()
	// Addresses are what a client cannot know that has the address of the API alone.
	Addresses Addresses
}

// AddressesPath is where Addresses are answered, with no key: they are no secret on
// the machine that the local ESA serves alone.
const AddressesPath = Path + "/addresses"

// Addresses say where what was deployed can be opened.
type Addresses struct {
	// Edge is the base URL of the edge, such as http://127.0.0.1:4002.
	Edge string `json:"edge"`
	// OpenDefaultDomain says that the default domains of routines open without a
	// token.
	OpenDefaultDomain bool `json:"open_default_domain"`
}

// New makes the handler.
func New(cfg Config) http.Handler {
	d := desk{cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/status", d.status)
	mux.HandleFunc("GET "+Path+"/faults", d.listFaults)
	mux.HandleFunc("POST "+Path+"/faults", d.addFaults)
	mux.HandleFunc("DELETE "+Path+"/faults", d.removeFaults)
	mux.HandleFunc("DELETE "+Path+"/faults/{id}", d.removeFaults)
	d.handleVersions(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == AddressesPath {
			send(w, http.StatusOK, cfg.Addresses)
			return
		}
		if !d.knows(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="local ESA: access key id and secret"`)
			fail(w, http.StatusUnauthorized, "give the account's access key id as user and its secret as password")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

type desk struct{ cfg Config }

func (d desk) knows(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	id := subtle.ConstantTimeCompare([]byte(user), []byte(d.cfg.AccessKeyID))
	secret := subtle.ConstantTimeCompare([]byte(password), []byte(d.cfg.AccessKeySecret))
	return id&secret == 1
}

func (d desk) status(w http.ResponseWriter, r *http.Request) {
	answer, err := d.cfg.Status(r)
	if err != nil {
		fail(w, http.StatusInternalServerError, "the state could not be read")
		return
	}
	send(w, http.StatusOK, answer)
}

// faultsAnswer is what every call about faults answers: those that are on.
type faultsAnswer struct {
	Faults  []fault.Entry `json:"faults"`
	Added   []int         `json:"added,omitempty"`
	Removed int           `json:"removed,omitempty"`
}

func (d desk) listFaults(w http.ResponseWriter, _ *http.Request) {
	send(w, http.StatusOK, faultsAnswer{Faults: d.cfg.Faults.List()})
}

// addFaults switches on the faults in the body, one a line. One that cannot be
// read means that none is.
func (d desk) addFaults(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusBadRequest, "the faults could not be read: %v", err)
		return
	}
	faults, err := fault.ParseAll(string(text))
	if err != nil {
		fail(w, http.StatusBadRequest, "%v", err)
		return
	}
	added := d.cfg.Faults.Add(faults...)
	send(w, http.StatusCreated, faultsAnswer{Faults: d.cfg.Faults.List(), Added: added})
}

// removeFaults switches off the fault of the path's id, or all.
func (d desk) removeFaults(w http.ResponseWriter, r *http.Request) {
	id := 0
	if text := r.PathValue("id"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			fail(w, http.StatusBadRequest, "%q is no id of a fault", text)
			return
		}
		id = n
	}
	removed := d.cfg.Faults.Remove(id)
	if id > 0 && removed == 0 {
		fail(w, http.StatusNotFound, "there is no fault %d", id)
		return
	}
	send(w, http.StatusOK, faultsAnswer{Faults: d.cfg.Faults.List(), Removed: removed})
}

func fail(w http.ResponseWriter, status int, format string, args ...any) {
	send(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
}

func send(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(answer) // a client that is gone needs no answer
}
