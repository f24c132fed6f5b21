package site

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The record types that rules single out. A and AAAA are one type: a name has
// one record that holds all its addresses.
const (
	typeAddress = "A/AAAA"
	typeCNAME   = "CNAME"
	typeNS      = "NS"
	typeSRV     = "SRV"
)

// record is a row of the table records.
type record struct {
	id, siteID                      int64
	name, kind                      string
	ttl                             int64
	proxied                         bool
	bizName, sourceType, hostPolicy string
	auth                            *authConf
	comment                         string
	data                            recordData
	httpPorts, httpsPorts           string
	created, updated                int64
}

// recordData is a record's Data; which members count depends on the type.
type recordData struct {
	Algorithm    *int64 `json:",omitempty"`
	Certificate  string `json:",omitempty"`
	Fingerprint  string `json:",omitempty"`
	Flag         *int64 `json:",omitempty"`
	KeyTag       *int64 `json:",omitempty"`
	MatchingType *int64 `json:",omitempty"`
	Port         *int64 `json:",omitempty"`
	Priority     *int64 `json:",omitempty"`
	Selector     *int64 `json:",omitempty"`
	Tag          string `json:",omitempty"`
	Type         *int64 `json:",omitempty"`
	Usage        *int64 `json:",omitempty"`
	Value        string `json:",omitempty"`
	Weight       *int64 `json:",omitempty"`
}

// authConf is how ESA signs its requests to an OSS or S3 source. As on the
// service, answers have it whole.
type authConf struct {
	AccessKey string `json:",omitempty"`
	AuthType  string `json:",omitempty"`
	Region    string `json:",omitempty"`
	SecretKey string `json:",omitempty"`
	Version   string `json:",omitempty"`
}

const recordColumns = `r.id, r.site_id, r.name, r.type, r.ttl, r.proxied, r.biz_name, r.source_type, r.host_policy, r.auth_conf,
	r.comment, r.data, r.http_ports, r.https_ports, r.created, r.updated`

func scanRecord(row interface{ Scan(...any) error }, more ...any) (record, error) {
	var rec record
	var auth, data string
	err := row.Scan(append([]any{&rec.id, &rec.siteID, &rec.name, &rec.kind, &rec.ttl, &rec.proxied, &rec.bizName, &rec.sourceType,
		&rec.hostPolicy, &auth, &rec.comment, &data, &rec.httpPorts, &rec.httpsPorts, &rec.created, &rec.updated}, more...)...)
	if err != nil {
		return rec, err
	}
	if err := json.Unmarshal([]byte(data), &rec.data); err != nil {
		return rec, fmt.Errorf("read the data of record %d: %w", rec.id, err)
	}
	if auth != "" {
		if err := json.Unmarshal([]byte(auth), &rec.auth); err != nil {
			return rec, fmt.Errorf("read the origin authentication of record %d: %w", rec.id, err)
		}
	}
	return rec, nil
}

// notFound makes Record.NotFound of a missing row.
func notFound(err error, id int64) error {
	if errors.Is(err, sql.ErrNoRows) {
		return api.Errorf(404, "Record.NotFound", "The specified record %d does not exist.", id)
	}
	return err
}

// dataText is the data as it is stored, which also serves to compare it.
func (rec *record) dataText() string {
	b, _ := json.Marshal(rec.data) // strings and integers always encode
	return string(b)
}

func (rec *record) authText() string {
	if rec.auth == nil {
		return ""
	}
	b, _ := json.Marshal(rec.auth)
	return string(b)
}

