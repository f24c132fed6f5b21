package tools

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
)

// apply puts the origin's arguments over a draft. Keys are read from a file and
// nowhere else, so that no model gets to see them.
func (o RecordOrigin) apply(r *draft) error {
	if r.kind != typeCNAME {
		if o != (RecordOrigin{}) {
			return Refuse("source_type, host_policy and auth_file are for CNAME records: leave them out for %s.", r.kind)
		}
		return nil
	}
	if types := []string{"", "Domain", "OSS", "S3", "LB", "OP"}; !slices.Contains(types, o.SourceType) {
		return Refuse("source_type %q: give one of %s.", o.SourceType, strings.Join(types[1:], ", "))
	}
	if policies := []string{"", "follow_hostname", "follow_origin_domain"}; !slices.Contains(policies, o.HostPolicy) {
		return Refuse("host_policy %q: give %s.", o.HostPolicy, strings.Join(policies[1:], " or "))
	}
	if o.SourceType != "" {
		r.source = o.SourceType
	}
	if o.HostPolicy != "" {
		r.hostPolicy = o.HostPolicy
	}
	bucket := r.source == "OSS" || r.source == "S3"
	switch {
	case o.AuthFile != "" && !bucket:
		return Refuse("auth_file is for source_type OSS and S3: leave it out.")
	case o.AuthFile != "":
		auth, err := readAuth(o.AuthFile)
		if err != nil {
			return err
		}
		r.auth = auth
	case bucket && len(r.auth) == 0:
		r.auth = map[string]any{"AuthType": "public"}
	case !bucket:
		r.auth = nil
	}
	return nil
}

// readAuth reads how a bucket is opened. Errors never show what is in the file.
func readAuth(path string) (map[string]any, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	var file struct {
		AuthType  string `json:"auth_type"`
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
		Region    string `json:"region"`
		Version   string `json:"version"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, Refuse("auth_file %s is not a JSON object with auth_type, access_key, secret_key, region and version.", path)
	}
	if file.AuthType == "" {
		return nil, Refuse("auth_file %s has no auth_type: public, private, private_same_account or private_cross_account.", path)
	}
	auth := map[string]any{}
	for name, v := range map[string]string{"AuthType": file.AuthType, "AccessKey": file.AccessKey, "SecretKey": file.SecretKey,
		"Region": file.Region, "Version": file.Version} {
		if v != "" {
			auth[name] = v
		}
	}
	return auth, nil
}
