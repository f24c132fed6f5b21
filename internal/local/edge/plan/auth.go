package plan

import "encoding/json"

// Auth is how the edge signs its requests to a private bucket.
type Auth struct {
	Kind                 string // OSS, S3
	AccessKey, SecretKey string
	Region               string
	Version              string // v4, or else the older way
}

// sameAccount is the AuthType of a bucket that is asked with the account's own key.
const sameAccount = "private_same_account"

// authConf is the AuthConf of a record or of a pool's origin, as it is stored.
type authConf struct{ AuthType, AccessKey, SecretKey, Region, Version string }

// Sign is how requests to the record's source are signed; nil if they are not.
func (s *Source) Sign(r *Record) *Auth {
	if r.Source != "OSS" && r.Source != "S3" || r.auth.AuthType == "" || r.auth.AuthType == "public" {
		return nil
	}
	a := &Auth{Kind: r.Source, AccessKey: r.auth.AccessKey, SecretKey: r.auth.SecretKey, Region: r.auth.Region, Version: r.auth.Version}
	if r.auth.AuthType == sameAccount {
		account := s.store.Account()
		a.AccessKey, a.SecretKey = account.AccessKeyID, account.AccessKeySecret
	}
	return a
}

// readAuth reads what is stored; empty if nothing is.
func readAuth(text string) (authConf, error) {
	var a authConf
	if text == "" {
		return a, nil
	}
	err := json.Unmarshal([]byte(text), &a)
	return a, err
}