// apply puts the parameters that were sent over the record's own. What they
// make meaningless, and was not itself sent, goes: the business of a record that
// is no longer proxied, the source of one that is no CNAME.
func (rec *record) apply(p api.Params) error {
	var err error
	for name, field := range map[string]*string{"Type": &rec.kind, "BizName": &rec.bizName, "SourceType": &rec.sourceType,
		"HostPolicy": &rec.hostPolicy, "Comment": &rec.comment, "HttpPorts": &rec.httpPorts, "HttpsPorts": &rec.httpsPorts} {
		if p.Has(name) {
			*field = p.String(name)
		}
	}
	if rec.ttl, err = p.Int("Ttl", rec.ttl); err != nil {
		return err
	}
	if rec.proxied, err = p.Bool("Proxied", rec.proxied); err != nil {
		return err
	}
	var data *recordData
	switch sent, err := p.JSON("Data", &data); {
	case err != nil:
		var refused *api.Error
		if errors.As(err, &refused) {
			return api.Errorf(400, "Record.ParseJSONRecordValueFailed", "%s", refused.Message)
		}
		return err
	case sent && data == nil:
		return api.Errorf(400, "Record.EmptyRecordValue", "Data must not be null.")
	case sent:
		rec.data = *data // as a whole: Data cannot be patched
	}
	if p.Has("AuthConf") {
		rec.auth = nil
		if _, err := p.JSON("AuthConf", &rec.auth); err != nil {
			// The text may have a key in it, so it is not repeated.
			return api.Errorf(400, "InvalidAuthConf", "AuthConf is not the JSON object that a record takes.")
		}
	}
	rec.clean(p)
	return nil
}

func (rec *record) clean(p api.Params) {
	if !rec.proxied && !p.Has("BizName") {
		rec.bizName = ""
	}
	if rec.kind == typeCNAME {
		if rec.sourceType == "" {
			rec.sourceType = "Domain"
		}
	} else {
		for name, field := range map[string]*string{"SourceType": &rec.sourceType, "HostPolicy": &rec.hostPolicy} {
			if !p.Has(name) {
				*field = ""
			}
		}
	}
	if !rec.needsAuth() && !p.Has("AuthConf") {
		rec.auth = nil
	}
}

func (rec *record) needsAuth() bool { return rec.sourceType == "OSS" || rec.sourceType == "S3" }

// checkPorts refuses ports of the origin that are none. More than one are
// separated by commas.
func checkPorts(name, text string) error {
	if text == "" {
		return nil
	}
	for port := range strings.SplitSeq(text, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(port)); err != nil || n < 1 || n > 65535 {
			return api.Errorf(400, "InvalidParameter."+name, "%s must be ports from 1 to 65535, separated by commas; %q is none.", name, clip(port))
		}
	}
	return nil
}

// check refuses what the service refuses of a record by itself, without looking
// at the site's other records.
func (rec *record) check(t site, cfg Config) error {
	if rec.kind == "DS" && rec.name == t.name {
		return api.Errorf(400, "InvalidParameter.InvalidDSRecordName", "A DS record cannot be for the site's own name.")
	}
	if !slices.Contains(recordTypes, rec.kind) {
		return api.Errorf(400, "Record.UnsupportedType", "Type %q is not supported: use one of %s.", rec.kind, strings.Join(recordTypes, ", "))
	}
	if err := rec.checkAccess(t); err != nil {
		return err
	}
	if err := checkRecordName(rec.name, t.name, rec.kind, rec.proxied); err != nil {
		return err
	}
	if rec.ttl != 1 && (rec.ttl < 30 || rec.ttl > 86400) {
		return api.Errorf(400, "Record.TTLExceedLimit", "Ttl must be 1 (automatic) or between 30 and 86400 seconds, not %d.", rec.ttl)
	}
	// The documentation says 100 characters, the service's error table 50.
	if n := len([]rune(rec.comment)); n > 100 {
		return api.Errorf(400, "InvalidParameter.RecordCommentExceedLimit", "The comment has %d characters, more than 100.", n)
	}
	if err := errors.Join(checkPorts("HttpPorts", rec.httpPorts), checkPorts("HttpsPorts", rec.httpsPorts)); err != nil {
		return err
	}
	if err := rec.checkProxy(); err != nil {
		return err
	}
	if err := rec.checkSource(); err != nil {
		return err
	}
	return rec.checkData(cfg)
}

