package oss

import (
	"encoding/xml"
	"fmt"
	"net/http"
)

// refusal is an error as OSS answers it.
type refusal struct {
	status        int
	code, message string
}

func (e *refusal) Error() string { return e.code + ": " + e.message }

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

func malformed() *refusal {
	return refuse(http.StatusBadRequest, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
}

func missingField(name string) *refusal {
	return refuse(http.StatusBadRequest, "InvalidArgument",
		"Bucket POST must contain a field named '%s'. If it is specified, please check the order of the fields.", name)
}

func (e *refusal) write(w http.ResponseWriter, requestID, host string) {
	writeXML(w, e.status, struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestID string `xml:"RequestId"`
		HostID    string `xml:"HostId"`
	}{Code: e.code, Message: e.message, RequestID: requestID, HostID: host})
}

// answer is a successful upload.
type answer struct {
	status   int
	key      string
	location string
	etag     string
	callback bool // the answer is the callback's, with status 200
}

func (a answer) write(w http.ResponseWriter) {
	// OSS gives posted objects an ETag that is not their MD5.
	w.Header().Set("ETag", `"`+a.etag+`"`)
	switch {
	case a.callback:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"Status":"OK"}`)
	case a.status == http.StatusCreated:
		writeXML(w, a.status, struct {
			XMLName  xml.Name `xml:"PostResponse"`
			Bucket   string
			ETag     string
			Key      string
			Location string
		}{Bucket: Bucket, ETag: `"` + a.etag + `"`, Key: a.key, Location: a.location})
	default:
		w.WriteHeader(a.status)
	}
}

func writeXML(w http.ResponseWriter, status int, v any) {
	text, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "cannot write the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s%s\n", xml.Header, text)
}