var recordTypes = []string{typeAddress, typeCNAME, "MX", "TXT", typeNS, typeSRV, "CAA", "CERT", "SMIMEA", "SSHFP", "TLSA", "URI"}

func (rec *record) webType() bool { return rec.kind == typeAddress || rec.kind == typeCNAME }

func (rec *record) checkAccess(t site) error {
	if t.accessType != accessCNAME {
		return nil
	}
	if !rec.webType() {
		return api.Errorf(400, "InvalidParameter.CnameSiteRecordUnsupport",
			"A site with CNAME access takes A/AAAA and CNAME records only, not %s.", rec.kind)
	}
	if !rec.proxied {
		return api.Errorf(400, "InvalidParameter.CnameSiteRecordNoProxied", "A record of a site with CNAME access must be proxied.")
	}
	return nil
}

// checkProxy has the coupling that trips most clients: a proxied record needs a
// business name, any other must have none.
func (rec *record) checkProxy() error {
	if rec.proxied && !rec.webType() {
		return api.Errorf(400, "Record.ValidProxiedForSpecifedRecordType", "Only A/AAAA and CNAME records can be proxied.")
	}
	biz := map[string]bool{"web": true, "api": true, "image_video": true}[rec.bizName]
	if rec.proxied != biz || !rec.proxied && rec.bizName != "" {
		return api.Errorf(400, "InvalidParameter.InvalidBiz", "The specified business is invalid.")
	}
	switch {
	case rec.hostPolicy == "":
	case rec.kind == typeCNAME && (rec.hostPolicy == "follow_hostname" || rec.hostPolicy == "follow_origin_domain"):
	default:
		return api.Errorf(400, "InvalidParameter.InvalidHostPolicy",
			"HostPolicy is for CNAME records and must be follow_hostname or follow_origin_domain.")
	}
	return nil
}

// checkSource checks where a CNAME record's content comes from.
func (rec *record) checkSource() error {
	if rec.kind != typeCNAME {
		if rec.sourceType != "" {
			return api.Errorf(400, "Record.UnsupportedSourceType", "SourceType is for CNAME records.")
		}
		return nil
	}
	switch rec.sourceType {
	case "Domain", "OP", "LB": // whether the pool exists is looked up later
		return nil
	case "OSS", "S3":
		return rec.checkAuth()
	}
	return api.Errorf(400, "Record.UnsupportedSourceType", "SourceType must be Domain, OSS, S3, LB or OP.")
}

func (rec *record) checkAuth() error {
	if rec.auth == nil {
		return api.Errorf(400, "Record.SourceEmptyAuthConf", "A source of type %s needs AuthConf.", rec.sourceType)
	}
	keyed := false
	switch rec.auth.AuthType {
	case "public":
	case "private":
		keyed = true
	case "private_same_account", "private_cross_account":
		if rec.sourceType == "S3" {
			return api.Errorf(400, "Record.S3SourceInvalidAuthType", "AuthType of an S3 source must be public or private.")
		}
		keyed = rec.auth.AuthType == "private_cross_account"
	default:
		return api.Errorf(400, "Record."+rec.sourceType+"SourceInvalidAuthType", "AuthConf.AuthType is not one that a source of type %s takes.", rec.sourceType)
	}
	if !keyed {
		return nil
	}
	if rec.auth.AccessKey == "" {
		return api.Errorf(400, "Record.SourceEmptyAK", "AuthConf.AccessKey must not be empty.")
	}
	if rec.auth.SecretKey == "" {
		return api.Errorf(400, "Record.SourceEmptySecretKey", "AuthConf.SecretKey must not be empty.")
	}
	if rec.sourceType == "S3" {
		if rec.auth.Region == "" {
			return api.Errorf(400, "Record.S3SourceInvalidAuthRegion", "AuthConf.Region must not be empty for an S3 source.")
		}
		if v := rec.auth.Version; v != "v2" && v != "v4" {
			return api.Errorf(400, "Record.S3SourceInvalidAuthVersion", "AuthConf.Version must be v2 or v4.")
		}
	}
	return nil
}
